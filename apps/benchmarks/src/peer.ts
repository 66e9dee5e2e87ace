/** What a module in `../peers` gives, and measuring it as ours is. */
import { bench, type Sink } from "./bench.js";
import { adapterOf, type Where } from "./result.js";
import { sinceStart } from "./since-start.js";
import type { Case, Workload } from "./workload.js";

/** What is asked of a peer, in Node and in a page. */
export interface PeerRequest {
  readonly workloads: readonly string[];
  readonly backend: string;
  readonly threads: number;
  readonly quick: boolean;
  readonly where: Where;
  /** Where the installed packages are: the end of a path, or an address. */
  readonly files: string;
  readonly versions: Readonly<Record<string, string>>;
}

export type OpenPeer = (given: {
  readonly backend: string;
  readonly threads: number;
  /** In a browser. */
  readonly page: boolean;
  /** A file of an installed package. */
  file(path: string): string;
  /** Of an installed package. */
  version(name: string): string;
  /** What `infer_cnn_b1` derives: call it after the first result. */
  startup(): Case["derived"];
}) => Promise<{
  readonly library: string;
  readonly backend: string;
  /** That really run; known for certain only when something has run. */
  readonly threads: number;
  readonly workloads: Readonly<Record<string, Workload["make"]>>;
}>;

export async function benchPeer(open: OpenPeer, request: PeerRequest, sink: Sink): Promise<void> {
  const { backend, threads, quick, where, files, versions } = request;
  const peer = await open({
    backend,
    threads,
    page: where.where === "chromium",
    file: (path) => files + path,
    version: (name) => versions[name] ?? "unknown",
    startup: () => {
      const startup_ms = sinceStart();
      return () => ({ startup_ms });
    },
  });
  const gpu = backend === "webgpu" && (await navigator.gpu.requestAdapter({ powerPreference: "high-performance" }));
  const adapter = gpu === false ? {} : { adapter: adapterOf(gpu?.info) };
  const contender = {
    ...where,
    library: peer.library,
    backend: peer.backend,
    get threads() {
      return peer.threads;
    },
    ...adapter,
  };
  const has = request.workloads
    .filter((name) => name in peer.workloads)
    .map((name) => ({ name, make: peer.workloads[name] }));
  const note = (text: string) => sink.note(`${text.split("\n")[0]}\n`); // their stacks help nobody here
  await bench(contender, has, { ...sink, note }, { quick });
}

/**
 * Measuring the peers: their scripts in `../../peers` are bundled with our protocol, and run in a process beside the
 * installed packages, or in a page. PyTorch has a script of its own in Python.
 */
import { globSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Sink } from "../bench.js";
import { bundle } from "../bundle.js";
import type { Options, Peer } from "../options.js";
import { inPage } from "../page/chromium.js";
import { PEERS_DIR } from "../paths.js";
import type { PeerRequest } from "../peer.js";
import { NODE } from "../process.js";
import type { Line } from "../result.js";
import { capture } from "./capture.js";
import { install, packagesOf, peersHome, wanted } from "./install.js";
import { parseLines } from "./lines.js";

/** One library's results for these workloads; for those that it cannot do there are none. */
export type MeasurePeer = (workloads: readonly string[]) => Promise<Line[]>;

/** Those of the peers that are here, or can be installed; says which are not. */
export async function openPeers(options: Options, note: Sink["note"]): Promise<Map<Peer, MeasurePeer>> {
  const { backend, page } = options;
  const home = peersHome();
  const peers = new Map<Peer, MeasurePeer>();
  const native: readonly Peer[] = ["torch", "ort-node"];
  const asked = (options.peers ?? []).filter((peer) => backend !== "webgpu" || !native.includes(peer));
  install(
    home,
    asked.flatMap((peer) => packagesOf(peer, backend)),
    note,
  );
  for (const peer of asked) {
    if (peer === "torch") {
      const python = await findTorch(home);
      if (python) peers.set(peer, inPython(python, options));
      else
        note("torch is left out: no python3 with PyTorch here (apt-get install python3-torch, or pip install torch)\n");
    } else if (page && peer !== "ort-node") {
      peers.set(peer, await inTab(peer, home, options, note));
    } else {
      peers.set(peer, await inNode(peer, home, options));
    }
  }
  return peers;
}

// ---------------------------------------------------------------------------------------------

type Request = Omit<PeerRequest, "workloads" | "where">;

async function inNode(peer: Peer, home: string, options: Options): Promise<MeasurePeer> {
  const script = join(home, `nn-${peer}.mjs`);
  const code = `import { open } from "./peers/${peer}.mjs";
    import { benchPeer } from "./src/peer.ts";
    const line = (line) => console.log(JSON.stringify(line));
    await benchPeer(open, JSON.parse(process.argv[2]), { line, note: (text) => process.stderr.write(text) });
    process.exit(0);`;
  writeFileSync(script, await bundle(code, "node"));
  return async (workloads) => {
    const request: PeerRequest = { ...requestOf(options, join(home, "node_modules/")), workloads, where: NODE };
    return parseLines(await capture(process.execPath, [script, JSON.stringify(request)], { cwd: home }));
  };
}

async function inTab(peer: Peer, home: string, options: Options, note: Sink["note"]): Promise<MeasurePeer> {
  const code = `import { open } from "./peers/${peer}.mjs";
    import { benchPeer } from "./src/peer.ts";
    window.start = (request, where) => benchPeer(open, { ...request, where }, { line: window.line, note: window.note });`;
  const modules = join(home, "node_modules");
  const unused = options.backend === "webgpu" ? [] : ["@tensorflow/tfjs-backend-webgpu"];
  const script = await bundle(code, "browser", { modules, external: unused });
  return async (workloads) => {
    const lines: Line[] = [];
    const calls = { line: (line: Line) => void lines.push(line), note };
    const request: Omit<PeerRequest, "where"> = { ...requestOf(options, "/files/"), workloads };
    try {
      await inPage(script, request, { software: options.software, files: modules, calls });
    } catch (error) {
      note(`${peer}: ${error instanceof Error ? error.message : error}\n`);
    }
    return lines;
  };
}

function requestOf({ backend, threads, quick }: Options, files: string): Request {
  return { backend: backend === "webgpu" ? "webgpu" : "wasm", threads, quick, files, versions: wanted };
}

interface Python {
  readonly program: string;
  readonly env: NodeJS.ProcessEnv;
}

async function findTorch(home: string): Promise<Python | null> {
  // Debian's PyTorch is linked to a slow BLAS; OpenBLAS in this folder, if somebody put it there, comes before it.
  const [blas] = globSync("openblas/usr/lib/*/openblas-openmp", { cwd: home });
  const env = blas ? { LD_LIBRARY_PATH: join(home, blas) } : {};
  for (const program of ["python3", "/usr/bin/python3"]) {
    const found = await capture(program, ["-c", "import torch; print('yes')"], { env, quiet: true });
    if (found.startsWith("yes")) return { program, env };
  }
  return null;
}

function inPython({ program, env }: Python, { threads, quick }: Options): MeasurePeer {
  return async (workloads) => {
    const request = JSON.stringify({ workloads, threads, quick });
    const args = [join(PEERS_DIR, "pytorch.py"), request];
    return parseLines(await capture(program, args, { env: { ...env, OMP_NUM_THREADS: String(threads) } }));
  };
}

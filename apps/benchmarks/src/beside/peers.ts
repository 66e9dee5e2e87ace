/**
 * The peers: other libraries, installed outside of this project, and the scripts that measure them. Most scripts come
 * from a folder outside, too, with a program `run` that installs the libraries; for workloads that are not there ours
 * stand in `../../peers`, and are copied to where the libraries are, since they import from there.
 */
import { copyFileSync, existsSync, globSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import type { Options, Peer } from "../options.js";
import { PEER_SCRIPTS, ROOT } from "../paths.js";
import { type Line, parseLines } from "./lines.js";
import { capture } from "./process.js";

/** What our own scripts measure: the part after the library in their names, and the workloads. */
const own = [
  { script: "gemv", workloads: ["gemv1024", "gemv1024_t"] },
  { script: "mlp", workloads: ["train_mlp"] },
  { script: "resnet20", workloads: ["train_resnet20"] },
  { script: "mobilenet", workloads: ["infer_mobilenet", "infer_mobilenet_unfolded"] },
];

/** Models of our own scripts for ONNX Runtime, and what writes them. */
const onnx = [
  { model: "gemv1024", script: "ort_gemv_make.py" },
  { model: "mobilenet", script: "torch_mobilenet.py" },
];

export interface Peers {
  /** One library's results for these workloads; for those that it has no script for there are none. */
  measure(peer: Peer, workloads: readonly string[]): Promise<Line[]>;
}

/** The folder of the peers' scripts, or where it was looked for. */
export function findPeersDir(given: string | null, env: NodeJS.ProcessEnv): { dir: string } | { missing: string } {
  const shared = env.NN_SHARED ? resolve(env.NN_SHARED) : join(ROOT, "../shared");
  const dir = given ?? env.NN_PEERS_DIR ?? join(shared, "peers");
  const path = resolve(env.INIT_CWD ?? ".", dir);
  return existsSync(join(path, "run")) ? { dir: path } : { missing: path };
}

/** Installs the libraries, if they are not there, and our scripts beside them. */
export async function openPeers(dir: string, options: Pick<Options, "threads" | "quick">): Promise<Peers> {
  const home = resolve(process.env.NN_PEERS || join(homedir(), ".cache/nn-peers"));
  const env: NodeJS.ProcessEnv = {
    NN_PEERS: home,
    ONNX_DIR: join(home, "onnx"),
    THREADS: String(options.threads),
    OMP_NUM_THREADS: String(options.threads),
    ...(options.quick ? { QUICK: "1" } : {}),
  };
  const shared = (...args: string[]) => capture("bash", [join(dir, "run"), ...args], { env });
  await shared("--peers", "none"); // measures nothing, but installs
  for (const file of readdirSync(PEER_SCRIPTS)) copyFileSync(join(PEER_SCRIPTS, file), join(home, file));
  for (const { model, script } of onnx) {
    const file = join(home, `onnx/${model}.onnx`);
    if (!existsSync(file)) await capture(PYTHON, [script], { cwd: home, env: { ...env, EXPORT: file } });
  }

  return {
    async measure(peer, workloads) {
      const isOurs = (name: string) => own.some((group) => group.workloads.includes(name));
      const outputs: string[] = [];
      const theirs = workloads.filter((name) => !isOurs(name));
      if (theirs.length > 0) {
        const only = ["--peers", peer, "--only", theirs.join(",")];
        outputs.push(await shared(...only, "--threads", String(options.threads), "--node", process.execPath));
      }
      for (const group of own) {
        const file = `${kinds[peer].prefix}_${group.script}.${kinds[peer].python ? "py" : "mjs"}`;
        if (!group.workloads.some((name) => workloads.includes(name)) || !existsSync(join(home, file))) continue;
        const program = kinds[peer].python ? PYTHON : process.execPath;
        const extra = peer === "torch" ? { LD_LIBRARY_PATH: openblas(home) } : kinds[peer].env;
        outputs.push(await capture(program, [file], { cwd: home, env: { ...env, ...extra } }));
      }
      return parseLines(outputs.join("\n"), (name) => workloads.includes(name), peer);
    },
  };
}

// ---------------------------------------------------------------------------------------------

/** Debian's, which has Debian's PyTorch. */
const PYTHON = "/usr/bin/python3";

const kinds: Readonly<Record<Peer, { prefix: string; python?: true; env?: NodeJS.ProcessEnv }>> = {
  torch: { prefix: "torch", python: true },
  "ort-node": { prefix: "ort", env: { ORT: "node" } },
  "ort-web": { prefix: "ort", env: { ORT: "web" } },
  jax: { prefix: "jax" },
  tfjs: { prefix: "tfjs" },
};

/** Debian's PyTorch is linked to a slow BLAS; this folder before it on the path gives it OpenBLAS. */
function openblas(home: string): string {
  return globSync("openblas/usr/lib/*/openblas-openmp", { cwd: home }).map((path) => join(home, path))[0] ?? "";
}

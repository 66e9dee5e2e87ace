/** Installing the peers' packages into a folder of their own, where they are not there already. */
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import type { BackendName } from "../backend.js";
import type { Peer } from "../options.js";
import { PEERS_DIR } from "../paths.js";
import { UserError } from "../user-error.js";

/** `$NN_PEERS`, by default in the user's cache. */
export const peersHome = (env: NodeJS.ProcessEnv = process.env) =>
  resolve(env["NN_PEERS"] || join(homedir(), ".cache/nn-peers"));

/** The packages that a peer needs. */
export function packagesOf(peer: Peer, backend: BackendName): readonly string[] {
  switch (peer) {
    case "torch":
      return [];
    case "ort-node":
      return ["onnxruntime-node"];
    case "ort-web":
      return ["onnxruntime-web"];
    case "jax":
      return ["@jax-js/jax"];
    case "tfjs":
      return ["@tensorflow/tfjs", `@tensorflow/tfjs-backend-${backend === "webgpu" ? "webgpu" : "wasm"}`];
    default:
      return peer satisfies never;
  }
}

/** The versions that stand in `peers/package.json`. */
export const wanted: Readonly<Record<string, string>> = JSON.parse(
  readFileSync(join(PEERS_DIR, "package.json"), "utf8"),
).dependencies;

/** Of these packages those that are not in the folder, in the version that is wanted. */
export function missing(home: string, packages: readonly string[]): string[] {
  return packages.filter((name) => {
    const manifest = join(home, "node_modules", name, "package.json");
    return !existsSync(manifest) || JSON.parse(readFileSync(manifest, "utf8")).version !== wanted[name];
  });
}

/**
 * Installs all packages, if one of these is missing.
 *
 * @throws UserError if npm fails
 */
export function install(home: string, packages: readonly string[], note: (text: string) => void): void {
  const needed = missing(home, packages);
  if (needed.length === 0) return;
  note(`installing ${needed.join(", ")} into ${home} …\n`);
  mkdirSync(home, { recursive: true });
  copyFileSync(join(PEERS_DIR, "package.json"), join(home, "package.json"));
  const { status, error } = spawnSync("npm", ["install", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: home,
    env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: "skip", ONNXRUNTIME_NODE_INSTALL_CUDA: "skip" },
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  });
  if (status === 0 && missing(home, packages).length === 0) return;
  throw new UserError(
    `The peers could not be installed into ${home} (npm install: ${error?.message ?? `exit code ${status}`}).`,
  );
}

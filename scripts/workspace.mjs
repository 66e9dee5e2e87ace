/** What the scripts share: the workspace's packages, and running a program in it with its tools on the path. */
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's root, with a slash at its end. */
export const root = fileURLToPath(new URL("..", import.meta.url));

/** @typedef {{ name: string, dir: string, private: boolean, dependencies: string[], devDependencies: string[] }} Package */

/**
 * The workspace's packages, from the folders that have a package.json.
 * @returns {Package[]}
 */
export function packages() {
  return ["packages", "apps"].flatMap((group) =>
    readdirSync(join(root, group))
      .map((name) => `${group}/${name}`)
      .filter((dir) => existsSync(join(root, dir, "package.json")))
      .map((dir) => {
        const m = manifest(join(root, dir));
        return {
          name: m.name,
          dir,
          private: m.private ?? false,
          dependencies: Object.keys({ ...m.dependencies, ...m.peerDependencies }),
          devDependencies: Object.keys(m.devDependencies ?? {}),
        };
      }),
  );
}

/**
 * @param {string} dir
 * @returns {Record<string, any>} its package.json
 */
export const manifest = (dir) => JSON.parse(readFileSync(join(dir, "package.json"), "utf8"));

/**
 * Runs a program at the root, with the workspace's tools first on the path: `node` is the workspace's Node 24.
 * @param {string} command
 * @param {string[]} args
 * @param {{ capture?: boolean, cwd?: string, env?: NodeJS.ProcessEnv }} [options] `capture` keeps what it writes
 * @returns {Promise<{ code: number, output: string }>} an exit by a signal has the shell's code, 128 + number
 */
export function run(command, args, { capture = false, cwd = root, env = {} } = {}) {
  const child = spawn(command, args, {
    cwd,
    stdio: capture ? ["ignore", "pipe", "pipe"] : "inherit",
    shell: process.platform === "win32",
    env: {
      ...process.env,
      PATH: join(root, "node_modules/.bin") + delimiter + process.env.PATH,
      TURBO_TELEMETRY_DISABLED: "1",
      TURBO_NO_UPDATE_NOTIFIER: "1",
      DO_NOT_TRACK: "1",
      ...env,
    },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding("utf8").on("data", (text) => (output += text));

  // A terminal sends Ctrl-C to the child as well; any other signal reaches only us. Either way we end after the child.
  /** @param {NodeJS.Signals} signal */
  const forward = (signal) => {
    if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
  };
  /** @type {NodeJS.Signals[]} */
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) process.on(signal, forward);
  // npm hands a signal to the shell between it and us, which dies of it and tells nobody: seen as a change of parent.
  const parent = process.ppid;
  const orphaned = setInterval(() => process.ppid !== parent && child.kill(), 500);

  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      for (const s of signals) process.off(s, forward);
      clearInterval(orphaned);
      resolve({ code: code ?? 128 + (signal ? constants.signals[signal] : 1), output });
    });
  });
}

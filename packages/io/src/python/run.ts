// Runs a script beside the tests with Debian's Python, where it has what the script imports.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const PYTHON = "/usr/bin/python3";

/** Why scripts that import `module` cannot run here; `undefined` if they can. Also printed, one line. */
export function whyNot(module: string): string | undefined {
  const { status } = spawnSync(PYTHON, ["-c", `import ${module}`], { stdio: "ignore" });
  if (status === 0) return undefined;
  const reason = `skipped: ${PYTHON} has no ${module} (Debian: apt install python3-${module})`;
  console.log(`packages/io, round trip with ${module}: ${reason}`);
  return reason;
}

/** Runs a script of this folder; an error with what it printed, if it fails. */
export function python(script: string, ...args: string[]): void {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const { status, stdout, stderr, error } = spawnSync(PYTHON, [path, ...args], { encoding: "utf8" });
  if (status !== 0) throw new Error(`${script} ended with ${status}:\n${stdout}\n${stderr}`, { cause: error });
}

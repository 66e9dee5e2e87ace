/** For tests alone: running the command, and where the real data sets may lie. Those are no part of the project, and tests do without them. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cli } from "./cli.js";

const shared = process.env.NN_SHARED || fileURLToPath(new URL("../../../../shared", import.meta.url));

/** The folder of a data set, or why a test that wants it is skipped. */
export function realData(name: string): { readonly folder: string; readonly missing: string | undefined } {
  const folder = join(shared, "data", name);
  return { folder, missing: existsSync(folder) ? undefined : `no ${folder} (NN_SHARED says where to look)` };
}

/** Runs the command in a folder, and returns its exit code and what it wrote. */
export const commandIn =
  (folder: string) =>
  async (...args: string[]) => {
    const written = { stdout: "", stderr: "" };
    const into = (name: keyof typeof written) => ({
      write: (chunk: string | Uint8Array) => {
        written[name] += chunk;
        return true;
      },
    });
    const code = await cli(args, { folder, stdout: into("stdout"), stderr: into("stderr") });
    return { code, ...written };
  };

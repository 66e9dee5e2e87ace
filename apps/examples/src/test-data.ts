/** For tests alone: where the real data sets may lie. They are no part of the project, and tests do without them. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const shared = process.env.NN_SHARED || fileURLToPath(new URL("../../../../shared", import.meta.url));

/** The folder of a data set, or why a test that wants it is skipped. */
export function realData(name: string): { readonly folder: string; readonly missing: string | undefined } {
  const folder = join(shared, "data", name);
  return { folder, missing: existsSync(folder) ? undefined : `no ${folder} (NN_SHARED says where to look)` };
}

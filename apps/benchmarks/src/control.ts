/** `--control`: runs the control in AssemblyScript, which is no part of the bundle, in a process of its own. */
import { spawnSync } from "node:child_process";
import { CONTROL } from "./paths.js";

/** @returns its exit code */
export function control(): number {
  return spawnSync(process.execPath, [CONTROL], { stdio: "inherit" }).status ?? 1;
}

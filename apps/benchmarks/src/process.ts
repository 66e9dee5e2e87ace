/** Our workloads in this process. */
import { existsSync } from "node:fs";
import type { Look, Sink } from "./bench.js";
import type { Options } from "./options.js";
import type { Where } from "./result.js";
import { runWorkloads } from "./run.js";
import { UserError } from "./user-error.js";

export const NODE: Where = { where: "node", where_version: process.versions.node };

/** @returns how many workloads there were */
export async function ours(options: Options, sink: Sink, look?: Look): Promise<number> {
  if (options.software) softwareVulkan();
  return runWorkloads(options, NODE, sink, look);
}

// ---------------------------------------------------------------------------------------------

const CHROMIUM = "/usr/lib/chromium";

/** Lets WebGPU find the Vulkan loader and the SwiftShader that Debian's chromium brings along. */
function softwareVulkan(): void {
  const driver = `${CHROMIUM}/vk_swiftshader_icd.json`;
  if (!existsSync(driver)) throw new UserError(`--software needs ${driver}: apt-get install chromium (Debian).`);
  process.env.VK_DRIVER_FILES ??= driver;
  process.env.XDG_RUNTIME_DIR ??= "/tmp"; // else the loader complains
  try {
    // No module of Node, which is an error, but the library then stays in the process and is found by its name.
    const [RTLD_LAZY, RTLD_NODELETE] = [2, 0x1000];
    process.dlopen({ exports: {} }, `${CHROMIUM}/libvulkan.so.1`, RTLD_LAZY | RTLD_NODELETE);
  } catch {}
}

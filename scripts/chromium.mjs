/** Where this machine's Chromium is: browser tests use the installed one and download none. */
import { accessSync, constants } from "node:fs";

const places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

export const noChromium = "browser tests skipped: no Chromium found (apt-get install chromium, or set NN_CHROMIUM)";

/**
 * For a machine without a screen, without a user, without a GPU (WebGPU in software, which compiles faster if the driver
 * need not clear the memory of workgroups), and without asking the network for anything.
 */
export const chromiumArgs = [
  "--no-sandbox",
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--disable-dawn-features=use_vulkan_zero_initialize_workgroup_memory_extension",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/**
 * The path of an executable Chromium: what `NN_CHROMIUM` says (a path that is none switches browser tests off), else one
 * of the usual places.
 * @returns {string | undefined}
 */
export function findChromium() {
  const { NN_CHROMIUM } = process.env;
  return (NN_CHROMIUM ? [NN_CHROMIUM] : places).find(isExecutable);
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

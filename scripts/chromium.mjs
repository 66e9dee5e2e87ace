/** Where this machine's Chromium is: browser tests use the installed one and download none. */
import { accessSync, constants } from "node:fs";

const places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

export const noChromium = "browser tests skipped: no Chromium found (apt-get install chromium, or set NN_CHROMIUM)";

/** @returns {string | undefined} the path of an executable Chromium: `NN_CHROMIUM`, else one of the usual places */
export function findChromium() {
  return [process.env.NN_CHROMIUM, ...places].find((path) => path && isExecutable(path));
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

// Training steps, random networks and failures on WebGPU in a browser, once, as it is the same on both kinds of page.

import { inject, it } from "vitest";

if (inject("isolated")) it.skip("on the other page", () => undefined);
else {
  for (const load of [
    () => import("./steps.test.js"),
    () => import("./networks.test.js"),
    () => import("./lost.test.js"),
    () => import("./self-test.test.js"),
    () => import("./ready.test.js"),
  ])
    await load();
}

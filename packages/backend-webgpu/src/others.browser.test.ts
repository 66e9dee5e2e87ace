// What else is tested on a device, in a browser: errors come at other times there than in Node.

import { inject, it } from "vitest";

if (inject("isolated")) it.skip("on the other page", () => undefined);
else
  for (const load of [
    () => import("./lost.test.js"),
    () => import("./steps.test.js"),
    () => import("./kernels.test.js"),
    () => import("./networks.test.js"),
  ])
    await load();

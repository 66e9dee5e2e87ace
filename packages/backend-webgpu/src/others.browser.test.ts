// What else is tested on a device, in a browser: errors come at other times there than in Node.

import { inject, it } from "vitest";

if (inject("isolated")) it.skip("on the other page", () => undefined);
else {
  await import("./kernels.test.js");
  await import("./variants.test.js");
}

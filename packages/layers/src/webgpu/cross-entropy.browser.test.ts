// The pack in a browser, once, as WebGPU is the same on both kinds of page.

import { inject, it } from "vitest";

if (inject("isolated")) it.skip("on the other page", () => undefined);
else await import("./cross-entropy.test.js");

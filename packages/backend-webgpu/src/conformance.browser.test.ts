// The suite that every backend passes, in a browser: once, as WebGPU is the same on both kinds of page.

import { backends, testBackend, whyNoWebgpu } from "@nn/testing";
import { describe, inject, it } from "vitest";

const missing = inject("isolated") ? "it runs on the other page" : await whyNoWebgpu();
if (missing) it.skip(`webgpu skipped: ${missing}`, () => undefined);
else describe("webgpu", () => testBackend(backends["webgpu"]!));

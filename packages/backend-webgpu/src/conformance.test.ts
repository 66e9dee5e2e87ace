// The suite that every backend passes, on this machine's GPU or on SwiftShader.

import { backends, testBackend, whyNoWebgpu } from "@nn/testing";
import { it } from "vitest";

const missing = await whyNoWebgpu();
if (missing) it.skip(`webgpu skipped: ${missing}`, () => undefined);
else testBackend(backends["webgpu"]!);

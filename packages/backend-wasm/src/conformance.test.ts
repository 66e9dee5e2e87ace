// The suite that every backend passes: with and without fused multiply-add, with one thread and with two that share
// all there is to share.

import { backends, testBackend, wasmVariants } from "@nn/testing";
import { describe } from "vitest";

for (const name of [...wasmVariants.alone, ...wasmVariants.shared]) describe(name, () => testBackend(backends[name]!));

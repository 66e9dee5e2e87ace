// The suite that every backend passes: with and without fused multiply-add, with one thread and with two that share
// all there is to share, with and without other packages' kernels.

import { backends, testBackend, wasmVariants } from "@nn/testing";
import { describe } from "vitest";

for (const name of Object.values(wasmVariants).flat()) describe(name, () => testBackend(backends[name]!));

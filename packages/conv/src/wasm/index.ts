// @nn/conv/wasm: kernels of convolution and max-pooling for the WebAssembly backend. How they work, and what was tried,
// is in README.md beside this file.

import type { WasmKernel } from "@nn/backend-wasm";
import { conv, convInputGrad } from "./conv.js";
import { maxPool, maxPoolGrad } from "./max-pool.js";
import { convWeightGrad } from "./weight-grad.js";

/**
 * All of them, for 2 spatial axes. What they have no code for, or are no faster at, runs as the op's lowering.
 *
 * @example
 * ```ts
 * setBackend(await wasm({ kernels: convKernels }));
 * ```
 */
export const convKernels: readonly WasmKernel[] = [conv, convInputGrad, convWeightGrad, maxPool, maxPoolGrad];

/** Single ones: to run a trained network, `conv` and `maxPool` are enough. */
export { conv, convInputGrad, convWeightGrad, maxPool, maxPoolGrad };

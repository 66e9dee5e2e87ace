// @nn/conv/wasm: kernels of convolution and max-pooling for the WebAssembly backend. How they work, and what was tried,
// is in README.md beside this file.

import type { WasmKernel } from "@nn/backend-wasm";
import { conv, convInputGrad } from "./conv.js";
import { maxPool, maxPoolGrad } from "./max-pool.js";
import { convWeightGrad } from "./weight-grad.js";
import { winogradWeightGrad } from "./winograd/weight-grad.js";
import { winogradConv, winogradInputGrad } from "./winograd/winograd.js";

/**
 * All of them, for 2 spatial axes. What they have no code for, or are no faster at, runs as the op's lowering.
 *
 * 3 × 3 convolutions of stride 1 run as Winograd's F(4 × 4, 3 × 3), whose rounding error is about 4 times that of the
 * direct way (README.md); {@link directConvKernels} is the pack without it.
 *
 * @example
 * ```ts
 * setBackend(await wasm({ kernels: convKernels }));
 * ```
 */
export const convKernels: readonly WasmKernel[] = [
  winogradConv,
  winogradInputGrad,
  winogradWeightGrad,
  conv,
  convInputGrad,
  convWeightGrad,
  maxPool,
  maxPoolGrad,
];

/** {@link convKernels} without Winograd: for results as exact as sums of products are. */
export const directConvKernels: readonly WasmKernel[] = [conv, convInputGrad, convWeightGrad, maxPool, maxPoolGrad];

/** Single ones: to run a trained network, `winogradConv`, `conv` and `maxPool` are enough. */
export {
  conv,
  convInputGrad,
  convWeightGrad,
  maxPool,
  maxPoolGrad,
  winogradConv,
  winogradInputGrad,
  winogradWeightGrad,
};

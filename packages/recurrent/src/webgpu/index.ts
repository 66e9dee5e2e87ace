// @nn/recurrent/webgpu: kernels of the loops of RNN, GRU and LSTM for the WebGPU backend. How they work is in README.md beside
// this file.

import type { WgslKernel } from "@nn/backend-webgpu";
import {
  gruLoop,
  gruLoopGrad,
  gruLoopSaving,
  lstmLoop,
  lstmLoopGrad,
  lstmLoopSaving,
  rnnLoop,
  rnnLoopGrad,
} from "./cells.js";

/**
 * All of them. What they have no code for (projections, cells of your own) runs as the unrolled loop.
 *
 * @example
 * ```ts
 * setBackend(await webgpu({ kernels: recurrentKernels }));
 * ```
 */
export const recurrentKernels: readonly WgslKernel[] = [
  lstmLoop,
  lstmLoopSaving,
  lstmLoopGrad,
  gruLoop,
  gruLoopSaving,
  gruLoopGrad,
  rnnLoop,
  rnnLoopGrad,
];

/** Single ones: to run a trained network, those without `Saving` and `Grad` are enough. */
export { gruLoop, gruLoopGrad, gruLoopSaving, lstmLoop, lstmLoopGrad, lstmLoopSaving, rnnLoop, rnnLoopGrad };

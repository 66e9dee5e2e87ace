// @nn/recurrent/wasm: kernels of the loops of RNN, GRU and LSTM for the WebAssembly backend. How they work, and what was
// tried, is in README.md beside this file.

import { scanKernel, sortKernel, type WasmKernel } from "@nn/backend-wasm";
import { gruLoop, gruLoopGrad, gruLoopSaving } from "./gru.js";
import { lstmLoop, lstmLoopGrad, lstmLoopSaving } from "./lstm.js";
import { raggedProduct, raggedWeightGrad } from "./ragged.js";
import { rnnLoop, rnnLoopGrad } from "./rnn.js";

/**
 * All of them; the loop of `scan`, for cells of your own and what these have no code for; and sorting, for `sample` and `topK`.
 *
 * @example
 * ```ts
 * setBackend(await wasm({ kernels: recurrentKernels }));
 * ```
 */
export const recurrentKernels: readonly WasmKernel[] = [
  lstmLoop,
  lstmLoopSaving,
  lstmLoopGrad,
  gruLoop,
  gruLoopSaving,
  gruLoopGrad,
  rnnLoop,
  rnnLoopGrad,
  raggedProduct,
  raggedWeightGrad,
  scanKernel,
  sortKernel,
];

/** Single ones: to run a trained network, those without `Saving` and `Grad` are enough. */
export {
  gruLoop,
  gruLoopGrad,
  gruLoopSaving,
  lstmLoop,
  lstmLoopGrad,
  lstmLoopSaving,
  raggedProduct,
  raggedWeightGrad,
  rnnLoop,
  rnnLoopGrad,
};

// @nn/conv/webgpu: kernels of convolution and pooling for the WebGPU backend. What they do is in README.md beside this file.

import type { WgslKernel } from "@nn/backend-webgpu";
import { conv, convInputGrad, convWeightGrad } from "./conv.js";
import { directConv, directConvInputGrad, directConvWeightGrad } from "./direct.js";
import { avgPool, avgPoolGrad, maxPool, maxPoolGrad, maxPoolIndices } from "./pool.js";

/**
 * All of them, for 1 to 3 spatial axes. What they have no code for runs as the op's lowering.
 *
 * @example
 * ```ts
 * setBackend(await webgpu({ kernels: convKernels }));
 * ```
 */
export const convKernels: readonly WgslKernel[] = [
  directConv,
  directConvInputGrad,
  directConvWeightGrad,
  conv,
  convInputGrad,
  convWeightGrad,
  maxPool,
  maxPoolGrad,
  maxPoolIndices,
  avgPool,
  avgPoolGrad,
];

/** Single ones: to run a trained network, `directConv`, `conv`, `maxPool` and `avgPool` are enough. */
export {
  avgPool,
  avgPoolGrad,
  conv,
  convInputGrad,
  convWeightGrad,
  directConv,
  directConvInputGrad,
  directConvWeightGrad,
  maxPool,
  maxPoolGrad,
  maxPoolIndices,
};

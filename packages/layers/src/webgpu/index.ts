// @nn/layers/webgpu: kernels of normalisation and of cross entropy for the WebGPU backend.

import type { WgslKernel } from "@nn/backend-webgpu";
import { batchNorm, batchNormGrad } from "./batch-norm.js";
import { crossEntropyGrad, crossEntropyKernel } from "./cross-entropy.js";

/**
 * BatchNorm in training and its gradient, of which LayerNorm, GroupNorm and InstanceNorm are made, too; cross entropy of class
 * numbers and its gradient.
 *
 * @example
 * ```ts
 * setBackend(await webgpu({ kernels: layerKernels }));
 * ```
 */
export const layerKernels: readonly WgslKernel[] = [batchNorm, batchNormGrad, crossEntropyKernel, crossEntropyGrad];

export { batchNorm, batchNormGrad, crossEntropyGrad, crossEntropyKernel };

// @nn/layers/webgpu: kernels of normalisation for the WebGPU backend.

import type { WgslKernel } from "@nn/backend-webgpu";
import { batchNorm, batchNormGrad } from "./batch-norm.js";

/**
 * BatchNorm in training and its gradient; LayerNorm, GroupNorm and InstanceNorm are made of the same ops.
 *
 * @example
 * ```ts
 * setBackend(await webgpu({ kernels: layerKernels }));
 * ```
 */
export const layerKernels: readonly WgslKernel[] = [batchNorm, batchNormGrad];

export { batchNorm, batchNormGrad };

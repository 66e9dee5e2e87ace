// @nn/conv: convolution and pooling. What is exported here is public.

export {
  type ConvAttrs,
  type ConvInputGradAttrs,
  type ConvOptions,
  type ConvPadding,
  type ConvWeightGradAttrs,
  conv,
  convInputGradOp,
  convOp,
  convWeightGradOp,
} from "./conv/conv.js";
export { Conv1d, Conv2d, Conv3d, type ConvLayerOptions, type PaddingMode } from "./conv/layers.js";
export { type AvgPoolAttrs, type AvgPoolOptions, avgPool, avgPoolGradOp, avgPoolOp } from "./pool/avg-pool.js";
export { AvgPool1d, AvgPool2d, AvgPool3d, MaxPool1d, MaxPool2d, MaxPool3d } from "./pool/layers.js";
export { type MaxPoolOptions, maxPool, maxPoolGradOp, maxPoolIndicesOp, maxPoolOp } from "./pool/max-pool.js";
export { type PoolAttrs, type PoolOptions, pooledSizes } from "./pool/windows.js";
export { outputSizes, type Size, type Windows } from "./spatial.js";

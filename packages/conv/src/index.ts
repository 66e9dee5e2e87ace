// @nn/conv: convolution and pooling.

export { Conv1d, Conv2d, Conv3d, type ConvLayerOptions, type ConvOptions, conv } from "./conv/conv.js";
export { type ConvAttrs, convInputGradOp, convOp, convWeightGradOp, outputSizes } from "./conv/op.js";
export { type AvgPoolAttrs, avgPoolOp, maxPoolGradOp, maxPoolOp, type PoolAttrs, pooledSizes } from "./pool/op.js";
export {
  AvgPool1d, AvgPool2d, AvgPool3d, type AvgPoolOptions, avgPool, MaxPool1d, MaxPool2d, MaxPool3d, type MaxPoolOptions, maxPool, type PoolOptions,
} from "./pool/pool.js";
export type { Size } from "./sizes.js";

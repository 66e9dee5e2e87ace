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
export {
  DepthwiseConv1d,
  DepthwiseConv2d,
  type DepthwiseOptions,
  SeparableConv1d,
  SeparableConv2d,
} from "./conv/separable.js";
export { type ConvTransposeOptions, convTranspose } from "./conv/transposed.js";
export {
  ConvTranspose1d,
  ConvTranspose2d,
  ConvTranspose3d,
  type ConvTransposeLayerOptions,
} from "./conv/transposed-layers.js";
export { ConvLSTM1d, ConvLSTM2d, type ConvLSTMOptions, type ConvLSTMState } from "./conv-lstm/conv-lstm.js";
export {
  CircularPad1d,
  CircularPad2d,
  CircularPad3d,
  ConstantPad1d,
  ConstantPad2d,
  ConstantPad3d,
  ReflectionPad1d,
  ReflectionPad2d,
  ReflectionPad3d,
  ReplicationPad1d,
  ReplicationPad2d,
  ReplicationPad3d,
  ZeroPad1d,
  ZeroPad2d,
  ZeroPad3d,
} from "./padding.js";
export {
  type AdaptiveSize,
  adaptiveAvgPool,
  adaptiveMaxPool,
  adaptiveMaxPoolWithIndices,
} from "./pool/adaptive.js";
export {
  AdaptiveAvgPool1d,
  AdaptiveAvgPool2d,
  AdaptiveAvgPool3d,
  AdaptiveMaxPool1d,
  AdaptiveMaxPool2d,
  AdaptiveMaxPool3d,
} from "./pool/adaptive-layers.js";
export { type AvgPoolAttrs, type AvgPoolOptions, avgPool, avgPoolGradOp, avgPoolOp } from "./pool/avg-pool.js";
export { AvgPool1d, AvgPool2d, AvgPool3d, MaxPool1d, MaxPool2d, MaxPool3d } from "./pool/layers.js";
export { LPPool1d, LPPool2d, LPPool3d, type LPPoolOptions, lpPool } from "./pool/lp-pool.js";
export {
  type MaxPoolOptions,
  maxPool,
  maxPoolGradOp,
  maxPoolIndicesOp,
  maxPoolOp,
  maxPoolWithIndices,
} from "./pool/max-pool.js";
export { MaxUnpool1d, MaxUnpool2d, MaxUnpool3d, type MaxUnpoolOptions, maxUnpool } from "./pool/max-unpool.js";
export { type PoolAttrs, type PoolOptions, pooledSizes } from "./pool/windows.js";
export { type InterpolateMode, type InterpolateOptions, interpolate } from "./resize/interpolate.js";
export {
  PixelShuffle,
  PixelUnshuffle,
  Upsample,
  UpsamplingBilinear2d,
  UpsamplingNearest2d,
} from "./resize/layers.js";
export { pixelShuffle, pixelUnshuffle } from "./resize/pixel-shuffle.js";
export { outputSizes, type Size, type Windows } from "./spatial.js";
export { Fold, fold, Unfold, type UnfoldOptions, unfold } from "./unfold.js";

// @nn/layers: layers and losses that are not convolution or recurrence.

export * from "./activations.js";
export { Identity, type Layer, ModuleList, Sequential } from "./containers.js";
export { Dropout, dropout } from "./dropout.js";
export { Embedding, type EmbeddingOptions } from "./embedding.js";
export { Flatten } from "./flatten.js";
export { type Fan, init, type KaimingOptions, type Nonlinearity, type XavierOptions } from "./init.js";
export { Linear, type LinearOptions } from "./linear.js";
export {
  BCELoss,
  BCEWithLogitsLoss,
  type BinaryCrossEntropyOptions,
  type BinaryCrossEntropyWithLogitsOptions,
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
} from "./losses/binary-cross-entropy.js";
export {
  CrossEntropyLoss,
  type CrossEntropyOptions,
  crossEntropy,
  NLLLoss,
  type NLLLossOptions,
  nllLoss,
} from "./losses/cross-entropy.js";
export { KLDivLoss, type KLDivOptions, klDiv } from "./losses/kl-divergence.js";
export type { LossOptions, Reduction } from "./losses/reduction.js";
export {
  HuberLoss,
  type HuberOptions,
  huber,
  L1Loss,
  l1,
  MSELoss,
  mse,
  SmoothL1Loss,
  type SmoothL1Options,
  smoothL1,
} from "./losses/regression.js";
export {
  BatchNorm1d,
  BatchNorm2d,
  BatchNorm3d,
  type BatchNormOptions,
  LayerNorm,
  type LayerNormOptions,
} from "./norms.js";
export { uniformParameter } from "./parameter.js";

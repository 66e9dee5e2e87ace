// @nn/layers: layers and losses that are not convolution or recurrence.

export * from "./activations.js";
export type { Attended } from "./attention/attend.js";
export {
  MultiheadAttention,
  type MultiheadAttentionOptions,
  type MultiheadForwardOptions,
} from "./attention/multihead.js";
export { type ScaledDotProductOptions, scaledDotProductAttention } from "./attention/scaled-dot-product.js";
export {
  AdditiveAttention,
  type AdditiveAttentionOptions,
  DotAttention,
  type DotAttentionOptions,
  type SequenceAttentionOptions,
} from "./attention/sequence.js";
export { Bilinear, type BilinearOptions } from "./bilinear.js";
export { Identity, type Layer, ModuleDict, ModuleList, Residual, Sequential } from "./containers.js";
export * from "./dropout.js";
export { Embedding, type EmbeddingOptions } from "./embedding.js";
export { type Bags, EmbeddingBag, type EmbeddingBagOptions } from "./embedding-bag.js";
export { Flatten } from "./flatten.js";
export { type Fan, init, type KaimingOptions, type Nonlinearity, type XavierOptions } from "./init.js";
export type { OrthogonalOptions, SparseOptions, TruncNormalOptions } from "./init-structured.js";
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
export { CTCLoss, type CTCLossOptions, ctcLoss, type Lengths } from "./losses/ctc.js";
export {
  CosineEmbeddingLoss,
  type CosineEmbeddingOptions,
  cosineEmbedding,
  type PairwiseDistanceOptions,
  pairwiseDistance,
  TripletMarginLoss,
  type TripletMarginOptions,
  tripletMargin,
} from "./losses/distance.js";
export {
  FocalLoss,
  type FocalOptions,
  focal,
  SigmoidFocalLoss,
  type SigmoidFocalOptions,
  sigmoidFocal,
} from "./losses/focal.js";
export { KLDivLoss, type KLDivOptions, klDiv } from "./losses/kl-divergence.js";
export {
  GaussianNLLLoss,
  type GaussianNLLOptions,
  gaussianNLL,
  PoissonNLLLoss,
  type PoissonNLLOptions,
  poissonNLL,
} from "./losses/likelihood.js";
export {
  HingeEmbeddingLoss,
  hingeEmbedding,
  type MarginOptions,
  MarginRankingLoss,
  marginRanking,
  SoftMarginLoss,
  softMargin,
} from "./losses/margin.js";
export { MDNLoss, type MDNLossOptions, type Mixture, type MixtureOptions, mdn, mixtureOf } from "./losses/mdn.js";
export {
  MultiLabelMarginLoss,
  MultiLabelSoftMarginLoss,
  type MultiLabelSoftMarginOptions,
  MultiMarginLoss,
  type MultiMarginOptions,
  multiLabelMargin,
  multiLabelSoftMargin,
  multiMargin,
} from "./losses/multi-margin.js";
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
export { BatchNorm1d, BatchNorm2d, BatchNorm3d, type BatchNormOptions } from "./norms/batch-norm.js";
export { type BatchNormAttrs, batchNormGradOp, batchNormOp } from "./norms/batch-norm-op.js";
export { GroupNorm, type GroupNormOptions, groupNorm } from "./norms/group-norm.js";
export { InstanceNorm1d, InstanceNorm2d, InstanceNorm3d, type InstanceNormOptions } from "./norms/instance-norm.js";
export { LayerNorm, type LayerNormOptions } from "./norms/layer-norm.js";
export { LocalResponseNorm, type LocalResponseNormOptions, localResponseNorm } from "./norms/local-response-norm.js";
export { RMSNorm, type RMSNormOptions } from "./norms/rms-norm.js";
export { type UpdateBatchNormOptions, updateBatchNorm } from "./norms/update-batch-norm.js";
export { uniformParameter } from "./parameter.js";
export { type CosineSimilarityOptions, cosineSimilarity, type NormalizeOptions, normalize } from "./similarity.js";

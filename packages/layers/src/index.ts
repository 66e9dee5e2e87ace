// @nn/layers: layers and losses that are not convolution or recurrence.

export * from "./activations.js";
export { Flatten, Identity, type Layer, ModuleList, Sequential } from "./containers.js";
export { Dropout, dropout } from "./dropout.js";
export { Embedding, type EmbeddingOptions } from "./embedding.js";
export * as init from "./init.js";
export { Linear, type LinearOptions } from "./linear.js";
export * from "./losses.js";
export {
  BatchNorm1d, BatchNorm2d, BatchNorm3d, type BatchNormOptions, LayerNorm, type LayerNormOptions,
} from "./norms.js";

// @nn/optim: optimisers and clipping.

export { Adam, type AdamOptions, AdamW } from "./adam.js";
export { type ClipGradNormOptions, clipGradNorm, clipGradValue } from "./clip.js";
export { Group, type OptimizerOptions, type ParameterGroup, type Params, type Slots } from "./group.js";
export { type MinimizeOptions, Optimizer } from "./optimizer.js";
export { SGD, type SGDOptions } from "./sgd.js";

// @nn/optim: optimisers and clipping.

export { Adam, type AdamOptions, AdamW } from "./adam.js";
export { clipGradNorm, clipGradValue } from "./clip.js";
export { type Group, type MinimizeOptions, Optimizer, type OptimizerOptions, type ParameterGroup } from "./optimizer.js";
export { SGD, type SGDOptions } from "./sgd.js";

// @nn/optim: optimisers and clipping.

export { Adadelta, type AdadeltaOptions } from "./adadelta.js";
export { Adagrad, type AdagradOptions } from "./adagrad.js";
export { Adam, type AdamOptions, AdamW } from "./adam.js";
export { Adamax, type AdamaxOptions } from "./adamax.js";
export { type ClipGradNormOptions, clipGradNorm, clipGradValue } from "./clip.js";
export { Group, type OptimizerOptions, type ParameterGroup, type Params, type Slots } from "./group.js";
export { NAdam, type NAdamOptions } from "./nadam.js";
export { type MinimizeOptions, Optimizer } from "./optimizer.js";
export { RAdam, type RAdamOptions } from "./radam.js";
export { RMSprop, type RMSpropOptions } from "./rmsprop.js";
export { Rprop, type RpropOptions } from "./rprop.js";
export { SGD, type SGDOptions } from "./sgd.js";

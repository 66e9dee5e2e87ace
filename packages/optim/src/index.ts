// @nn/optim: optimisers, schedules, clipping, averages of weights.

export { type AccumulateOptions, GradientAccumulator } from "./accumulate.js";
export { Adadelta, type AdadeltaOptions } from "./adadelta.js";
export { Adagrad, type AdagradOptions } from "./adagrad.js";
export { Adam, type AdamOptions, AdamW } from "./adam.js";
export { Adamax, type AdamaxOptions } from "./adamax.js";
export {
  AveragedModel,
  type AveragedModelOptions,
  type AverageFn,
  ExponentialMovingAverage,
} from "./averaged.js";
export { type ClipGradNormOptions, clipEachGradNorm, clipGradNorm, clipGradValue } from "./clip.js";
export { GradScaler, type GradScalerOptions } from "./grad-scaler.js";
export { Group, type OptimizerOptions, type ParameterGroup, type Params, type Slots } from "./group.js";
export { Lion, type LionOptions } from "./lion.js";
export { Muon, type MuonOptions } from "./muon.js";
export { NAdam, type NAdamOptions } from "./nadam.js";
export { type MinimizeOptions, Optimizer } from "./optimizer.js";
export { RAdam, type RAdamOptions } from "./radam.js";
export { RMSprop, type RMSpropOptions } from "./rmsprop.js";
export { Rprop, type RpropOptions } from "./rprop.js";
export { ChainedScheduler, SequentialLR, type SequentialLROptions } from "./schedules/compose.js";
export { CosineAnnealingLR, CosineAnnealingWarmRestarts } from "./schedules/cosine.js";
export { CyclicLR, type CyclicLROptions, OneCycleLR, type OneCycleLROptions } from "./schedules/cycle.js";
export { LambdaLR, type LambdaOptions, MultiplicativeLR } from "./schedules/lambda.js";
export { type PlateauOptions, type PlateauState, ReduceLROnPlateau } from "./schedules/plateau.js";
export { ConstantLR, LinearLR, PolynomialLR } from "./schedules/ramp.js";
export { LRScheduler, type ScheduleState } from "./schedules/scheduler.js";
export { ExponentialLR, MultiStepLR, StepLR } from "./schedules/step.js";
export { SWALR } from "./schedules/swa.js";
export { SGD, type SGDOptions } from "./sgd.js";

// The options of fit.

import type { GradScaler, Optimizer } from "@nn/optim";
import { type CompileOptions, fail } from "@nn/tensor";
import type { CallbackLike } from "../callbacks/callback.js";
import type { Monitor } from "../callbacks/monitor.js";
import { checkWhole } from "../check.js";
import type { Checkpoint } from "../checkpoint/checkpoint.js";
import type { Data } from "../data/loader.js";
import type { Metrics } from "./evaluate.js";
import type { Loss, Weighting } from "./loss.js";
import type { Scheduling } from "./schedule.js";
import type { Clip } from "./step.js";

/** Options of {@link fit}. */
export interface FitOptions extends Omit<Weighting, "classWeights">, Scheduling, CompileOptions {
  /** Of output and target, e.g. `crossEntropy`; of the output alone where batches have no target. */
  readonly loss: Loss;
  /** Of @nn/optim, made with the model's parameters. */
  readonly optimizer: Optimizer<any>;
  /** What is learnt: a loader, a dataset (batches of 32, in order), or an array of batches `[x]`, `[x, y]` or `[x, y, weights]`. */
  readonly data: Data;
  /** Passes over the data. */
  readonly epochs: number;
  /** Looked at after each epoch, in evaluation mode. */
  readonly validation?: Data;
  /** Told by their names, with `val` before it for the validation. */
  readonly metrics?: Metrics;
  readonly callbacks?: readonly CallbackLike[];
  /** Which figure a schedule is told that asks for one, as ReduceLROnPlateau (default `valLoss`, or `loss`). */
  readonly monitor?: Monitor["monitor"];
  /** How gradients are clipped: a number bounds the norm of all together. */
  readonly clip?: Clip;
  /** Scales the loss while it is differentiated, for backends that compute in f16; not together with `accumulate`. */
  readonly scaler?: GradScaler;
  /** How many batches make one update (default 1). What is left at the end of an epoch makes one, too. */
  readonly accumulate?: number;
  /** One weight per class, for targets that are class numbers. */
  readonly classWeights?: readonly number[];
  /** Whether the step is compiled (default true). */
  readonly compile?: boolean;
  /** Ends training with an error, the signal's reason, before the next step. */
  readonly signal?: AbortSignal;
  /** Where to go on: a checkpoint of the same model, optimiser and data. With null it begins at the beginning. */
  readonly resume?: Checkpoint | null;
}

/** Throws if what matters is missing, or out of range. */
export function checkOptions({
  loss,
  optimizer,
  epochs,
  scaler,
  accumulate = 1,
  scheduleEvery = "epoch",
}: FitOptions): void {
  if (typeof loss !== "function" && typeof loss?.forward !== "function") {
    fail({ op: "fit", expected: "loss: a function of output and target, e.g. crossEntropy", got: typeof loss });
  }
  if (typeof optimizer?.minimize !== "function") {
    fail({ op: "fit", expected: "optimizer: e.g. new Adam(model.parameters())", got: typeof optimizer });
  }
  checkWhole("fit", "epochs", epochs, 0);
  checkWhole("fit", "accumulate", accumulate);
  if (scaler && accumulate > 1) {
    fail({
      op: "fit",
      expected: "scaler or accumulate",
      got: "both",
      hint: "Larger batches, or a loop of your own with GradScaler and GradientAccumulator.",
    });
  }
  if (scheduleEvery !== "epoch" && scheduleEvery !== "step") {
    fail({ op: "fit", expected: 'scheduleEvery "epoch" or "step"', got: `"${scheduleEvery}"` });
  }
}

// Callbacks: what else is done while a model trains.

import type { Tensor } from "@nn/tensor";
import type { EpochEvent, StepEvent, TrainEvent } from "../fit/events.js";
import type { Training } from "../fit/fit.js";

/** What a callback wants a checkpoint to keep. */
export interface CallbackState {
  /** As JSON can hold it. */
  readonly json?: unknown;
  readonly tensors?: Readonly<Record<string, Tensor>>;
}

/**
 * Called while a model trains; all parts are optional, and what returns a promise is waited for. A function is as good as `step` and
 * `epoch` in one.
 *
 * @example
 * ```ts
 * const print: Callback = { epoch: ({ epoch, logs }) => console.log(epoch, logs.loss) };
 * ```
 */
export interface Callback {
  /** Before the first step; a resumed run is where it was already. */
  start?(run: Training): void | Promise<void>;
  step?(event: StepEvent, run: Training): void | Promise<void>;
  epoch?(event: EpochEvent, run: Training): void | Promise<void>;
  /** After the last epoch, or when training was stopped; not after an error or an abort. */
  end?(run: Training): void | Promise<void>;
  /** At last, in any case: closes files and the like. */
  close?(): void | Promise<void>;
  /** What checkpoints keep of it, so that a resumed run has it again. */
  save?(): CallbackState;
  load?(state: CallbackState): void;
  /** Those of a higher number come later (default 0): what saves the state of others comes after them. */
  readonly order?: number;
  /** Asks for steps that change nothing if there are NaNs or infinities in loss or gradients, and an error that says where from. */
  readonly guard?: boolean;
}

/** A callback, or a function of events. */
export type CallbackLike = Callback | ((event: TrainEvent, run: Training) => void | Promise<void>);

export function callbackOf(callback: CallbackLike): Callback {
  return typeof callback === "function" ? { step: callback, epoch: callback } : callback;
}

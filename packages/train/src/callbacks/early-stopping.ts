// Early stopping: training ends once a figure has stopped improving.

import type { Tensor } from "@nn/tensor";
import { checkWhole } from "../check.js";
import type { EpochEvent } from "../fit/events.js";
import type { Training } from "../fit/fit.js";
import { alias } from "../structure.js";
import type { Callback, CallbackState } from "./callback.js";
import { lessIsBetter, type Monitor, monitored } from "./monitor.js";

/** Options of {@link EarlyStopping}. */
export interface EarlyStoppingOptions extends Monitor {
  /** How many epochs without improvement are borne (default 5). */
  readonly patience?: number;
  /** By how much it must be better to count (default 0). */
  readonly minDelta?: number;
  /** Whether the model gets the state back that it had in its best epoch, when training ends (default true). */
  readonly restoreBest?: boolean;
}

/**
 * Stops when a figure has not improved for `patience` epochs. Its state is part of checkpoints.
 *
 * @example
 * ```ts
 * fit(model, { …, callbacks: [new EarlyStopping({ monitor: "valAccuracy", patience: 3 })] });
 * ```
 */
export class EarlyStopping implements Callback {
  readonly #options: EarlyStoppingOptions;
  #best: number | null = null;
  #bestEpoch = 0;
  #waited = 0;
  #reason: string | null = null;
  #state: Record<string, Tensor> = {};

  constructor(options: EarlyStoppingOptions = {}) {
    checkWhole("EarlyStopping", "patience", options.patience ?? 5, 0);
    this.#options = options;
  }

  /** The best figure so far, and its epoch (from 1); null before the first. */
  get best(): { readonly value: number; readonly epoch: number } | null {
    return this.#best === null ? null : { value: this.#best, epoch: this.#bestEpoch };
  }

  start(run: Training): void {
    if (this.#reason !== null) run.stop(this.#reason); // it had stopped before it was resumed
  }

  epoch({ epoch, logs }: EpochEvent, run: Training): void {
    const { patience = 5, minDelta = 0, restoreBest = true, mode } = this.#options;
    const { name, value } = monitored("EarlyStopping", logs, this.#options.monitor);
    const gain = this.#best === null ? Infinity : lessIsBetter(name, mode) ? this.#best - value : value - this.#best;
    if (!Number.isNaN(value) && gain > minDelta) {
      this.#best = value;
      this.#bestEpoch = epoch;
      this.#waited = 0;
      if (restoreBest) this.#keep(run.model.stateDict());
    } else if (++this.#waited > patience) {
      this.#reason = `${name} has not improved since epoch ${this.#bestEpoch}`;
      run.stop(this.#reason);
    }
  }

  end(run: Training): void {
    if (Object.keys(this.#state).length > 0) run.model.loadStateDict(this.#state);
  }

  save(): CallbackState {
    const json: Saved = { best: this.#best, bestEpoch: this.#bestEpoch, waited: this.#waited, reason: this.#reason };
    return { json, tensors: aliases(this.#state) };
  }

  load({ json, tensors = {} }: CallbackState): void {
    const { best, bestEpoch, waited, reason } = json as Saved;
    this.#best = best;
    this.#bestEpoch = bestEpoch;
    this.#waited = waited;
    this.#reason = reason;
    this.#keep(aliases(tensors));
  }

  close(): void {
    this.#keep({});
  }

  #keep(state: Record<string, Tensor>): void {
    for (const t of Object.values(this.#state)) t.dispose();
    this.#state = state;
  }
}

interface Saved {
  readonly best: number | null;
  readonly bestEpoch: number;
  readonly waited: number;
  readonly reason: string | null;
}

function aliases(tensors: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(tensors).map(([name, t]) => [name, alias(t)]));
}

// ReduceLROnPlateau: a lower learning rate where a metric has stopped improving.

import { fail } from "@nn/tensor";
import { checkAtLeast, checkSteps } from "../check.js";
import { type AnyOptimizer, perGroup } from "./scheduler.js";

/** Options of {@link ReduceLROnPlateau}. */
export interface PlateauOptions {
  /** Whether less is better (the default) or more. */
  readonly mode?: "min" | "max";
  /** What the learning rate is multiplied by (default 0.1). */
  readonly factor?: number;
  /** How many steps without improvement are borne (default 10). */
  readonly patience?: number;
  /** What counts as an improvement (default 1e-4). */
  readonly threshold?: number;
  /** Whether the threshold is a share of the best (the default) or a difference. */
  readonly thresholdMode?: "rel" | "abs";
  /** Steps after a reduction that do not count (default 0). */
  readonly cooldown?: number;
  /** Least learning rate, of all groups or of each (default 0). */
  readonly minLr?: number | readonly number[];
  /** Reductions by less are left out (default 1e-8). */
  readonly eps?: number;
}

/** State of {@link ReduceLROnPlateau}: `best` is null before the first step. */
export interface PlateauState {
  readonly last_epoch: number;
  readonly best: number | null;
  readonly num_bad_epochs: number;
  readonly cooldown_counter: number;
  readonly _last_lr: readonly number[];
}

/**
 * Times `factor` once a metric has not improved for more than `patience` steps, as
 * [ReduceLROnPlateau](https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ReduceLROnPlateau.html).
 *
 * @example
 * ```ts
 * const schedule = new ReduceLROnPlateau(optimizer, { patience: 3 });
 * schedule.step(validationLoss); // once per epoch
 * ```
 */
export class ReduceLROnPlateau {
  readonly #options: Required<PlateauOptions>;
  readonly #least: readonly number[];
  /** How many steps were done. */
  lastEpoch = 0;
  #best: number | null = null;
  #bad = 0;
  #cooldown = 0;

  /** @throws if an option is out of range */
  constructor(
    readonly optimizer: AnyOptimizer,
    options: PlateauOptions = {},
  ) {
    const all = {
      mode: "min",
      factor: 0.1,
      patience: 10,
      threshold: 1e-4,
      thresholdMode: "rel",
      cooldown: 0,
      minLr: 0,
      eps: 1e-8,
      ...options,
    } as const;
    const op = "ReduceLROnPlateau";
    checkAtLeast(op, "factor", all.factor, 0, 1);
    checkSteps(op, "patience", all.patience, 0);
    checkSteps(op, "cooldown", all.cooldown, 0);
    if (all.mode !== "min" && all.mode !== "max") fail({ op, expected: 'mode "min" or "max"', got: `"${all.mode}"` });
    if (all.thresholdMode !== "rel" && all.thresholdMode !== "abs") {
      fail({ op, expected: 'thresholdMode "rel" or "abs"', got: `"${all.thresholdMode}"` });
    }
    this.#least = perGroup(op, "minLr", optimizer, all.minLr);
    this.#options = all;
  }

  /** @param metric what has become of the model, e.g. its validation loss */
  step(metric: number): void {
    if (typeof metric !== "number") {
      fail({
        op: "ReduceLROnPlateau.step",
        expected: "a metric that is a number",
        got: typeof metric,
        hint: "Read a tensor with await loss.item().",
      });
    }
    const { patience, cooldown } = this.#options;
    this.lastEpoch++;
    if (this.#isBetter(metric)) {
      this.#best = metric;
      this.#bad = 0;
    } else this.#bad++;
    if (this.#cooldown > 0) {
      this.#cooldown--;
      this.#bad = 0;
    }
    if (this.#bad > patience) {
      this.#reduce();
      this.#cooldown = cooldown;
      this.#bad = 0;
    }
  }

  /** The learning rates of the groups. */
  getLastLr(): number[] {
    return this.optimizer.groups.map((g) => g.lr);
  }

  /** Under PyTorch's names; options are not in it. */
  stateDict(): PlateauState {
    return {
      last_epoch: this.lastEpoch,
      best: this.#best,
      num_bad_epochs: this.#bad,
      cooldown_counter: this.#cooldown,
      _last_lr: this.getLastLr(),
    };
  }

  /**
   * Takes over a state, and sets the learning rates to those in it.
   *
   * @throws if it is not of such a schedule
   */
  loadStateDict(state: PlateauState): void {
    const { groups } = this.optimizer;
    const { last_epoch, best, num_bad_epochs, cooldown_counter, _last_lr: rates } = state;
    if (rates?.length !== groups.length || ![last_epoch, num_bad_epochs, cooldown_counter].every(Number.isInteger)) {
      fail({
        op: "ReduceLROnPlateau.loadStateDict",
        expected: `last_epoch, best, num_bad_epochs, cooldown_counter, and _last_lr of ${groups.length} groups`,
        got: JSON.stringify(state),
      });
    }
    this.lastEpoch = last_epoch;
    this.#best = best;
    this.#bad = num_bad_epochs;
    this.#cooldown = cooldown_counter;
    for (const [i, g] of groups.entries()) g.lr = rates[i];
  }

  #isBetter(metric: number): boolean {
    const { mode, threshold, thresholdMode } = this.#options;
    const best = this.#best;
    if (best === null) return !Number.isNaN(metric);
    const sign = mode === "min" ? -1 : 1;
    const bound = thresholdMode === "rel" ? best * (1 + sign * threshold) : best + sign * threshold;
    return sign * metric > sign * bound;
  }

  #reduce(): void {
    for (const [i, g] of this.optimizer.groups.entries()) {
      const lr = Math.max(g.lr * this.#options.factor, this.#least[i]);
      if (g.lr - lr > this.#options.eps) g.lr = lr;
    }
  }
}

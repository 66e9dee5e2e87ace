// SWALR: to a constant learning rate, for averages of weights.

import { fail } from "@nn/tensor";
import { checkAtLeast, checkSteps } from "../check.js";
import { type AnyOptimizer, LRScheduler, perGroup } from "./scheduler.js";

/**
 * Goes from the learning rate as it is to `swaLr` within `annealEpochs` steps, and stays there, as
 * [torch.optim.swa_utils.SWALR](https://pytorch.org/docs/stable/generated/torch.optim.swa_utils.SWALR.html).
 *
 * @example
 * ```ts
 * new SWALR(optimizer, { swaLr: 0.05, annealEpochs: 5 });
 * ```
 */
export class SWALR extends LRScheduler {
  readonly #goal: readonly number[];
  readonly #epochs: number;
  readonly #share: (t: number) => number;

  /**
   * @param options.swaLr for all groups, or one per group
   * @param options.annealEpochs default 10
   * @param options.annealStrategy along a cosine (the default) or a line
   */
  constructor(
    optimizer: AnyOptimizer,
    {
      swaLr,
      annealEpochs = 10,
      annealStrategy = "cos",
    }: { swaLr: number | readonly number[]; annealEpochs?: number; annealStrategy?: "cos" | "linear" },
  ) {
    super(optimizer);
    this.#goal = perGroup("SWALR", "swaLr", optimizer, swaLr).map((lr) => checkAtLeast("SWALR", "swaLr", lr, 0));
    this.#epochs = checkSteps("SWALR", "annealEpochs", annealEpochs, 0);
    if (annealStrategy !== "cos" && annealStrategy !== "linear") {
      fail({ op: "SWALR", expected: 'annealStrategy "cos" or "linear"', got: `"${annealStrategy}"` });
    }
    this.#share = annealStrategy === "linear" ? (t) => t : (t) => (1 - Math.cos(Math.PI * t)) / 2;
    this.begin();
  }
  protected override next(lr: number, _: number, group: number): number {
    const step = this.#epochs === 0 ? Math.max(1, this.lastEpoch) : this.lastEpoch;
    const at = (step: number) => this.#share(Math.max(0, Math.min(1, step / Math.max(1, this.#epochs))));
    const [before, now] = [at(step - 1), at(step)];
    const goal = this.#goal[group];
    // What the learning rate would be without the way to the goal: another schedule may be changing it.
    const own = before === 1 ? goal : (lr - goal * before) / (1 - before);
    return goal * now + own * (1 - now);
  }
}

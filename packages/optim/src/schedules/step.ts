// Schedules that multiply by a factor, now and then or always: StepLR, MultiStepLR, ExponentialLR.

import { checkAtLeast, checkSteps } from "../check.js";
import { type AnyOptimizer, LRScheduler } from "./scheduler.js";

/**
 * Times `gamma` every `stepSize` steps, as
 * [StepLR](https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.StepLR.html).
 *
 * @example
 * ```ts
 * const schedule = new StepLR(optimizer, { stepSize: 30, gamma: 0.1 });
 * for (const epoch of epochs) {
 *   for (const [x, y] of batches) step(x, y);
 *   schedule.step();
 * }
 * ```
 */
export class StepLR extends LRScheduler {
  readonly #size: number;
  readonly #gamma: number;

  /**
   * @param options.gamma default 0.1
   * @throws if stepSize is not a whole number ≥ 1
   */
  constructor(optimizer: AnyOptimizer, { stepSize, gamma = 0.1 }: { stepSize: number; gamma?: number }) {
    super(optimizer);
    this.#size = checkSteps("StepLR", "stepSize", stepSize);
    this.#gamma = checkAtLeast("StepLR", "gamma", gamma, 0);
    this.begin();
  }
  protected override next(lr: number): number {
    return this.lastEpoch === 0 || this.lastEpoch % this.#size !== 0 ? lr : lr * this.#gamma;
  }
  protected override at(base: number): number {
    return base * this.#gamma ** Math.floor(this.lastEpoch / this.#size);
  }
}

/**
 * Times `gamma` at each of the `milestones`, as
 * [MultiStepLR](https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.MultiStepLR.html).
 *
 * @example
 * ```ts
 * new MultiStepLR(optimizer, { milestones: [30, 80], gamma: 0.1 });
 * ```
 */
export class MultiStepLR extends LRScheduler {
  readonly #milestones: readonly number[];
  readonly #gamma: number;

  /**
   * @param options.milestones numbers of steps; one that is there twice counts twice
   * @param options.gamma default 0.1
   * @throws if a milestone is not a whole number
   */
  constructor(optimizer: AnyOptimizer, { milestones, gamma = 0.1 }: { milestones: readonly number[]; gamma?: number }) {
    super(optimizer);
    this.#milestones = milestones.map((m) => checkSteps("MultiStepLR", "milestones", m, 0));
    this.#gamma = checkAtLeast("MultiStepLR", "gamma", gamma, 0);
    this.begin();
  }
  protected override next(lr: number): number {
    return lr * this.#gamma ** this.#milestones.filter((m) => m === this.lastEpoch).length;
  }
  protected override at(base: number): number {
    return base * this.#gamma ** this.#milestones.filter((m) => m <= this.lastEpoch).length;
  }
}

/**
 * Times `gamma` at every step, as
 * [ExponentialLR](https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ExponentialLR.html).
 *
 * @example
 * ```ts
 * new ExponentialLR(optimizer, { gamma: 0.95 });
 * ```
 */
export class ExponentialLR extends LRScheduler {
  readonly #gamma: number;
  constructor(optimizer: AnyOptimizer, { gamma }: { gamma: number }) {
    super(optimizer);
    this.#gamma = checkAtLeast("ExponentialLR", "gamma", gamma, 0);
    this.begin();
  }
  protected override next(lr: number): number {
    return this.lastEpoch === 0 ? lr : lr * this.#gamma;
  }
  protected override at(base: number): number {
    return base * this.#gamma ** this.lastEpoch;
  }
}

// Schedules that go from one factor to another and stay there: ConstantLR, LinearLR (also for warm-up), PolynomialLR.

import { fail } from "@nn/tensor";
import { checkAtLeast, checkSteps } from "../check.js";
import { type AnyOptimizer, LRScheduler } from "./scheduler.js";

/**
 * Times `factor` for the first `totalIters` steps, as
 * [ConstantLR](https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ConstantLR.html).
 *
 * @example
 * ```ts
 * new ConstantLR(optimizer, { factor: 0.5, totalIters: 4 });
 * ```
 */
export class ConstantLR extends LRScheduler {
  readonly #factor: number;
  readonly #total: number;

  /**
   * @param options.factor default 1/3
   * @param options.totalIters default 5
   * @throws if factor is not from 0 (exclusive) to 1
   */
  constructor(
    optimizer: AnyOptimizer,
    { factor = 1 / 3, totalIters = 5 }: { factor?: number; totalIters?: number } = {},
  ) {
    super(optimizer);
    this.#factor = checkFactor("ConstantLR", "factor", factor);
    this.#total = checkSteps("ConstantLR", "totalIters", totalIters, 0);
    this.begin();
  }
  protected override next(lr: number): number {
    if (this.lastEpoch === 0) return lr * this.#factor;
    return this.lastEpoch === this.#total ? lr * (1 / this.#factor) : lr;
  }
  protected override at(base: number): number {
    return this.lastEpoch >= this.#total ? base : base * this.#factor;
  }
}

/**
 * Times a factor that goes from `startFactor` to `endFactor` within `totalIters` steps: a warm-up, as
 * [LinearLR](https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.LinearLR.html).
 *
 * @example
 * ```ts
 * new LinearLR(optimizer, { startFactor: 0.1, totalIters: 500 });
 * ```
 */
export class LinearLR extends LRScheduler {
  readonly #start: number;
  readonly #change: number;
  readonly #total: number;

  /**
   * @param options.startFactor default 1/3
   * @param options.endFactor default 1
   * @param options.totalIters default 5
   * @throws if startFactor is not from 0 (exclusive) to 1, or endFactor not from 0 to 1
   */
  constructor(
    optimizer: AnyOptimizer,
    {
      startFactor = 1 / 3,
      endFactor = 1,
      totalIters = 5,
    }: { startFactor?: number; endFactor?: number; totalIters?: number } = {},
  ) {
    super(optimizer);
    this.#start = checkFactor("LinearLR", "startFactor", startFactor);
    if (endFactor !== 0) checkFactor("LinearLR", "endFactor", endFactor);
    this.#change = endFactor - startFactor;
    this.#total = checkSteps("LinearLR", "totalIters", totalIters);
    this.begin();
  }
  protected override next(lr: number): number {
    if (this.lastEpoch === 0) return lr * this.#start;
    if (this.lastEpoch > this.#total) return lr;
    return lr * (1 + this.#change / (this.#total * this.#start + (this.lastEpoch - 1) * this.#change));
  }
  protected override at(base: number): number {
    return base * (this.#start + (this.#change * Math.min(this.#total, this.lastEpoch)) / this.#total);
  }
}

/**
 * Falls to 0 within `totalIters` steps: times `(1 − t/totalIters)^power`, as
 * [PolynomialLR](https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.PolynomialLR.html).
 *
 * @example
 * ```ts
 * new PolynomialLR(optimizer, { totalIters: 100, power: 2 });
 * ```
 */
export class PolynomialLR extends LRScheduler {
  readonly #total: number;
  readonly #power: number;

  /**
   * @param options.totalIters default 5
   * @param options.power default 1
   */
  constructor(optimizer: AnyOptimizer, { totalIters = 5, power = 1 }: { totalIters?: number; power?: number } = {}) {
    super(optimizer);
    this.#total = checkSteps("PolynomialLR", "totalIters", totalIters);
    this.#power = checkAtLeast("PolynomialLR", "power", power, 0);
    this.begin();
  }
  protected override next(lr: number): number {
    const t = this.lastEpoch;
    if (t === 0 || t > this.#total) return lr;
    return lr * ((1 - t / this.#total) / (1 - (t - 1) / this.#total)) ** this.#power;
  }
  protected override at(base: number): number {
    return base * (1 - Math.min(this.#total, this.lastEpoch) / this.#total) ** this.#power;
  }
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

function checkFactor(op: string, name: string, factor: number): number {
  if (factor > 0 && factor <= 1) return factor;
  return fail({ op, expected: `${name} > 0 and ≤ 1`, got: `${factor}` });
}

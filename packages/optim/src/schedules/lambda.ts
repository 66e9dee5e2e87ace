// Schedules by a function of the step: LambdaLR, MultiplicativeLR.

import { type AnyOptimizer, LRScheduler, perGroup } from "./scheduler.js";

/** A function of the number of steps done, or one per group. */
export interface LambdaOptions {
  readonly lrLambda: ((epoch: number) => number) | readonly ((epoch: number) => number)[];
}

/**
 * The first learning rate times a function of the step, as
 * [LambdaLR](https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.LambdaLR.html).
 *
 * @example
 * ```ts
 * new LambdaLR(optimizer, { lrLambda: (t) => Math.min((t + 1) / 100, 1) });
 * ```
 */
export class LambdaLR extends LRScheduler {
  readonly #f: readonly ((epoch: number) => number)[];
  /** @throws if there are several functions, and not as many as groups */
  constructor(optimizer: AnyOptimizer, { lrLambda }: LambdaOptions) {
    super(optimizer);
    this.#f = perGroup("LambdaLR", "lrLambda", optimizer, lrLambda);
    this.begin();
  }
  protected override next(_: number, base: number, group: number): number {
    return base * this.#f[group](this.lastEpoch);
  }
}

/**
 * The learning rate before times a function of the step, as
 * [MultiplicativeLR](https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.MultiplicativeLR.html).
 *
 * @example
 * ```ts
 * new MultiplicativeLR(optimizer, { lrLambda: () => 0.95 });
 * ```
 */
export class MultiplicativeLR extends LRScheduler {
  readonly #f: readonly ((epoch: number) => number)[];
  /** @throws if there are several functions, and not as many as groups */
  constructor(optimizer: AnyOptimizer, { lrLambda }: LambdaOptions) {
    super(optimizer);
    this.#f = perGroup("MultiplicativeLR", "lrLambda", optimizer, lrLambda);
    this.begin();
  }
  protected override next(lr: number, _: number, group: number): number {
    return this.lastEpoch === 0 ? lr : lr * this.#f[group](this.lastEpoch);
  }
}

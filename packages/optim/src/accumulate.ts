// Gradient accumulation: one update from several batches.

import { scope, type Tensor, Variable, valueAndGrad, zeros, zerosLike } from "@nn/tensor";
import type { MinimizeOptions, Optimizer } from "./optimizer.js";

/** Options of {@link GradientAccumulator.minimize}. */
export interface AccumulateOptions extends MinimizeOptions {
  /** Whether the optimiser's step follows now, or the gradients are only added up (default true). */
  readonly update?: boolean;
}

/**
 * Adds gradients up over several batches, and updates by their mean: as one batch of all of them, in the memory of
 * one. The sums are Variables, so it works inside `compile`; whether to update is an argument of the compiled step.
 *
 * @example
 * ```ts
 * const accumulator = new GradientAccumulator(optimizer);
 * const step = compile((x, y, update) => accumulator.minimize(() => mse(model.forward(x), y), { update }));
 * batches.forEach(([x, y], i) => step(x, y, i % 4 === 3));
 * ```
 */
export class GradientAccumulator {
  readonly #optimizer: Optimizer<any>;
  readonly #sums: ReadonlyMap<Variable, Variable>;
  readonly #count = scope(() => new Variable(zeros([]), { trainable: false }));

  constructor(optimizer: Optimizer<any>) {
    this.#optimizer = optimizer;
    const all = optimizer.groups.flatMap((g) => g.all.map(({ parameter }) => parameter));
    this.#sums = scope(() => new Map(all.map((p) => [p, new Variable(zerosLike(p), { trainable: false })])));
  }

  /**
   * As {@link Optimizer.minimize}; without `update`, the gradients are only added up.
   *
   * @returns the loss of this batch
   */
  minimize(loss: () => Tensor, { update = true, transform }: AccumulateOptions = {}): Tensor {
    return scope(() => {
      const [value, gradients] = valueAndGrad(loss, this.#optimizer.parameters);
      this.add(gradients);
      if (update) this.step({ ...(transform ? { transform } : {}) });
      return value;
    });
  }

  /** Adds gradients, in the order of the optimiser's parameters. */
  add(gradients: readonly Tensor[]): void {
    scope(() => {
      for (const [i, sum] of this.#active().entries()) sum.value = sum.value.add(gradients[i]);
      this.#count.value = this.#count.value.add(1);
    });
  }

  /** Updates by the mean of what was added, which must be something, and begins anew. */
  step({ transform }: MinimizeOptions = {}): void {
    scope(() => {
      const share = this.#count.value.reciprocal();
      const mean = this.#active().map((sum) => sum.value.mul(share));
      this.#optimizer.step(transform ? transform(mean) : mean);
      for (const sum of [...this.#sums.values(), this.#count]) sum.value = zerosLike(sum);
    });
  }

  /** The sums of what is trained now. */
  #active(): Variable[] {
    return this.#optimizer.parameters.map((p) => this.#sums.get(p)!);
  }
}

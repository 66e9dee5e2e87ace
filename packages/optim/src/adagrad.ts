// Adagrad.

import { full, type Tensor } from "@nn/tensor";
import { checkAtLeast, checkCommon } from "./check.js";
import { directed } from "./formulas.js";
import type { Group, OptimizerOptions, Params, Slots } from "./group.js";
import { Optimizer } from "./optimizer.js";

/** Options of {@link Adagrad}. */
export interface AdagradOptions extends Partial<OptimizerOptions> {
  /** Learning rate (default 0.01). */
  readonly lr?: number;
  /** How fast the learning rate falls: it is divided by `1 + (t − 1)·lrDecay` (default 0). */
  readonly lrDecay?: number;
  /** L2 penalty (default 0). */
  readonly weightDecay?: number;
  /** What the sums of squares begin with (default 0). */
  readonly initialAccumulatorValue?: number;
  /** Added to the denominator (default 1e-10). */
  readonly eps?: number;
  /** Climb instead of descend (default false). */
  readonly maximize?: boolean;
}

/**
 * Divides gradients by the root of the sum of all squares so far (Duchi et al., 2011), as
 * [torch.optim.Adagrad](https://pytorch.org/docs/stable/generated/torch.optim.Adagrad.html).
 *
 * State of each parameter: `sum`.
 *
 * @example
 * ```ts
 * new Adagrad(model.parameters(), { lr: 0.1 });
 * ```
 */
export class Adagrad extends Optimizer<Required<AdagradOptions>> {
  constructor(params: Params<AdagradOptions>, options: AdagradOptions = {}) {
    const defaults = { lr: 0.01, lrDecay: 0, weightDecay: 0, initialAccumulatorValue: 0, eps: 1e-10, maximize: false };
    super(params, options, defaults);
  }

  protected override check(options: Required<AdagradOptions>): void {
    checkCommon("Adagrad", options);
    checkAtLeast("Adagrad", "lrDecay", options.lrDecay, 0);
    checkAtLeast("Adagrad", "initialAccumulatorValue", options.initialAccumulatorValue, 0);
    checkAtLeast("Adagrad", "eps", options.eps, 0);
  }

  protected override slots({ initialAccumulatorValue }: Required<AdagradOptions>): Slots {
    return { sum: (p) => full(p.shape, initialAccumulatorValue) };
  }

  protected override update(
    { params, options, rate, state }: Group<Required<AdagradOptions>>,
    gradients: readonly Tensor[],
    t: Tensor,
  ): void {
    const { lrDecay, eps } = options;
    const lr = lrDecay === 0 ? rate.value : rate.value.div(t.sub(1).mul(lrDecay).add(1));
    for (const [i, p] of params.entries()) {
      const { sum } = state[i];
      const value = p.value;
      const g = directed(gradients[i], value, options);
      const total = sum.value.add(g.square());
      sum.value = total;
      p.value = value.sub(g.mul(lr).div(total.sqrt().add(eps)));
    }
  }
}

// Lion: only the sign of a mean.

import { sign, type Tensor, zerosLike } from "@nn/tensor";
import { checkBetas, checkCommon } from "./check.js";
import { betasOf, blend, directed } from "./formulas.js";
import type { Group, OptimizerOptions, Params, Slots } from "./group.js";
import { Optimizer } from "./optimizer.js";

/** Options of {@link Lion}. */
export interface LionOptions extends Partial<OptimizerOptions> {
  /** Learning rate (default 1e-4): a third to a tenth of what Adam would have. */
  readonly lr?: number;
  /** Share of the mean in the update, and how slowly it forgets (default [0.9, 0.99]). */
  readonly betas?: readonly [number, number];
  /** Decoupled decay (default 0). */
  readonly weightDecay?: number;
  /** Climb instead of descend (default false). */
  readonly maximize?: boolean;
}

/**
 * `p ← p·(1 − lr·weightDecay) − lr·sign(β₁·m + (1 − β₁)·g)`, and then `m ← β₂·m + (1 − β₂)·g`
 * ([Chen et al., 2023](https://arxiv.org/abs/2302.06675), algorithm 2).
 *
 * State of each parameter: `exp_avg`.
 *
 * @example
 * ```ts
 * new Lion(model.parameters(), { lr: 1e-4, weightDecay: 0.1 });
 * ```
 */
export class Lion extends Optimizer<Required<LionOptions>> {
  constructor(params: Params<LionOptions>, options: LionOptions = {}) {
    super(params, options, { lr: 1e-4, betas: [0.9, 0.99], weightDecay: 0, maximize: false });
  }

  protected override check(options: Required<LionOptions>): void {
    checkCommon("Lion", options);
    checkBetas("Lion", options.betas);
  }

  protected override slots(): Slots {
    return { exp_avg: zerosLike };
  }

  protected override update(group: Group<Required<LionOptions>>, gradients: readonly Tensor[]): void {
    const { params, options, rate, state } = group;
    const [beta1, beta2] = betasOf(group);
    const { weightDecay, maximize } = options;
    for (const [i, p] of params.entries()) {
      const { exp_avg } = state[i];
      const value = p.value;
      const g = directed(gradients[i], value, { maximize, weightDecay: 0 });
      const m = exp_avg.value;
      const decayed = weightDecay === 0 ? value : value.mul(rate.value.mul(-weightDecay).add(1));
      p.value = decayed.sub(sign(blend(m, g, beta1)).mul(rate.value));
      exp_avg.value = blend(m, g, beta2);
    }
  }
}

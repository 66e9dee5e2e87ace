// Adamax: Adam with the maximum for the second moment.

import { type Tensor, zerosLike } from "@nn/tensor";
import type { AdamOptions } from "./adam.js";
import { checkAtLeast, checkBetas, checkCommon } from "./check.js";
import { betasOf, blend, directed, oneMinusPower } from "./formulas.js";
import type { Group, Params, Slots } from "./group.js";
import { Optimizer } from "./optimizer.js";

/** Options of {@link Adamax}: those of Adam, `lr` 0.002 by default. */
export type AdamaxOptions = Omit<AdamOptions, "amsgrad">;

/**
 * Adam with the infinity norm (Kingma and Ba, 2015, section 7), as
 * [torch.optim.Adamax](https://pytorch.org/docs/stable/generated/torch.optim.Adamax.html):
 * `u ← max(β₂·u, |g| + eps)`, `p ← p − lr·m̂ / u`. Weight decay is an L2 penalty.
 *
 * State of each parameter: `exp_avg`, `exp_inf`.
 *
 * @example
 * ```ts
 * new Adamax(model.parameters(), { lr: 2e-3 });
 * ```
 */
export class Adamax extends Optimizer<Required<AdamaxOptions>> {
  constructor(params: Params<AdamaxOptions>, options: AdamaxOptions = {}) {
    super(params, options, { lr: 2e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0, maximize: false });
  }

  protected override check(options: Required<AdamaxOptions>): void {
    checkCommon("Adamax", options);
    checkAtLeast("Adamax", "eps", options.eps, 0);
    checkBetas("Adamax", options.betas);
  }

  protected override slots(): Slots {
    return { exp_avg: zerosLike, exp_inf: zerosLike };
  }

  protected override update(group: Group<Required<AdamaxOptions>>, gradients: readonly Tensor[], t: Tensor): void {
    const { params, options, rate, state } = group;
    const { eps } = options;
    const [beta1, beta2] = betasOf(group);
    const step = rate.value.div(oneMinusPower(beta1, t));
    for (const [i, p] of params.entries()) {
      const { exp_avg, exp_inf } = state[i];
      const value = p.value;
      const g = directed(gradients[i], value, options);
      const m = blend(exp_avg.value, g, beta1);
      const u = exp_inf.value.mul(beta2).maximum(g.abs().add(eps));
      exp_avg.value = m;
      exp_inf.value = u;
      p.value = value.sub(m.mul(step).div(u));
    }
  }
}

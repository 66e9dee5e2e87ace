// NAdam: Adam with Nesterov's momentum.

import { ones, type Tensor, zerosLike } from "@nn/tensor";
import type { AdamOptions } from "./adam.js";
import { checkAtLeast, checkBetas, checkCommon } from "./check.js";
import { betasOf, blend, directed, oneMinusPower } from "./formulas.js";
import type { Group, Params, Slots } from "./group.js";
import { Optimizer } from "./optimizer.js";

/** Options of {@link NAdam}: those of Adam, `lr` 0.002 by default. */
export interface NAdamOptions extends Omit<AdamOptions, "amsgrad"> {
  /** How fast the momentum rises to β₁ (default 0.004). */
  readonly momentumDecay?: number;
}

/**
 * Adam that looks ahead along a momentum that rises with time (Dozat, 2016), as
 * [torch.optim.NAdam](https://pytorch.org/docs/stable/generated/torch.optim.NAdam.html):
 * `μₜ = β₁·(1 − ½·0.96^(t·momentumDecay))`; figures are those of PyTorch 1.13. Weight decay is an L2 penalty.
 *
 * State of each parameter: `exp_avg`, `exp_avg_sq`, `mu_product` ().
 *
 * @example
 * ```ts
 * new NAdam(model.parameters(), { lr: 2e-3 });
 * ```
 */
export class NAdam extends Optimizer<Required<NAdamOptions>> {
  constructor(params: Params<NAdamOptions>, options: NAdamOptions = {}) {
    const betas = [0.9, 0.999] as const;
    super(params, options, { lr: 2e-3, betas, eps: 1e-8, weightDecay: 0, momentumDecay: 4e-3, maximize: false });
  }

  protected override check(options: Required<NAdamOptions>): void {
    checkCommon("NAdam", options);
    checkAtLeast("NAdam", "eps", options.eps, 0);
    checkAtLeast("NAdam", "momentumDecay", options.momentumDecay, 0);
    checkBetas("NAdam", options.betas);
  }

  protected override slots(): Slots {
    return { exp_avg: zerosLike, exp_avg_sq: zerosLike, mu_product: () => ones([]) };
  }

  protected override update(group: Group<Required<NAdamOptions>>, gradients: readonly Tensor[], t: Tensor): void {
    const { params, options, rate, state } = group;
    const { eps, momentumDecay } = options;
    const [beta1, beta2] = betasOf(group);
    const momentum = (at: Tensor) =>
      at
        .mul(momentumDecay * Math.log(0.96))
        .exp()
        .mul(typeof beta1 === "number" ? -0.5 * beta1 : beta1.mul(-0.5))
        .add(beta1);
    const [mu, next] = [momentum(t), momentum(t.add(1))];
    const root = oneMinusPower(beta2, t).rsqrt();
    for (const [i, p] of params.entries()) {
      const { exp_avg, exp_avg_sq, mu_product } = state[i];
      const value = p.value;
      const g = directed(gradients[i], value, options);
      const product = mu_product.value.mul(mu);
      const m = blend(exp_avg.value, g, beta1);
      const v = blend(exp_avg_sq.value, g.square(), beta2);
      mu_product.value = product;
      exp_avg.value = m;
      exp_avg_sq.value = v;
      const ofGradient = rate.value.mul(oneMinus(mu)).div(oneMinus(product));
      // PyTorch 1.13 multiplies by μₜ once more than the paper: Πμ·μₜ·μₜ₊₁.
      const ofMean = rate.value.mul(next).div(oneMinus(product.mul(mu).mul(next)));
      p.value = value.sub(g.mul(ofGradient).add(m.mul(ofMean)).div(v.sqrt().mul(root).add(eps)));
    }
  }
}

function oneMinus(x: Tensor): Tensor {
  return x.neg().add(1);
}

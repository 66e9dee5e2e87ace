// RAdam: Adam that is careful until its variance can be trusted.

import { expm1, type Tensor, where, zerosLike } from "@nn/tensor";
import type { AdamOptions } from "./adam.js";
import { checkAtLeast, checkBetas, checkCommon } from "./check.js";
import { betasOf, blend, directed, oneMinusPower } from "./formulas.js";
import type { Group, Params, Slots } from "./group.js";
import { Optimizer } from "./optimizer.js";

/** Options of {@link RAdam}: those of Adam. */
export type RAdamOptions = Omit<AdamOptions, "amsgrad">;

/**
 * Adam without its second moment until that has been estimated from enough steps (`ρₜ > 5`), and rectified by its
 * variance after that (Liu et al., 2020), as
 * [torch.optim.RAdam](https://pytorch.org/docs/stable/generated/torch.optim.RAdam.html). Weight decay is an L2 penalty.
 *
 * State of each parameter: `exp_avg`, `exp_avg_sq`.
 *
 * @example
 * ```ts
 * new RAdam(model.parameters(), { lr: 1e-3 });
 * ```
 */
export class RAdam extends Optimizer<Required<RAdamOptions>> {
  constructor(params: Params<RAdamOptions>, options: RAdamOptions = {}) {
    super(params, options, { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0, maximize: false });
  }

  protected override check(options: Required<RAdamOptions>): void {
    checkCommon("RAdam", options);
    checkAtLeast("RAdam", "eps", options.eps, 0);
    checkBetas("RAdam", options.betas);
  }

  protected override slots(): Slots {
    return { exp_avg: zerosLike, exp_avg_sq: zerosLike };
  }

  protected override update(group: Group<Required<RAdamOptions>>, gradients: readonly Tensor[], t: Tensor): void {
    const { params, options, rate, state } = group;
    const { eps } = options;
    const [beta1, beta2] = betasOf(group);
    const step = rate.value.div(oneMinusPower(beta1, t));
    const limit = 2 / (1 - beta2) - 1;
    // Below 5, the limit is never passed.
    const scale = limit > 5 ? limit / ((limit - 4) * (limit - 2)) : 0;
    const rho = lengthOfAverage(beta2, t);
    const trusted = rho.gt(5);
    const safe = where(trusted, rho, 6);
    const rectified = safe.sub(4).mul(safe.sub(2)).div(safe).mul(scale).mul(oneMinusPower(beta2, t)).sqrt();
    for (const [i, p] of params.entries()) {
      const { exp_avg, exp_avg_sq } = state[i];
      const value = p.value;
      const g = directed(gradients[i], value, options);
      const m = blend(exp_avg.value, g, beta1);
      const v = blend(exp_avg_sq.value, g.square(), beta2);
      exp_avg.value = m;
      exp_avg_sq.value = v;
      p.value = value.sub(m.mul(step).mul(where(trusted, rectified.div(v.sqrt().add(eps)), 1)));
    }
  }
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * `ρₜ = ρ∞ − 2t·βᵗ / (1 − βᵗ)`, ρ∞ = 2/(1 − β) − 1. As it stands it is a small difference of large numbers, of which
 * f32 keeps too few digits. With L = −ln β and u = t·L it is `ρ∞ − 2/L + (2/L)·(1 − u/(eᵘ − 1))`: the first part is a
 * constant, computed in double precision, and the last has a series for small u.
 */
export function lengthOfAverage(beta: number, t: Tensor): Tensor {
  if (beta === 0) return t.mul(0).add(1);
  const L = -Math.log(beta);
  const u = t.mul(L);
  const u2 = u.square();
  const series = [1 / 47900160, -1 / 1209600, 1 / 30240, -1 / 720, 1 / 12].reduce<Tensor | null>(
    (sum, c) => (sum ? sum.mul(u2).add(c) : u2.mul(0).add(c)),
    null,
  )!;
  const near = u.mul(0.5).sub(u2.mul(series));
  const far = u.div(expm1(u)).neg().add(1);
  return where(u.lt(1), near, far)
    .mul(2 / L)
    .add(2 / (1 - beta) - 1 - 2 / L);
}

// Adam and AdamW.

import { type Tensor, zerosLike } from "@nn/tensor";
import { checkAtLeast, checkBetas, checkCommon } from "./check.js";
import { betasOf, blend, directed, oneMinusPower } from "./formulas.js";
import type { Group, OptimizerOptions, Params, Slots } from "./group.js";
import { Optimizer } from "./optimizer.js";

/** Options of {@link Adam} and {@link AdamW}. */
export interface AdamOptions extends Partial<OptimizerOptions> {
  /** Learning rate (default 0.001). */
  readonly lr?: number;
  /** How slowly the means of the gradient and of its square forget (default [0.9, 0.999]). */
  readonly betas?: readonly [number, number];
  /** Added to the denominator (default 1e-8). */
  readonly eps?: number;
  /** L2 penalty for Adam (default 0), decoupled decay for AdamW (default 0.01). */
  readonly weightDecay?: number;
  /** Use the greatest second moment so far (default false). */
  readonly amsgrad?: boolean;
  /** Climb instead of descend (default false). */
  readonly maximize?: boolean;
}

/** What Adam and AdamW share: they differ in what weight decay does. */
abstract class AdamBase extends Optimizer<Required<AdamOptions>> {
  /** Takes weight decay into account: the value and the gradient to update by. */
  protected abstract decay(
    value: Tensor,
    gradient: Tensor,
    group: Group<Required<AdamOptions>>,
  ): { value: Tensor; g: Tensor };

  constructor(params: Params<AdamOptions>, options: AdamOptions, weightDecay: number) {
    const defaults = {
      lr: 1e-3,
      betas: [0.9, 0.999] as const,
      eps: 1e-8,
      weightDecay,
      amsgrad: false,
      maximize: false,
    };
    super(params, options, defaults);
  }

  protected override check(options: Required<AdamOptions>): void {
    const name = this.constructor.name;
    checkCommon(name, options);
    checkAtLeast(name, "eps", options.eps, 0);
    checkBetas(name, options.betas);
  }

  protected override slots({ amsgrad }: Required<AdamOptions>): Slots {
    return { exp_avg: zerosLike, exp_avg_sq: zerosLike, ...(amsgrad ? { max_exp_avg_sq: zerosLike } : {}) };
  }

  protected override update(group: Group<Required<AdamOptions>>, gradients: readonly Tensor[], t: Tensor): void {
    const { params, options, rate, state } = group;
    const { eps, amsgrad } = options;
    const [beta1, beta2] = betasOf(group);
    const step = rate.value.div(oneMinusPower(beta1, t));
    const root = oneMinusPower(beta2, t).rsqrt();
    for (const [i, p] of params.entries()) {
      const { exp_avg, exp_avg_sq, max_exp_avg_sq } = state[i];
      const { value, g } = this.decay(p.value, gradients[i], group);
      const m = blend(exp_avg.value, g, beta1);
      const v = blend(exp_avg_sq.value, g.square(), beta2);
      exp_avg.value = m;
      exp_avg_sq.value = v;
      const greatest = amsgrad ? max_exp_avg_sq.value.maximum(v) : v;
      if (amsgrad) max_exp_avg_sq.value = greatest;
      p.value = value.sub(m.mul(step).div(greatest.sqrt().mul(root).add(eps)));
    }
  }
}

/**
 * Adam (Kingma and Ba, 2015), as [torch.optim.Adam](https://pytorch.org/docs/stable/generated/torch.optim.Adam.html):
 * `p ← p − lr·m̂ / (√v̂ + eps)`, where `m̂` and `v̂` are running means of the gradient and its square, corrected for
 * their start at 0. Weight decay is an L2 penalty.
 *
 * State of each parameter: `exp_avg`, `exp_avg_sq`, and with amsgrad `max_exp_avg_sq`.
 *
 * @example
 * ```ts
 * const optimizer = new Adam(model.parameters(), { lr: 1e-3 });
 * optimizer.minimize(() => crossEntropy(model.forward(x), labels));
 * ```
 */
export class Adam extends AdamBase {
  constructor(params: Params<AdamOptions>, options: AdamOptions = {}) {
    super(params, options, 0);
  }

  protected override decay(value: Tensor, gradient: Tensor, { options }: Group<Required<AdamOptions>>) {
    return { value, g: directed(gradient, value, options) };
  }
}

/**
 * Adam with decoupled weight decay (Loshchilov and Hutter, 2019), as
 * [torch.optim.AdamW](https://pytorch.org/docs/stable/generated/torch.optim.AdamW.html): `p ← p·(1 − lr·weightDecay)`
 * first, and then {@link Adam}'s update, with the same state.
 *
 * @example
 * ```ts
 * new AdamW(model.parameters(), { lr: 1e-3, weightDecay: 0.05 });
 * ```
 */
export class AdamW extends AdamBase {
  constructor(params: Params<AdamOptions>, options: AdamOptions = {}) {
    super(params, options, 0.01);
  }

  protected override decay(value: Tensor, gradient: Tensor, { options, rate }: Group<Required<AdamOptions>>) {
    const { weightDecay, maximize } = options;
    const decayed = weightDecay === 0 ? value : value.mul(rate.value.mul(-weightDecay).add(1));
    return { value: decayed, g: directed(gradient, value, { maximize, weightDecay: 0 }) };
  }
}

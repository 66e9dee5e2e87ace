// Adam and AdamW.

import { expm1, type Tensor, type Variable } from "@nn/tensor";
import { checkAtLeast, type Group, Optimizer, type OptimizerOptions, type ParameterGroup } from "./optimizer.js";

export interface AdamOptions extends OptimizerOptions {
  /** Default 0.001. */
  readonly lr: number;
  /** How fast the means of the gradient and of its square forget (default [0.9, 0.999]). */
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

type Options = Omit<AdamOptions, "lr"> & { readonly lr?: number };

/** `1 − βᵗ` for a tensor t, exact where βᵗ is near 1. */
function oneMinusPower(beta: number, t: Tensor): Tensor {
  return expm1(t.mul(Math.log(beta))).neg();
}

abstract class AdamBase extends Optimizer<AdamOptions> {
  /** Whether weight decay is applied to the weights and not to the gradient. */
  protected abstract readonly decoupled: boolean;

  constructor(params: readonly Variable[] | readonly ParameterGroup<AdamOptions>[], options: Options, weightDecay: number) {
    super(params, { lr: 1e-3, weightDecay, ...options }, ({ amsgrad = false }) => [
      "exp_avg",
      "exp_avg_sq",
      ...(amsgrad ? ["max_exp_avg_sq"] : []),
    ]);
  }

  protected override check({ lr, betas = [0.9, 0.999], eps = 1e-8, weightDecay = 0 }: AdamOptions): void {
    const name = this.constructor.name;
    checkAtLeast(name, "lr", lr, 0);
    checkAtLeast(name, "eps", eps, 0);
    checkAtLeast(name, "weightDecay", weightDecay, 0);
    for (const beta of betas) checkAtLeast(name, "betas", beta, 0, 1);
  }

  protected override update({ params, options, lr, state }: Group<AdamOptions>, gradients: readonly Tensor[], t: Tensor): void {
    const { betas: [beta1, beta2] = [0.9, 0.999], eps = 1e-8, weightDecay = 0, amsgrad = false, maximize = false } = options;
    const rate = lr.value.div(oneMinusPower(beta1, t));
    const root = oneMinusPower(beta2, t).rsqrt();
    params.forEach((p, i) => {
      const { exp_avg, exp_avg_sq, max_exp_avg_sq } = state[i] as Record<string, Variable>;
      let value = p.value;
      let g = maximize ? gradients[i]!.neg() : gradients[i]!;
      if (weightDecay !== 0 && this.decoupled) value = value.mul(lr.value.mul(-weightDecay).add(1));
      else if (weightDecay !== 0) g = g.add(value.mul(weightDecay));
      const m = exp_avg!.value.mul(beta1).add(g.mul(1 - beta1));
      const v = exp_avg_sq!.value.mul(beta2).add(g.square().mul(1 - beta2));
      exp_avg!.value = m;
      exp_avg_sq!.value = v;
      let greatest = v;
      if (amsgrad) {
        greatest = max_exp_avg_sq!.value.maximum(v);
        max_exp_avg_sq!.value = greatest;
      }
      p.value = value.sub(m.mul(rate).div(greatest.sqrt().mul(root).add(eps)));
    });
  }
}

/**
 * Adam (Kingma and Ba, 2015), as [torch.optim.Adam](https://pytorch.org/docs/stable/generated/torch.optim.Adam.html):
 * `p ← p − lr·m̂ / (√v̂ + eps)`; weight decay is an L2 penalty.
 *
 * @example
 * ```ts
 * new Adam(model.parameters(), { lr: 1e-3 });
 * ```
 */
export class Adam extends AdamBase {
  protected readonly decoupled = false;

  constructor(params: readonly Variable[] | readonly ParameterGroup<AdamOptions>[], options: Options = {}) {
    super(params, options, 0);
  }
}

/**
 * Adam with decoupled weight decay (Loshchilov and Hutter, 2019), as
 * [torch.optim.AdamW](https://pytorch.org/docs/stable/generated/torch.optim.AdamW.html): `p ← p·(1 − lr·weightDecay)` first.
 *
 * @example
 * ```ts
 * new AdamW(model.parameters(), { lr: 1e-3, weightDecay: 0.05 });
 * ```
 */
export class AdamW extends AdamBase {
  protected readonly decoupled = true;

  constructor(params: readonly Variable[] | readonly ParameterGroup<AdamOptions>[], options: Options = {}) {
    super(params, options, 0.01);
  }
}

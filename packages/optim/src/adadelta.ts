// Adadelta.

import { type Tensor, zerosLike } from "@nn/tensor";
import { checkAtLeast, checkCommon } from "./check.js";
import { blend, directed } from "./formulas.js";
import type { Group, OptimizerOptions, Params, Slots } from "./group.js";
import { Optimizer } from "./optimizer.js";

/** Options of {@link Adadelta}. */
export interface AdadeltaOptions extends Partial<OptimizerOptions> {
  /** What updates are multiplied by (default 1). */
  readonly lr?: number;
  /** How slowly both means of squares forget (default 0.9). */
  readonly rho?: number;
  /** Added inside both roots (default 1e-6). */
  readonly eps?: number;
  /** L2 penalty (default 0). */
  readonly weightDecay?: number;
  /** Climb instead of descend (default false). */
  readonly maximize?: boolean;
}

/**
 * Steps as large as past steps were, relative to past gradients (Zeiler, 2012), as
 * [torch.optim.Adadelta](https://pytorch.org/docs/stable/generated/torch.optim.Adadelta.html).
 *
 * State of each parameter: `square_avg`, `acc_delta`.
 *
 * @example
 * ```ts
 * new Adadelta(model.parameters());
 * ```
 */
export class Adadelta extends Optimizer<Required<AdadeltaOptions>> {
  constructor(params: Params<AdadeltaOptions>, options: AdadeltaOptions = {}) {
    super(params, options, { lr: 1, rho: 0.9, eps: 1e-6, weightDecay: 0, maximize: false });
  }

  protected override check(options: Required<AdadeltaOptions>): void {
    checkCommon("Adadelta", options);
    checkAtLeast("Adadelta", "rho", options.rho, 0, 1);
    checkAtLeast("Adadelta", "eps", options.eps, 0);
  }

  protected override slots(): Slots {
    return { square_avg: zerosLike, acc_delta: zerosLike };
  }

  protected override update(
    { params, options, rate, state }: Group<Required<AdadeltaOptions>>,
    gradients: readonly Tensor[],
  ): void {
    const { rho, eps } = options;
    for (const [i, p] of params.entries()) {
      const { square_avg, acc_delta } = state[i];
      const value = p.value;
      const g = directed(gradients[i], value, options);
      const v = blend(square_avg.value, g.square(), rho);
      const delta = acc_delta.value.add(eps).sqrt().div(v.add(eps).sqrt()).mul(g);
      square_avg.value = v;
      acc_delta.value = blend(acc_delta.value, delta.square(), rho);
      p.value = value.sub(delta.mul(rate.value));
    }
  }
}

// RMSprop.

import { type Tensor, zerosLike } from "@nn/tensor";
import { checkAtLeast, checkCommon } from "./check.js";
import { blend, directed } from "./formulas.js";
import type { Group, OptimizerOptions, Params, Slots } from "./group.js";
import { Optimizer } from "./optimizer.js";

/** Options of {@link RMSprop}. */
export interface RMSpropOptions extends Partial<OptimizerOptions> {
  /** Learning rate (default 0.01). */
  readonly lr?: number;
  /** How slowly the mean of the squared gradient forgets (default 0.99). */
  readonly alpha?: number;
  /** Added to the denominator, outside the root (default 1e-8). */
  readonly eps?: number;
  /** L2 penalty (default 0). */
  readonly weightDecay?: number;
  /** Share of the last update that is kept (default 0). */
  readonly momentum?: number;
  /** Divide by the deviation from the mean gradient (default false). */
  readonly centered?: boolean;
  /** Climb instead of descend (default false). */
  readonly maximize?: boolean;
}

/**
 * Divides gradients by a running root mean square (Hinton, lecture 6e), as
 * [torch.optim.RMSprop](https://pytorch.org/docs/stable/generated/torch.optim.RMSprop.html):
 * `v ← α·v + (1 − α)·g²`, `p ← p − lr·g / (√v + eps)`; `centered` takes the variance for `v`.
 *
 * State of each parameter: `square_avg`, with momentum `momentum_buffer`, centered `grad_avg`.
 *
 * @example
 * ```ts
 * new RMSprop(model.parameters(), { lr: 1e-3, momentum: 0.9 });
 * ```
 */
export class RMSprop extends Optimizer<Required<RMSpropOptions>> {
  constructor(params: Params<RMSpropOptions>, options: RMSpropOptions = {}) {
    const defaults = {
      lr: 0.01,
      alpha: 0.99,
      eps: 1e-8,
      weightDecay: 0,
      momentum: 0,
      centered: false,
      maximize: false,
    };
    super(params, options, defaults);
  }

  protected override check(options: Required<RMSpropOptions>): void {
    checkCommon("RMSprop", options);
    checkAtLeast("RMSprop", "alpha", options.alpha, 0);
    checkAtLeast("RMSprop", "eps", options.eps, 0);
    checkAtLeast("RMSprop", "momentum", options.momentum, 0);
  }

  protected override slots({ momentum, centered }: Required<RMSpropOptions>): Slots {
    return {
      square_avg: zerosLike,
      ...(momentum > 0 ? { momentum_buffer: zerosLike } : {}),
      ...(centered ? { grad_avg: zerosLike } : {}),
    };
  }

  protected override update(
    { params, options, rate, state, momentum: turned }: Group<Required<RMSpropOptions>>,
    gradients: readonly Tensor[],
  ): void {
    const { alpha, eps, centered } = options;
    const momentum = turned?.value ?? options.momentum;
    for (const [i, p] of params.entries()) {
      const { square_avg, momentum_buffer, grad_avg } = state[i];
      const value = p.value;
      const g = directed(gradients[i], value, options);
      let v = blend(square_avg.value, g.square(), alpha);
      square_avg.value = v;
      if (centered) {
        const mean = blend(grad_avg.value, g, alpha);
        grad_avg.value = mean;
        // Rounding must not bring it below 0.
        v = v.sub(mean.square()).clamp(0);
      }
      let step = g.div(v.sqrt().add(eps));
      if (momentum !== 0) {
        step = momentum_buffer.value.mul(momentum).add(step);
        momentum_buffer.value = step;
      }
      p.value = value.sub(step.mul(rate.value));
    }
  }
}

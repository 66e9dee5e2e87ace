// Stochastic gradient descent.

import { eq, fail, type Tensor, type Variable, where } from "@nn/tensor";
import { checkAtLeast, type Group, Optimizer, type OptimizerOptions, type ParameterGroup } from "./optimizer.js";

export interface SGDOptions extends OptimizerOptions {
  /** Share of the last update that is kept (default 0). */
  readonly momentum?: number;
  /** Share of the gradient that is left out of the momentum (default 0). */
  readonly dampening?: number;
  /** L2 penalty (default 0). */
  readonly weightDecay?: number;
  /** Look ahead along the momentum (default false); needs momentum and no dampening. */
  readonly nesterov?: boolean;
  /** Climb instead of descend (default false). */
  readonly maximize?: boolean;
}

/**
 * Gradient descent with momentum, as [torch.optim.SGD](https://pytorch.org/docs/stable/generated/torch.optim.SGD.html):
 * `b ← μ·b + (1 − dampening)·g` (at first `b = g`), `p ← p − lr·b`, or with Nesterov `p ← p − lr·(g + μ·b)`.
 *
 * @example
 * ```ts
 * new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
 * ```
 */
export class SGD extends Optimizer<SGDOptions> {
  constructor(params: readonly Variable[] | readonly ParameterGroup<SGDOptions>[], options: SGDOptions) {
    super(params, options, ({ momentum = 0 }) => (momentum === 0 ? [] : ["momentum_buffer"]));
  }

  protected override check({ lr, momentum = 0, dampening = 0, weightDecay = 0, nesterov = false }: SGDOptions): void {
    checkAtLeast("SGD", "lr", lr, 0);
    checkAtLeast("SGD", "momentum", momentum, 0);
    checkAtLeast("SGD", "weightDecay", weightDecay, 0);
    if (nesterov && (momentum === 0 || dampening !== 0)) {
      fail({ op: "SGD", expected: "momentum > 0 and no dampening for nesterov", got: `momentum ${momentum}, dampening ${dampening}` });
    }
  }

  protected override update({ params, options, lr, state }: Group<SGDOptions>, gradients: readonly Tensor[], t: Tensor): void {
    const { momentum = 0, dampening = 0, weightDecay = 0, nesterov = false, maximize = false } = options;
    params.forEach((p, i) => {
      const value = p.value;
      let g = maximize ? gradients[i]!.neg() : gradients[i]!;
      if (weightDecay !== 0) g = g.add(value.mul(weightDecay));
      if (momentum !== 0) {
        const buffer = state[i]!["momentum_buffer"]!;
        let b = buffer.value.mul(momentum).add(g.mul(1 - dampening));
        if (dampening !== 0) b = where(eq(t, 1), g, b);
        buffer.value = b;
        g = nesterov ? g.add(b.mul(momentum)) : b;
      }
      p.value = value.sub(g.mul(lr.value));
    });
  }
}

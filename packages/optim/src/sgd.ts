// Stochastic gradient descent.

import { eq, fail, type Tensor, where, zerosLike } from "@nn/tensor";
import { checkAtLeast, checkCommon } from "./check.js";
import { directed } from "./formulas.js";
import type { Group, OptimizerOptions, Params, Slots } from "./group.js";
import { Optimizer } from "./optimizer.js";

/** Options of {@link SGD}. */
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
 * State of each parameter: `momentum_buffer`, if there is momentum.
 *
 * @example
 * ```ts
 * new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
 * new SGD([{ params: backbone, lr: 0.01 }, { params: head }], { lr: 0.1 });
 * ```
 */
export class SGD extends Optimizer<Required<SGDOptions>> {
  constructor(params: Params<SGDOptions>, options: SGDOptions) {
    const defaults = { momentum: 0, dampening: 0, weightDecay: 0, nesterov: false, maximize: false };
    super(params, options, defaults);
  }

  protected override check(options: Required<SGDOptions>): void {
    const { momentum, dampening, nesterov } = options;
    checkCommon("SGD", options);
    checkAtLeast("SGD", "momentum", momentum, 0);
    if (nesterov && (momentum === 0 || dampening !== 0)) {
      fail({
        op: "SGD",
        expected: "momentum > 0 and no dampening for nesterov",
        got: `momentum ${momentum}, dampening ${dampening}`,
      });
    }
  }

  protected override slots({ momentum }: Required<SGDOptions>): Slots {
    return momentum === 0 ? {} : { momentum_buffer: zerosLike };
  }

  protected override update(
    { params, options, rate, state, momentum: turned }: Group<Required<SGDOptions>>,
    gradients: readonly Tensor[],
    t: Tensor,
  ): void {
    const { dampening, nesterov } = options;
    const momentum = turned?.value ?? options.momentum;
    for (const [i, p] of params.entries()) {
      const value = p.value;
      let g = directed(gradients[i], value, options);
      if (momentum !== 0) {
        const { momentum_buffer } = state[i];
        let b = momentum_buffer.value.mul(momentum).add(g.mul(1 - dampening));
        if (dampening !== 0) b = where(eq(t, 1), g, b);
        momentum_buffer.value = b;
        g = nesterov ? g.add(b.mul(momentum)) : b;
      }
      p.value = value.sub(g.mul(rate.value));
    }
  }
}

// Rprop: only the signs of gradients.

import { fail, full, sign, type Tensor, where, zerosLike } from "@nn/tensor";
import { checkAtLeast, checkCommon } from "./check.js";
import type { Group, OptimizerOptions, Params, Slots } from "./group.js";
import { Optimizer } from "./optimizer.js";

/** Options of {@link Rprop}. */
export interface RpropOptions extends Partial<OptimizerOptions> {
  /** First step size of every element (default 0.01); changing it later changes nothing. */
  readonly lr?: number;
  /** What step sizes are multiplied by where the sign of the gradient changes, and where it stays (default [0.5, 1.2]). */
  readonly etas?: readonly [number, number];
  /** Least and greatest step size (default [1e-6, 50]). */
  readonly stepSizes?: readonly [number, number];
  /** Climb instead of descend (default false). */
  readonly maximize?: boolean;
}

/**
 * Resilient backpropagation (Riedmiller and Braun, 1993), for full batches: every element has a step size of its own,
 * as [torch.optim.Rprop](https://pytorch.org/docs/stable/generated/torch.optim.Rprop.html).
 *
 * State of each parameter: `prev`, `step_size`.
 *
 * @example
 * ```ts
 * new Rprop(model.parameters());
 * ```
 */
export class Rprop extends Optimizer<Required<RpropOptions>> {
  constructor(params: Params<RpropOptions>, options: RpropOptions = {}) {
    super(params, options, { lr: 0.01, etas: [0.5, 1.2], stepSizes: [1e-6, 50], maximize: false });
  }

  protected override check(options: Required<RpropOptions>): void {
    const { etas, stepSizes } = options;
    checkCommon("Rprop", options);
    if (!(etas[0] > 0 && etas[0] < 1 && etas[1] > 1)) {
      fail({ op: "Rprop", expected: "etas with 0 < etas[0] < 1 < etas[1]", got: JSON.stringify(etas) });
    }
    checkAtLeast("Rprop", "stepSizes[0]", stepSizes[0], 0);
    checkAtLeast("Rprop", "stepSizes[1]", stepSizes[1], stepSizes[0]);
  }

  protected override slots({ lr }: Required<RpropOptions>): Slots {
    return { prev: zerosLike, step_size: (p) => full(p.shape, lr) };
  }

  protected override update(
    { params, options, state }: Group<Required<RpropOptions>>,
    gradients: readonly Tensor[],
  ): void {
    const {
      etas: [down, up],
      stepSizes: [least, greatest],
      maximize,
    } = options;
    for (const [i, p] of params.entries()) {
      const { prev, step_size } = state[i];
      const given = maximize ? gradients[i].neg() : gradients[i];
      const agree = sign(given).mul(sign(prev.value));
      const factor = where(agree.gt(0), up, where(agree.lt(0), down, 1));
      const size = step_size.value.mul(factor).clamp(least, greatest);
      // Where the sign has changed, this step is left out, and the next one counts as the first.
      const g = where(agree.lt(0), 0, given);
      prev.value = g;
      step_size.value = size;
      p.value = p.value.sub(sign(g).mul(size));
    }
  }
}

// Formulas that several optimisers share.

import { expm1, onesLike, type Tensor } from "@nn/tensor";

/** The gradient to go down along: turned round to climb, with the L2 penalty added. */
export function directed(
  gradient: Tensor,
  value: Tensor,
  { maximize, weightDecay }: { readonly maximize: boolean; readonly weightDecay: number },
): Tensor {
  const g = maximize ? gradient.neg() : gradient;
  return weightDecay === 0 ? g : g.add(value.mul(weightDecay));
}

/** A running mean: `decay · mean + (1 − decay) · now`. */
export function blend(mean: Tensor, now: Tensor, decay: number): Tensor {
  return mean.mul(decay).add(now.mul(1 - decay));
}

/** `1 − βᵗ` for a tensor t, exact where βᵗ is near 1: the logarithm is taken in double precision. */
export function oneMinusPower(beta: number, t: Tensor): Tensor {
  return beta === 0 ? onesLike(t) : expm1(t.mul(Math.log(beta))).neg();
}

// Formulas that several optimisers share.

import { expm1, type Operand, onesLike, type Tensor } from "@nn/tensor";
import type { Group, OptimizerOptions } from "./group.js";

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
export function blend(mean: Tensor, now: Tensor, decay: Operand): Tensor {
  return mean.mul(decay).add(now.mul(typeof decay === "number" ? 1 - decay : decay.neg().add(1)));
}

/** β₁ and β₂; the first is a tensor where a schedule turns it. */
export function betasOf(group: Group<OptimizerOptions & { betas: readonly [number, number] }>): [Operand, number] {
  const [beta1, beta2] = group.options.betas;
  return [group.momentum?.value ?? beta1, beta2];
}

/** `1 − βᵗ` for a tensor t, exact where βᵗ is near 1: the logarithm of a number is taken in double precision. */
export function oneMinusPower(beta: Operand, t: Tensor): Tensor {
  if (typeof beta !== "number") return expm1(t.mul(beta.log())).neg();
  return beta === 0 ? onesLike(t) : expm1(t.mul(Math.log(beta))).neg();
}

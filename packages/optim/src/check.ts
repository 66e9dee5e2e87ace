// Checks of options that all optimisers share.

import { fail } from "@nn/tensor";

/** A finite number of at least `least` (and less than `below`). */
export function checkAtLeast(
  op: string,
  name: string,
  value: number,
  least: number,
  below = Number.POSITIVE_INFINITY,
): number {
  if (Number.isFinite(value) && value >= least && value < below) return value;
  const bound = below === Number.POSITIVE_INFINITY ? "" : ` and < ${below}`;
  return fail({ op, expected: `${name} ≥ ${least}${bound}`, got: `${value}` });
}

/** A whole number of at least `least`. */
export function checkSteps(op: string, name: string, value: number, least = 1): number {
  if (Number.isInteger(value) && value >= least) return value;
  return fail({ op, expected: `${name} to be a whole number ≥ ${least}`, got: `${value}` });
}

/** What all optimisers check. */
export function checkCommon(op: string, { lr, weightDecay }: { lr: number; weightDecay?: number }): void {
  checkAtLeast(op, "lr", lr, 0);
  if (weightDecay !== undefined) checkAtLeast(op, "weightDecay", weightDecay, 0);
}

/** Two decay rates from 0 to 1. */
export function checkBetas(op: string, betas: readonly [number, number]): void {
  if (!Array.isArray(betas) || betas.length !== 2) {
    fail({ op, expected: "betas to be two numbers", got: JSON.stringify(betas) });
  }
  for (const [i, beta] of betas.entries()) checkAtLeast(op, `betas[${i}]`, beta, 0, 1);
}

// Checks of constructor arguments and inputs that many layers share.

import { fail, show, type Tensor } from "@nn/tensor";

/** A whole number of at least `least`. */
export function checkCount(layer: string, name: string, value: number, least = 1): number {
  if (Number.isInteger(value) && value >= least) return value;
  return fail({ op: layer, expected: `${name} to be a whole number ≥ ${least}`, got: `${value}` });
}

/** A probability from 0 to 1. */
export function checkProbability(layer: string, p: number): number {
  if (p >= 0 && p <= 1) return p;
  return fail({ op: layer, expected: "a probability from 0 to 1", got: `${p}` });
}

/** Indices or labels of an integer dtype. */
export function checkIntegers(op: string, what: string, t: Tensor): void {
  if (t.dtype === "i32" || t.dtype === "u32") return;
  fail({ op, expected: `${what} of dtype i32`, got: `${t.dtype} ${show(t.shape)}`, hint: 'Convert them with .cast("i32").' });
}

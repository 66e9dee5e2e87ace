// Checks of constructor arguments and inputs that many layers share.

import { fail, NNError, type Spec, show } from "@nn/tensor";

/** A whole number of at least `least`. */
export function checkCount(layer: string, name: string, value: number, least = 1): number {
  if (Number.isInteger(value) && value >= least) return value;
  return fail({ op: layer, expected: `${name} to be a whole number ≥ ${least}`, got: said(value) });
}

/** A finite number, at least `least`. */
export function checkNumber(layer: string, name: string, value: number, least = Number.NEGATIVE_INFINITY): number {
  if (Number.isFinite(value) && value >= least) return value;
  const bound = least === Number.NEGATIVE_INFINITY ? "a finite number" : `a number ≥ ${least}`;
  return fail({ op: layer, expected: `${name} to be ${bound}`, got: said(value) });
}

/** A finite number above 0. */
export function checkPositive(layer: string, name: string, value: number): number {
  if (Number.isFinite(value) && value > 0) return value;
  return fail({ op: layer, expected: `${name} to be a number > 0`, got: said(value) });
}

/** A share or probability, from 0 to 1. */
export function checkProbability(layer: string, name: string, p: number): number {
  if (p >= 0 && p <= 1) return p;
  return fail({ op: layer, expected: `${name} from 0 to 1`, got: said(p) });
}

/** One of several words. */
export function checkChoice<T extends string>(op: string, name: string, value: T, choices: readonly T[]): T {
  if (choices.includes(value)) return value;
  return fail({ op, expected: `${name} ${choices.map((c) => `"${c}"`).join(" or ")}`, got: said(value) });
}

/** Indices or labels of an integer dtype. */
export function checkIntegers(op: string, what: string, t: Spec): void {
  if (t.dtype === "i32" || t.dtype === "u32") return;
  fail({
    op,
    expected: `${what} of dtype i32`,
    got: `${t.dtype} ${show(t.shape)}`,
    hint: 'Convert them with .cast("i32").',
  });
}

/** Runs a gather whose indices count `what`, so that one out of range is named as such. */
export function withNumbersOf<T>(op: string, what: string, count: number, hint: string, body: () => T): T {
  try {
    return body();
  } catch (e) {
    if (!(e instanceof NNError && e.op === "gather")) throw e;
    return fail({ op, expected: `${what} from 0 to ${count - 1}`, got: e.got, hint });
  }
}

function said(value: unknown): string {
  return typeof value === "string" ? `"${value}"` : String(value);
}

// Checks of options that many functions have.

import { fail } from "@nn/tensor";

/** `value` if it is a whole number from `least` on; else an error. */
export function checkWhole(op: string, name: string, value: number, least = 1): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  return fail({ op, expected: `${name} to be a whole number, ${least} or more`, got: `${value}` });
}

/** `value` if it is a share, from 0 to 1; else an error. */
export function checkShare(op: string, name: string, value: number): number {
  if (value >= 0 && value <= 1) return value;
  return fail({ op, expected: `${name} from 0 to 1`, got: `${value}` });
}

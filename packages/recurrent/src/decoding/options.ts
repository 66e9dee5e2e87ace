// Checks of options that the searches share.

import { fail } from "@nn/tensor";

/** A whole number of at least `least`. */
export function atLeast(op: string, name: string, value: number, least: number): void {
  if (!Number.isInteger(value) || value < least)
    fail({ op, expected: `${name}, a whole number ≥ ${least}`, got: `${value}` });
}

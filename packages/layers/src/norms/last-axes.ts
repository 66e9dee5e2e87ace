// What LayerNorm and RMSNorm share: which axes they normalise.

import { fail, show, type Tensor } from "@nn/tensor";
import { checkCount } from "../check.js";

/** The sizes of the last axes, from a number for one of them, or a list. */
export function lastAxes(layer: string, normalizedShape: number | readonly number[]): readonly number[] {
  const shape = typeof normalizedShape === "number" ? [normalizedShape] : [...normalizedShape];
  checkCount(layer, "the number of axes of normalizedShape", shape.length);
  for (const d of shape) checkCount(layer, "normalizedShape", d);
  return shape;
}

/** How many axes of x come before those; throws if x does not end with them. */
export function axesBefore(op: string, x: Tensor, normalizedShape: readonly number[]): number {
  const first = x.rank - normalizedShape.length;
  if (first >= 0 && normalizedShape.every((d, i) => d === x.shape[first + i])) return first;
  return fail({
    op,
    expected: `x (…, ${normalizedShape.join(", ")})`,
    got: show(x.shape),
    hint: "The last axes are normalised: permute the input, or change normalizedShape.",
  });
}

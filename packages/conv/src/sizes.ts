// Kernel sizes, strides and padding as users write them: one number for all axes, or one per axis.

import { fail, type Padding } from "@nn/tensor";

/** One number for all axes, or one per axis. */
export type Size = number | readonly number[];

/** A list with one whole number ≥ `least` per axis. */
export function perAxis(op: string, name: string, value: Size, axes: number, least = 1): number[] {
  const list = typeof value === "number" ? new Array<number>(axes).fill(value) : [...value];
  if (list.length !== axes || list.some((v) => !Number.isInteger(v) || v < least)) {
    fail({ op, expected: `${name} to be a whole number ≥ ${least}${axes > 1 ? `, or ${axes} of them` : ""}`, got: JSON.stringify(value) });
  }
  return list;
}

/** Padding before and after each axis. "same" keeps the size (stride 1), the odd element goes after, as in PyTorch. */
export function paddingPairs(
  op: string, padding: Size | "same" | "valid", kernel: readonly number[], stride: readonly number[], dilation: readonly number[],
): Padding[] {
  if (padding === "valid") return kernel.map(() => [0, 0]);
  if (padding === "same") {
    if (stride.some((s) => s !== 1)) fail({ op, expected: 'stride 1 with padding "same"', got: JSON.stringify(stride), hint: "Give the padding as numbers." });
    return kernel.map((k, i) => {
      const total = dilation[i]! * (k - 1);
      return [Math.floor(total / 2), Math.ceil(total / 2)];
    });
  }
  if (typeof padding === "string") fail({ op, expected: 'padding as numbers, "same" or "valid"', got: `"${padding}"` });
  return perAxis(op, "padding", padding, kernel.length, 0).map((p) => [p, p]);
}

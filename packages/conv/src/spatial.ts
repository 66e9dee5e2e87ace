// What convolution and pooling share: options per spatial axis, padding, and sizes of outputs. No tensors here.

import { fail, type Padding } from "@nn/tensor";

/** One number for all spatial axes, or one per axis. */
export type Size = number | readonly number[];

/** `"L"`, `"H, W"` or `"D, H, W"`: how the spatial axes are called in messages. */
export const axisNames = (axes: number): string => ["", "L", "H, W", "D, H, W"][axes] ?? `${axes} axes`;

/** An option as one integer ≥ `least` per axis. */
export function perAxis(op: string, name: string, value: Size, axes: number, least: number): number[] {
  const list = typeof value === "number" ? new Array<number>(axes).fill(value) : value;
  if (Array.isArray(list) && list.length === axes && list.every((v) => Number.isInteger(v) && v >= least))
    return [...list];
  return fail({
    op,
    expected: `${name}: an integer ≥ ${least}${axes > 1 ? `, or ${axes} of them (${axisNames(axes)})` : ""}`,
    got: JSON.stringify(value) ?? String(value),
  });
}

/** An integer ≥ `least`. */
export function count(op: string, name: string, value: number, least = 1): number {
  if (Number.isInteger(value) && value >= least) return value;
  return fail({ op, expected: `${name}: an integer ≥ ${least}`, got: `${value}` });
}

/** Elements that a kernel of `size` spans. */
export const extent = (size: number, dilation: number): number => dilation * (size - 1) + 1;

/** Whether there is padding on an axis. */
export const isPadded = ([before, after]: Padding): boolean => before + after > 0;

/** Where windows lie along each spatial axis. */
export interface Windows {
  readonly stride: readonly number[];
  /** Elements added before and after each axis. */
  readonly padding: readonly Padding[];
  readonly dilation: readonly number[];
}

/** Spatial sizes of an output, the number of windows along each axis; less than 1 where the kernel does not fit. */
export function outputSizes(
  size: readonly number[],
  kernel: readonly number[],
  { stride, padding, dilation }: Windows,
): number[] {
  return size.map((d, i) => {
    const [before, after] = padding[i]!;
    return Math.floor((d + before + after - extent(kernel[i]!, dilation[i]!)) / stride[i]!) + 1;
  });
}

/** {@link outputSizes}, or an error naming the first axis that is too short. */
export function outputSizesOrFail(
  op: string,
  size: readonly number[],
  kernel: readonly number[],
  windows: Windows,
): number[] {
  const counts = outputSizes(size, kernel, windows);
  const short = counts.findIndex((n) => n < 1);
  if (short < 0) return counts;
  const axis = axisNames(size.length).split(", ")[short]!;
  const [before, after] = windows.padding[short]!;
  const dilation = windows.dilation[short]!;
  return fail({
    op,
    expected: `${axis} ≥ ${Math.max(1, extent(kernel[short]!, dilation) - before - after)} for a kernel of ${kernel[short]}${dilation > 1 ? ` with dilation ${dilation}` : ""} and padding ${before} + ${after}`,
    got: `${axis} = ${size[short]}`,
    hint: "Use a larger input, a smaller kernel, or more padding.",
  });
}

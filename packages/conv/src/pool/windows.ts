// What max- and average-pooling share: their windows, and how an element-wise function is taken over each window.

import {
  apply1,
  type Expr,
  expr,
  fail,
  map,
  type Padding,
  reduce,
  type ScalarFn,
  type Spec,
  show,
  sizeOf,
  slice,
  slidingWindow,
  type Tensor,
} from "@nn/tensor";
import { inBatch } from "../batch.js";
import { axisNames, extent, outputSizes, outputSizesOrFail, perAxis, type Size, type Windows } from "../spatial.js";

/** Options of both poolings. */
export interface PoolOptions {
  /** Distance between windows (default: the kernel size, so that they touch). */
  readonly stride?: Size;
  /** Padding on both sides, at most half a window (default 0). It is never the maximum, and 0 in an average. */
  readonly padding?: Size;
  /** Whether a last window that reaches over the end counts, too, as long as it starts before (default false). */
  readonly ceilMode?: boolean;
}

/** Attributes of pooling ops; one entry per spatial axis. */
export interface PoolAttrs extends Windows {
  readonly kernelSize: readonly number[];
}

/**
 * Options as attributes, for an input of `size`. The padding after an axis also holds what the last window of
 * `ceilMode` reaches over the end.
 */
export function poolAttrs(
  op: string,
  size: readonly number[],
  kernel: Size,
  { ceilMode = false, ...options }: PoolOptions & { dilation?: Size },
): PoolAttrs {
  const axes = size.length;
  const { kernelSize, stride, padding, dilation } = poolWindows(op, kernel, options, axes);
  const pairs = size.map((d, i): Padding => {
    const [p, s] = [padding[i]!, stride[i]!];
    if (!ceilMode) return [p, p];
    const span = extent(kernelSize[i]!, dilation[i]!);
    let n = Math.ceil((d + 2 * p - span) / s) + 1;
    if ((n - 1) * s >= d + p) n--; // the last window would start in the padding after
    return [p, Math.max(p, (n - 1) * s + span - d - p)];
  });
  return { kernelSize, stride, padding: pairs, dilation };
}

/** Checks the options that do not depend on the input. */
export function poolWindows(op: string, kernel: Size, options: PoolOptions & { dilation?: Size }, axes: number) {
  if (axes < 1 || axes > 3) fail({ op, expected: "1, 2 or 3 spatial axes", got: `${axes}` });
  const kernelSize = perAxis(op, "kernelSize", kernel, axes, 1);
  const stride = perAxis(op, "stride", options.stride ?? kernelSize, axes, 1);
  const padding = perAxis(op, "padding", options.padding ?? 0, axes, 0);
  const dilation = perAxis(op, "dilation", options.dilation ?? 1, axes, 1);
  const most = kernelSize.map((k, i) => Math.floor(extent(k, dilation[i]!) / 2));
  if (padding.some((p, i) => p > most[i]!)) {
    fail({
      op,
      expected: `padding at most half a window: ${show(most)}`,
      got: show(padding),
      hint: "Pad the input with pad() if you mean it.",
    });
  }
  return { kernelSize, stride, padding, dilation };
}

/** {@link inBatch}; a kernel size with one number per axis says how many there are, a single number takes a batch. */
export function pooled(op: string, x: Tensor, kernelSize: Size, body: (x: Tensor) => Tensor): Tensor {
  return inBatch(op, x, typeof kernelSize === "number" ? x.rank - 2 : kernelSize.length, "C", body);
}

/** Spatial sizes of a pooled output. */
export function pooledSizes(size: readonly number[], attrs: PoolAttrs): number[] {
  return outputSizes(size, attrs.kernelSize, attrs);
}

/** The shape rule of pooling: (N, C, …) → (N, C, … windows). */
export function inferPool(op: string, x: Spec, attrs: PoolAttrs): Spec {
  const axes = attrs.kernelSize.length;
  if (x.shape.length !== axes + 2) fail({ op, expected: `x (N, C, ${axisNames(axes)})`, got: show(x.shape) });
  return {
    shape: [...x.shape.slice(0, 2), ...outputSizesOrFail(op, x.shape.slice(2), attrs.kernelSize, attrs)],
    dtype: x.dtype,
  };
}

/** Every input of a map is a buffer of its own to a GPU, which binds about eight. */
export const FAN_IN = 7;

/**
 * `add` or `max` over each window of a padded x, in the way that costs a backend least: small windows in one map
 * over shifted slices, medium ones so axis by axis, large ones as a reduction.
 */
export function overWindows(f: ScalarFn & ("add" | "max"), x: Tensor, attrs: PoolAttrs): Tensor {
  const { kernelSize } = attrs;
  if (sizeOf(kernelSize) <= FAN_IN)
    return foldSlices(
      f,
      offsetsOf(kernelSize).map((at) => sliceAt(x, at, attrs)),
    );
  if (kernelSize.every((k) => k <= FAN_IN)) {
    const one = kernelSize.map(() => 1);
    return kernelSize.reduceRight((y, k, axis) => {
      const along = (list: readonly number[]) => one.with(axis, list[axis]!);
      const only = { kernelSize: along(kernelSize), stride: along(attrs.stride), dilation: along(attrs.dilation) };
      return k === 1 && only.stride[axis] === 1 ? y : overWindows(f, y, { ...attrs, ...only });
    }, x);
  }
  const windows = windowsOf(x, attrs);
  const axes = kernelSize.map((_, i) => 2 + kernelSize.length + i);
  return apply1(reduce, [windows], { of: f, axes, prologue: expr.input(0) });
}

function foldSlices(f: ScalarFn, slices: readonly Tensor[]): Tensor {
  if (slices.length === 1) return slices[0]!;
  const formula = slices.map((_, i): Expr => expr.input(i)).reduce((a, b) => expr.call(f, a, b));
  return apply1(map, slices, { expr: formula, shape: slices[0]!.shape });
}

/** All positions in a window, in row-major order. */
export function offsetsOf(kernel: readonly number[]): number[][] {
  return kernel.reduce<number[][]>(
    (list, k) => list.flatMap((at) => Array.from({ length: k }, (_, j) => [...at, j])),
    [[]],
  );
}

/** One element of every window: (N, C, … windows), a view of the padded x (N, C, …). */
export function sliceAt(x: Tensor, at: readonly number[], { kernelSize, stride, dilation }: PoolAttrs): Tensor {
  const range = at.map((j, i) => {
    const from = j * dilation[i]!;
    const last = Math.floor((x.shape[2 + i]! - extent(kernelSize[i]!, dilation[i]!)) / stride[i]!) * stride[i]!;
    return [from, from + last + 1, stride[i]!] as const;
  });
  return slice(x, [null, null, ...range]);
}

/** Every window: (N, C, … windows, … kernel), a view of the padded x. */
export function windowsOf(x: Tensor, { kernelSize, stride, dilation }: PoolAttrs): Tensor {
  return kernelSize.reduce((y, k, i) => slidingWindow(y, 2 + i, k, stride[i]!, dilation[i]!), x);
}

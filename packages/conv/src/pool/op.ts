// conv/maxPool, its gradient, and conv/avgPool, for 1 to 3 spatial axes, on views of windows.

import {
  apply1, assemble, defineOp, expr, fail, map, type OpDef, type Padding, pad, reduce, rowMajor, show, slidingWindow, type Tensor, tensor, type View, windowView,
} from "@nn/tensor";

const { call, index, input, num, select } = expr;

export interface PoolAttrs {
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  /** Before and after each axis alike. */
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
  /** Round the output size up: a last window may reach past the end. */
  readonly ceilMode: boolean;
}

/** Spatial sizes of the output. With ceilMode the last window must still begin inside the input or its left padding. */
export function pooledSizes(size: readonly number[], { kernel, stride, padding, dilation, ceilMode }: PoolAttrs): number[] {
  return size.map((d, i) => {
    const [s, p] = [stride[i]!, padding[i]!];
    const free = d + 2 * p - dilation[i]! * (kernel[i]! - 1) - 1;
    const n = (ceilMode ? Math.ceil(free / s) : Math.floor(free / s)) + 1;
    return ceilMode && (n - 1) * s >= d + p ? n - 1 : n;
  });
}

function inferPool(op: string, shape: readonly number[], attrs: PoolAttrs): number[] {
  const axes = attrs.kernel.length;
  if (shape.length !== axes + 2) fail({ op, expected: `x (N, C, ${["D", "H", "W"].slice(3 - axes).join(", ")})`, got: show(shape) });
  const out = pooledSizes(shape.slice(2), attrs);
  if (out.some((d) => d < 1)) fail({ op, expected: `an input at least as large as the window ${show(attrs.kernel)}`, got: show(shape) });
  return [...shape.slice(0, 2), ...out];
}

/** Padding so that every window is whole, and nothing that no window reaches matters. */
function reach(size: readonly number[], attrs: PoolAttrs): Padding[] {
  const out = pooledSizes(size, attrs);
  return size.map((d, i) => {
    const end = (out[i]! - 1) * attrs.stride[i]! + attrs.dilation[i]! * (attrs.kernel[i]! - 1) + 1;
    return [attrs.padding[i]!, end - d - attrs.padding[i]!];
  });
}

/** Views of the windows: (N, C, O…, K…). */
function windowsOf(x: Tensor, attrs: PoolAttrs, fill: number): Tensor {
  const pads = reach(x.shape.slice(2), attrs);
  const whole = pads.some(([a, b]) => a !== 0 || b !== 0) ? pad(x, pads, { value: fill }) : x;
  return attrs.kernel.reduce((t, k, i) => slidingWindow(t, i + 2, k, attrs.stride[i]!, attrs.dilation[i]!), whole);
}

const windowAxes = (axes: number) => Array.from({ length: axes }, (_, i) => 2 + axes + i);

/** x (N, C, S…) → greatest of each window (N, C, S′…). Padding never wins; NaN does. */
export const maxPoolOp: OpDef<PoolAttrs> = defineOp({
  name: "conv/maxPool",
  infer: ([x], attrs) => [{ shape: inferPool("maxPool", x!.shape, attrs), dtype: "f32" }],
  lower([x], attrs) {
    const windows = windowsOf(x!, attrs, Number.NEGATIVE_INFINITY);
    return [apply1(reduce, [windows], { of: "max", axes: windowAxes(attrs.kernel.length), prologue: input(0) })];
  },
  vjp: ([ct], { ins: [x], outs: [y], attrs }) => [ct && apply1(maxPoolGradOp, [x!, y!, ct], attrs)],
});

/** x, y = maxPool(x), dy → dx: all of it to the first maximum of each window. */
export const maxPoolGradOp: OpDef<PoolAttrs> = defineOp({
  name: "conv/maxPoolGrad",
  infer: ([x]) => [x!],
  lower([x, y, dy], attrs) {
    const axes = attrs.kernel.length;
    const windows = windowsOf(x!, attrs, Number.NEGATIVE_INFINITY);
    const spread = (t: Tensor) => t.reshape([...t.shape, ...attrs.kernel.map(() => 1)]).expand(windows.shape);
    const first = apply1(reduce, [windows, spread(y!)], { of: "min", axes: windowAxes(axes), prologue: firstHit(attrs.kernel) });
    const mine = apply1(map, [spread(first), spread(dy!)], {
      expr: select(call("eq", input(0, "i32"), placeIn(attrs.kernel)), input(1), num(0)),
      shape: windows.shape,
    });
    const pads = reach(x!.shape.slice(2), attrs);
    const shape = x!.shape.map((d, i) => (i < 2 ? d : d + pads[i - 2]![0] + Math.max(0, pads[i - 2]![1])));
    const region = attrs.kernel.reduce(
      (v: View, k, i) => windowView(v, i + 2, k, attrs.stride[i]!, attrs.dilation[i]!),
      { shape, dtype: "f32", offset: 0, strides: rowMajor(shape) },
    );
    const whole = apply1(assemble, [mine], { shape, fill: 0, regions: [region], accumulate: true });
    return [whole.slice(x!.shape.map((d, i) => (i < 2 ? null : [pads[i - 2]![0], pads[i - 2]![0] + d])))];
  },
});

/** Position of an element in its window; inputs of the formula have the shape (N, C, O…, K…). */
function placeIn(kernel: readonly number[]): expr.Expr {
  const first = 2 + kernel.length;
  return kernel.slice(1).reduce<expr.Expr>(
    (place, k, i) => call("add", call("mul", place, num(k, "i32")), index(first + 1 + i)),
    index(first),
  );
}

/** The place where it equals the maximum (or is NaN), else a number greater than any place. */
function firstHit(kernel: readonly number[]): expr.Expr {
  const [x, best] = [input(0), input(1)];
  return select(call("or", call("eq", x, best), call("ne", x, x)), placeIn(kernel), num(0x7fffffff, "i32"));
}

export interface AvgPoolAttrs extends PoolAttrs {
  /** Whether padding counts in the divisor. */
  readonly countIncludePad: boolean;
  /** Divides by this instead; 0: by the window's size. */
  readonly divisorOverride: number;
}

/** x (N, C, S…) → mean of each window (N, C, S′…). Linear: its gradient goes through the lowering until there is a kernel. */
export const avgPoolOp: OpDef<AvgPoolAttrs> = defineOp({
  name: "conv/avgPool",
  infer: ([x], attrs) => [{ shape: inferPool("avgPool", x!.shape, attrs), dtype: "f32" }],
  lower([x], attrs) {
    const axes = attrs.kernel.length;
    const sums = apply1(reduce, [windowsOf(x!, attrs, 0)], { of: "add", axes: windowAxes(axes), prologue: input(0) });
    if (attrs.divisorOverride !== 0) return [sums.mul(1 / attrs.divisorOverride)];
    const counts = attrs.kernel.map((_, i) => windowCounts(x!.shape[i + 2]!, sums.shape[i + 2]!, i, attrs));
    if (counts.every((list, i) => list.every((n) => n === attrs.kernel[i]))) {
      return [sums.mul(1 / attrs.kernel.reduce((a, b) => a * b, 1))];
    }
    return [
      counts.reduce((y, list, i) => y.mul(tensor(list.map((n) => 1 / n)).reshape([list.length, ...counts.slice(i + 1).map(() => 1)])), sums),
    ];
  },
});

/** How many elements each window has along an axis. */
function windowCounts(size: number, out: number, axis: number, { kernel, stride, padding, countIncludePad }: AvgPoolAttrs): number[] {
  const p = padding[axis]!;
  return Array.from({ length: out }, (_, i) => {
    const start = i * stride[axis]! - p;
    const end = Math.min(start + kernel[axis]!, size + p);
    return countIncludePad ? end - start : Math.min(end, size) - Math.max(start, 0);
  });
}

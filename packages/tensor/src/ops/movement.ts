// Movement of data: views where the strides allow it, copies only where they do not.

import { apply, apply1 } from "../apply.js";
import { fail, show } from "../errors.js";
import { call, cast, select as choose, type Expr, index, num } from "../expr.js";
import { defineOp, type OpDef } from "../op.js";
import { assemble, expandOp, gather, map, permuteOp, reshapeOp } from "../primitives.js";
import { axesOf, axisOf, checkShape, promote, rowMajor, sameShape, sizeOf } from "../spec.js";
import type { Tensor } from "../tensor.js";
import { sliceView, windowCount, windowView } from "../view.js";
import { zerosLike } from "./creation.js";
import { cast as castTensor, pointwise } from "./pointwise.js";

/** Another shape for the same elements in the same order; one size may be −1 and is then worked out. */
export function reshape(x: Tensor, shape: readonly number[]): Tensor {
  const unknown = shape.indexOf(-1);
  const known = sizeOf(shape.filter((d) => d !== -1));
  const full = unknown < 0 ? shape : shape.with(unknown, known === 0 ? 0 : x.size / known);
  // A second −1 is still there.
  if (!full.every((d) => Number.isInteger(d) && d >= 0) || sizeOf(full) !== x.size) {
    fail({
      op: "reshape",
      expected: `a shape with the ${x.size} elements of ${show(x.shape)} (one size may be −1)`,
      got: show(shape),
    });
  }
  return sameShape(full, x.shape) ? x : apply1(reshapeOp, [x], { shape: full });
}

/** Another order of the axes: result axis i is `x`'s axis `axes[i]`. */
export function permute(x: Tensor, axes: readonly number[]): Tensor {
  const order = axes.map((a) => axisOf("permute", a, x.rank));
  if (order.length !== x.rank || new Set(order).size !== x.rank) {
    fail({ op: "permute", expected: `each of the ${x.rank} axes of ${show(x.shape)} once`, got: show(axes) });
  }
  return apply1(permuteOp, [x], { axes: order });
}

/** Swaps two axes, the last two by default. */
export function transpose(x: Tensor, a = -2, b = -1): Tensor {
  const axes = [...x.shape.keys()];
  const [i, j] = [axisOf("transpose", a, x.rank), axisOf("transpose", b, x.rank)];
  [axes[i], axes[j]] = [axes[j]!, axes[i]!];
  return permute(x, axes);
}

/** Merges the axes from `start` to `end` (both included) into one. */
export function flatten(x: Tensor, start = 0, end = -1): Tensor {
  if (x.rank === 0) return reshape(x, [1]);
  const [i, j] = [axisOf("flatten", start, x.rank), axisOf("flatten", end, x.rank)];
  if (i > j) fail({ op: "flatten", expected: "start ≤ end", got: `${start} and ${end}` });
  return reshape(x, x.shape.toSpliced(i, j + 1 - i, sizeOf(x.shape.slice(i, j + 1))));
}

/** Drops axes of size 1: all of them, or those named (other sizes stay, as in PyTorch). */
export function squeeze(x: Tensor, axes?: number | readonly number[]): Tensor {
  const drop = axesOf("squeeze", axes, x.rank);
  return reshape(
    x,
    x.shape.filter((d, i) => !(d === 1 && drop.includes(i))),
  );
}

/** Inserts an axis of size 1 before `axis` (−1: at the end). */
export function unsqueeze(x: Tensor, axis: number): Tensor {
  const at = axisOf("unsqueeze", axis, x.rank + 1);
  return reshape(x, x.shape.toSpliced(at, 0, 1));
}

/** Repeats along axes of size 1 without copying; −1 keeps a size; new axes go in front. */
export function expand(x: Tensor, shape: readonly number[]): Tensor {
  const skip = shape.length - x.rank;
  const full = shape.map((d, i) => (d === -1 && i >= skip ? x.shape[i - skip]! : d));
  const fits = skip >= 0 && x.shape.every((d, i) => d === full[i + skip] || d === 1) && full.every((d) => d >= 0);
  if (!fits) fail({ op: "expand", expected: `a shape that ${show(x.shape)} broadcasts to`, got: show(shape) });
  return sameShape(full, x.shape) ? x : apply1(expandOp, [x], { shape: full });
}

/** A contiguous copy. */
export function contiguous(x: Tensor): Tensor {
  return apply1(contiguousOp, [x], {});
}
const contiguousOp = /* @__PURE__ */ pointwise<object>("contiguous", ([x]) => x!);

const sliceOp = /* @__PURE__ */ defineOp<{
  starts: readonly number[];
  steps: readonly number[];
  shape: readonly number[];
}>({
  name: "slice",
  infer: ([x], { shape }) => [{ shape, dtype: x!.dtype }],
  view: (of, { starts, steps, shape }) => sliceView(of, starts, steps, shape),
});

/** One axis of a slice as in Python, `[start, stop, step]`: negative numbers count from the end, `null` is open. */
export type Range = null | readonly [start: number | null, stop?: number | null, step?: number];

/**
 * Part of a tensor, as Python's `x[a:b:c, …]`; a view. Axes not named stay whole.
 *
 * @example
 * ```ts
 * x.slice([null, [0, -1], [null, null, 2]]); // x[:, 0:-1, ::2]
 * ```
 */
export function slice(x: Tensor, ranges: readonly Range[]): Tensor {
  if (ranges.length > x.rank)
    fail({ op: "slice", expected: `at most ${x.rank} ranges for ${show(x.shape)}`, got: `${ranges.length}` });
  const starts = x.shape.map(() => 0);
  const steps = x.shape.map(() => 1);
  const shape = [...x.shape];
  ranges.forEach((range, i) => {
    if (range === null) return;
    const [from, to = null, step = 1] = range;
    const d = x.shape[i]!;
    if (!Number.isInteger(step) || step === 0)
      fail({ op: "slice", expected: "a step that is an integer other than 0", got: `${step} on axis ${i}` });
    const [low, high] = step > 0 ? [0, d] : [-1, d - 1];
    const place = (v: number | null, otherwise: number) =>
      v === null ? otherwise : Math.min(Math.max(v < 0 ? v + d : v, low), high);
    const start = place(from, step > 0 ? 0 : d - 1);
    const stop = place(to, step > 0 ? d : -1);
    starts[i] = start;
    steps[i] = step;
    shape[i] = Math.max(0, Math.ceil((stop - start) / step));
  });
  return apply1(sliceOp, [x], { starts, steps, shape });
}

/** One element along an axis, which is dropped: `x[:, i]`. */
export function select(x: Tensor, axis: number, i: number): Tensor {
  const at = axisOf("select", axis, x.rank);
  const d = x.shape[at]!;
  if (!Number.isInteger(i) || i < -d || i >= d)
    fail({ op: "select", expected: `an index from ${-d} to ${d - 1} on axis ${axis}`, got: `${i}` });
  const from = i < 0 ? i + d : i;
  const part = slice(
    x,
    x.shape.map((_, k) => (k === at ? [from, from + 1] : null)),
  );
  return reshape(part, x.shape.toSpliced(at, 1));
}

/** Reverses axes; a view. */
export function flip(x: Tensor, axes: number | readonly number[]): Tensor {
  const turn = axesOf("flip", axes, x.rank);
  return slice(
    x,
    x.shape.map((_, i) => (turn.includes(i) ? [null, null, -1] : null)),
  );
}

const windowOp = /* @__PURE__ */ defineOp<{ axis: number; size: number; stride: number; dilation: number }>({
  name: "slidingWindow",
  infer: ([x], { axis, size, stride, dilation }) => {
    const n = windowCount(x!.shape[axis]!, size, stride, dilation);
    if (size < 1 || stride < 1 || dilation < 1 || n < 1) {
      fail({
        op: "slidingWindow",
        expected: `at least one window of ${size} (dilation ${dilation}, stride ${stride}) along axis ${axis}`,
        got: `${x!.shape[axis]} elements`,
      });
    }
    return [{ shape: [...x!.shape.with(axis, n), size], dtype: x!.dtype }];
  },
  view: (of, { axis, size, stride, dilation }) => windowView(of, axis, size, stride, dilation),
});

/**
 * Windows of `size` along `axis`: that axis then counts the windows, and a new last axis runs inside one. A view;
 * convolution and pooling are made of it.
 */
export function slidingWindow(x: Tensor, axis: number, size: number, stride = 1, dilation = 1): Tensor {
  return apply1(windowOp, [x], { axis: axisOf("slidingWindow", axis, x.rank), size, stride, dilation });
}

/** Joins tensors along an axis; the other axes must agree, dtypes are promoted. */
export function cat(tensors: readonly Tensor[], axis = 0): Tensor {
  const first = tensors[0] ?? fail({ op: "cat", expected: "at least one tensor", got: "none" });
  const at = axisOf("cat", axis, first.rank);
  const dtype = promote(...tensors.map((t) => t.dtype));
  for (const t of tensors) {
    if (t.rank !== first.rank || t.shape.some((d, i) => i !== at && d !== first.shape[i])) {
      fail({ op: "cat", expected: `shapes equal to ${show(first.shape)} except on axis ${axis}`, got: show(t.shape) });
    }
  }
  const shape = first.shape.with(
    at,
    tensors.reduce((n, t) => n + t.shape[at]!, 0),
  );
  const strides = rowMajor(shape);
  let offset = 0;
  const regions = tensors.map((t) => {
    const region = { shape: t.shape, offset, strides };
    offset += t.shape[at]! * strides[at]!;
    return region;
  });
  return apply1(
    assemble,
    tensors.map((t) => castTensor(t, dtype)),
    { shape, regions },
  );
}

/** Joins tensors of one shape along a new axis. */
export function stack(tensors: readonly Tensor[], axis = 0): Tensor {
  const first = tensors[0] ?? fail({ op: "stack", expected: "at least one tensor", got: "none" });
  const odd = tensors.find((t) => !sameShape(t.shape, first.shape));
  if (odd) fail({ op: "stack", expected: `tensors of one shape ${show(first.shape)}`, got: show(odd.shape) });
  return cat(
    tensors.map((t) => unsqueeze(t, axis)),
    axis,
  );
}

/** Parts along an axis: of one size (the last may be smaller), or of the sizes given. Views; their gradients are joined at once. */
export function split(x: Tensor, sizes: number | readonly number[], axis = 0): Tensor[] {
  const at = axisOf("split", axis, x.rank);
  const d = x.shape[at]!;
  if (typeof sizes === "number" && !(Number.isInteger(sizes) && sizes > 0))
    fail({ op: "split", expected: "a size ≥ 1", got: `${sizes}` });
  const list =
    typeof sizes === "number"
      ? Array.from({ length: Math.max(1, Math.ceil(d / sizes)) }, (_, i) => Math.min(sizes, d - i * sizes))
      : sizes;
  if (list.reduce((a, b) => a + b, 0) !== d)
    fail({ op: "split", expected: `sizes that add up to ${d}`, got: show(list) });
  return [...apply(splitOp, [x], { sizes: list, axis: at })];
}

const splitOp: OpDef<{ sizes: readonly number[]; axis: number }> = /* @__PURE__ */ defineOp({
  name: "split",
  infer: ([x], { sizes, axis }) => sizes.map((n) => ({ shape: x!.shape.with(axis, n), dtype: x!.dtype })),
  lower([x], { sizes, axis }) {
    let from = 0;
    return sizes.map((n) => {
      const start = from;
      from += n;
      return slice(
        x!,
        x!.shape.map((_, i) => (i === axis ? [start, start + n] : null)),
      );
    });
  },
  /** One cat, where the slices one by one would fill and add a whole tensor each. */
  vjp: (cts, { outs, attrs: { axis } }) => [
    cat(
      cts.map((ct, i) => ct ?? zerosLike(outs[i]!)),
      axis,
    ),
  ],
});

/** At most `n` parts of equal size (the last may be smaller), as `torch.chunk`. */
export function chunk(x: Tensor, n: number, axis = 0): Tensor[] {
  const d = x.shape[axisOf("chunk", axis, x.rank)]!;
  return split(x, Math.max(1, Math.ceil(d / n)), axis);
}

/** `[before, after]` elements added to an axis (or cut off, where negative). */
export type Padding = readonly [before: number, after: number];

/**
 * Pads the last `pairs.length` axes. Modes: `"constant"` (value 0 by default; negative numbers crop), `"reflect"`
 * (without the edge), `"replicate"` (repeats the edge), `"circular"`.
 *
 * @example
 * ```ts
 * x.pad([[1, 1], [2, 2]]); // (N, C, H, W) → (N, C, H + 2, W + 4)
 * ```
 */
export function pad(
  x: Tensor,
  pairs: readonly Padding[],
  { mode = "constant", value = 0 }: { mode?: "constant" | "reflect" | "replicate" | "circular"; value?: number } = {},
): Tensor {
  const first = x.rank - pairs.length;
  if (first < 0) fail({ op: "pad", expected: `at most ${x.rank} pairs for ${show(x.shape)}`, got: `${pairs.length}` });
  const pads: Padding[] = x.shape.map((_, i) => (i < first ? [0, 0] : pairs[i - first]!));
  if (mode === "constant") return padConstant(x, pads, value);
  return pads.reduce((y, p, axis) => padBorder(y, axis, p, mode), x);
}

function padConstant(x: Tensor, pads: readonly Padding[], value: number): Tensor {
  const cropped = slice(
    x,
    pads.map(([a, b], i) => [Math.max(0, -a), x.shape[i]! - Math.max(0, -b)]),
  );
  const shape = x.shape.map((d, i) => d + pads[i]![0] + pads[i]![1]);
  if (shape.some((d) => d < 0))
    fail({ op: "pad", expected: `no more cut off than there is in ${show(x.shape)}`, got: JSON.stringify(pads) });
  if (sameShape(shape, cropped.shape)) return cropped;
  const strides = rowMajor(shape);
  const offset = pads.reduce((sum, [before], i) => sum + Math.max(0, before) * strides[i]!, 0);
  return apply1(assemble, [cropped], { shape, fill: value, regions: [{ shape: cropped.shape, offset, strides }] });
}

/** The border of one axis: a gather by a formula that says where each element comes from. */
function padBorder(
  x: Tensor,
  axis: number,
  [before, after]: Padding,
  mode: "reflect" | "replicate" | "circular",
): Tensor {
  if (before === 0 && after === 0) return x;
  const d = x.shape[axis]!;
  const most = mode === "reflect" ? d - 1 : mode === "circular" ? d : Number.POSITIVE_INFINITY;
  if (Math.min(before, after) < 0 || Math.max(before, after) > most || d === 0) {
    fail({
      op: `pad ("${mode}")`,
      expected: `padding from 0 to ${most} for an axis of ${d}`,
      got: `[${before}, ${after}] on axis ${axis}`,
    });
  }
  const [zero, last, size] = [0, d - 1, d].map((v) => num(v, "i32")) as [Expr, Expr, Expr];
  const at = call("sub", index(axis), num(before, "i32"));
  const from = {
    reflect: call("sub", last, call("abs", call("sub", last, call("abs", at)))),
    replicate: call("min", call("max", at, zero), last),
    circular: call("mod", at, size),
  }[mode];
  const shape = x.shape.with(axis, before + d + after);
  const line = apply1(map, [], { expr: from, shape: shape.map((n, i) => (i === axis ? n : 1)) });
  return apply1(gather, [x, expand(line, shape)], { axis });
}

/** Copies of the whole tensor along each axis, as `torch.Tensor.repeat`; new axes go in front. */
export function repeat(x: Tensor, times: readonly number[]): Tensor {
  const skip = times.length - x.rank;
  if (skip < 0) fail({ op: "repeat", expected: `at least ${x.rank} numbers for ${show(x.shape)}`, got: show(times) });
  checkShape("repeat", times);
  const shape = [...new Array<number>(skip).fill(1), ...x.shape];
  const spread = expand(
    reshape(
      x,
      shape.flatMap((d) => [1, d]),
    ),
    shape.flatMap((d, i) => [times[i]!, d]),
  );
  return reshape(
    spread,
    shape.map((d, i) => d * times[i]!),
  );
}

/** Shifts along axes; what leaves at one end comes in at the other. */
export function roll(x: Tensor, shifts: number | readonly number[], axes: number | readonly number[]): Tensor {
  const by = typeof shifts === "number" ? [shifts] : shifts;
  const along = typeof axes === "number" ? [axes] : axes;
  if (by.length !== along.length)
    fail({ op: "roll", expected: "as many shifts as axes", got: `${by.length} and ${along.length}` });
  return along.reduce((y, axis, i) => {
    const at = axisOf("roll", axis, y.rank);
    const d = y.shape[at]!;
    const n = d === 0 ? 0 : ((by[i]! % d) + d) % d;
    if (n === 0) return y;
    const [head, tail] = split(y, [d - n, n], at);
    return cat([tail!, head!], at);
  }, x);
}

function triangle(name: string, keep: "le" | "ge") {
  return pointwise<{ k: number; rank: number }>(name, ([x], { k, rank }) => {
    const [row, column] = [index(rank - 2), index(rank - 1)];
    const limit = call("add", row, num(k, "i32"));
    return choose(keep === "le" ? call("le", column, limit) : call("le", limit, column), x!, cast(num(0), x!.dtype));
  });
}
const trilOp = /* @__PURE__ */ triangle("tril", "le");
const triuOp = /* @__PURE__ */ triangle("triu", "ge");

/** The lower triangle of the last two axes, zeros above diagonal `k`. */
export function tril(x: Tensor, k = 0): Tensor {
  return apply1(trilOp, [matrix("tril", x)], { k, rank: x.rank });
}

/** The upper triangle of the last two axes, zeros below diagonal `k`. */
export function triu(x: Tensor, k = 0): Tensor {
  return apply1(triuOp, [matrix("triu", x)], { k, rank: x.rank });
}

function matrix(op: string, x: Tensor): Tensor {
  return x.rank >= 2 ? x : fail({ op, expected: "at least two axes", got: show(x.shape) });
}

// Running sums and products, and the product with its gradient.

import { apply1 } from "../apply.js";
import { call, input, type ScalarFn } from "../expr.js";
import { defineOp, type OpDef } from "../op.js";
import { assemble, expandTo, keepAxes, map, reduce, strided } from "../primitives.js";
import { axesOf, axisOf, rowMajor, sizeOf } from "../spec.js";
import type { Tensor } from "../tensor.js";
import { inversePermutation } from "../view.js";
import { permute, reshape } from "./movement.js";
import { cast, mul } from "./pointwise.js";
import type { Axes, KeepDims } from "./reductions.js";

/** Running sum along an axis. */
export function cumsum(x: Tensor, axis: number): Tensor {
  return apply1(cumsumOp, [summable(x)], { axis: axisOf("cumsum", axis, x.rank), reversed: false });
}

const cumsumOp: OpDef<{ axis: number; reversed: boolean }> = /* @__PURE__ */ defineOp({
  name: "cumsum",
  infer: ([x]) => [x!],
  lower: ([x], { axis, reversed }) => [cumulative(x!, axis, "add", reversed)],
  vjp: ([ct], { attrs: { axis, reversed } }) => [apply1(cumsumOp, [ct!], { axis, reversed: !reversed })],
});

/** Running product along an axis. */
export function cumprod(x: Tensor, axis: number): Tensor {
  return cumulative(summable(x), axisOf("cumprod", axis, x.rank), "mul");
}

/** Product over axes (omitted: all). Its gradient is right even where factors are 0. */
export function prod(x: Tensor, axes?: Axes, { keepDims = false }: KeepDims = {}): Tensor {
  const along = axesOf("prod", axes, x.rank);
  const y = apply1(prodOp, [summable(x)], { axes: along });
  return keepDims ? keepAxes(y, along, x.shape) : y;
}

const prodOp: OpDef<{ axes: readonly number[] }> = /* @__PURE__ */ defineOp({
  name: "prod",
  infer: ([x], { axes }) => [{ shape: x!.shape.filter((_, i) => !axes.includes(i)), dtype: x!.dtype }],
  lower: ([x], { axes }) => [apply1(reduce, [x!], { of: "mul", axes, prologue: input(0, x!.dtype) })],
  vjp: ([ct], { ins: [x], attrs: { axes } }) => [mul(expandTo(ct!, axes, x!.shape), productOfOthers(x!, axes))],
});

// ───────────────────────────────────────────────────────────────────────────────────────────────────

function summable(x: Tensor): Tensor {
  return x.dtype === "bool" ? cast(x, "i32") : x;
}

/**
 * Running sums or products along an axis in log₂ n passes over all of it (Hillis and Steele, 1986):
 * `y[i] = x[0] … x[i]`; reversed, from the end.
 */
function cumulative(x: Tensor, axis: number, f: "add" | "mul", reversed = false): Tensor {
  let y = x;
  for (let by = 1; by < x.shape[axis]!; by *= 2)
    y = combine(f, y, shifted(y, axis, reversed ? -by : by, f === "mul" ? 1 : 0));
  return y;
}

/** `y[i] = x[i − by]`, `fill` where there is none. */
function shifted(x: Tensor, axis: number, by: number, fill: number): Tensor {
  const strides = rowMajor(x.shape);
  const shape = x.shape.with(axis, Math.max(0, x.shape[axis]! - Math.abs(by)));
  const step = Math.abs(by) * strides[axis]!;
  const [from, to] = by > 0 ? [0, step] : [step, 0];
  const part = apply1(strided, [x], { region: { shape, offset: from, strides } });
  return apply1(assemble, [part], { shape: x.shape, fill, regions: [{ shape, offset: to, strides }] });
}

function combine(f: ScalarFn, a: Tensor, b: Tensor): Tensor {
  return apply1(map, [a, b], { expr: call(f, input(0, a.dtype), input(1, b.dtype)), shape: a.shape });
}

/** For each element the product of all the others it was multiplied with: right even where some are 0. */
function productOfOthers(x: Tensor, axes: readonly number[]): Tensor {
  const kept = x.shape.flatMap((_, i) => (axes.includes(i) ? [] : [i]));
  const order = [...kept, ...axes];
  const last = kept.length;
  const permuted = permute(x, order);
  const flat = reshape(permuted, [...permuted.shape.slice(0, last), sizeOf(permuted.shape.slice(last))]);
  const before = shifted(cumulative(flat, last, "mul"), last, 1, 1);
  const after = shifted(cumulative(flat, last, "mul", true), last, -1, 1);
  return permute(reshape(mul(before, after), permuted.shape), inversePermutation(order));
}

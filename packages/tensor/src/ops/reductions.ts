// Reductions. `axes`: one axis, several, or omitted for all; `keepDims` leaves axes of size 1 behind.

import { apply1 } from "../apply.js";
import { fail, show } from "../errors.js";
import { call, cast as castExpr, type Expr, index, input, num, select } from "../expr.js";
import { defineOp, type OpDef } from "../op.js";
import { expandTo, keepAxes, reduce } from "../primitives.js";
import { axesOf, axisOf, type DType, sizeOf } from "../spec.js";
import type { Tensor } from "../tensor.js";
import { gather } from "./indexing.js";
import { reshape } from "./movement.js";
import { abs, add, cast, div, eq, exp, isFinite, log, mul, pow, sqrt, square, sub, where } from "./pointwise.js";

export type Axes = number | readonly number[] | null;
export interface KeepDims {
  /** Keep the reduced axes, with size 1. */
  readonly keepDims?: boolean;
}

/** Reduces `prologue(x)`; `name` is for errors. */
function reduceBy(
  name: string,
  x: Tensor,
  of: "add" | "mul" | "max" | "min",
  axes: Axes | undefined,
  prologue: Expr,
  { keepDims = false }: KeepDims,
): Tensor {
  const along = axesOf(name, axes, x.rank);
  const y = apply1(reduce, [x], { of, axes: along, prologue });
  return keepDims ? keepAxes(y, along, x.shape) : y;
}

/** What sums are computed in: bool counts as i32. */
const summable = (dtype: DType): Expr => castExpr(input(0, dtype), dtype === "bool" ? "i32" : dtype);

/** Sum; bool and integers give i32. */
export function sum(x: Tensor, axes?: Axes, options: KeepDims = {}): Tensor {
  return reduceBy("sum", x, "add", axes, summable(x.dtype), options);
}

/** Arithmetic mean; f32. */
export function mean(x: Tensor, axes?: Axes, options: KeepDims = {}): Tensor {
  return mul(sum(cast(x, "f32"), axes, options), 1 / countOf("mean", x, axes));
}

/** Greatest element. Ties share the gradient evenly (`torch.amax`). */
export function max(x: Tensor, axes?: Axes, options: KeepDims = {}): Tensor {
  return reduceBy("max", nonEmpty("max", x, axes), "max", axes, summable(x.dtype), options);
}

/** Least element. Ties share the gradient evenly (`torch.amin`). */
export function min(x: Tensor, axes?: Axes, options: KeepDims = {}): Tensor {
  return reduceBy("min", nonEmpty("min", x, axes), "min", axes, summable(x.dtype), options);
}

/** 1 where an element is not 0. */
const bit = (dtype: DType): Expr => castExpr(castExpr(input(0, dtype), "bool"), "u32");

/** Whether any element is non-zero; bool. */
export function any(x: Tensor, axes?: Axes, options: KeepDims = {}): Tensor {
  return cast(reduceBy("any", x, "max", axes, bit(x.dtype), options), "bool");
}

/** Whether all elements are non-zero; bool. */
export function all(x: Tensor, axes?: Axes, options: KeepDims = {}): Tensor {
  return cast(reduceBy("all", x, "mul", axes, bit(x.dtype), options), "bool");
}

/** Position of the greatest element along an axis (omitted: of the flattened tensor); i32. The first of equals; NaN counts as greatest. */
export function argmax(x: Tensor, axis?: number, options: KeepDims = {}): Tensor {
  return best("argmax", x, axis, options);
}

/** Position of the least element along an axis (omitted: of the flattened tensor); i32. The first of equals; NaN counts as least. */
export function argmin(x: Tensor, axis?: number, options: KeepDims = {}): Tensor {
  return best("argmin", x, axis, options);
}

function best(name: "argmax" | "argmin", x: Tensor, axis: number | undefined, { keepDims = false }: KeepDims): Tensor {
  const flat = axis === undefined ? reshape(x, [-1]) : x;
  const at = axisOf(name, axis ?? 0, flat.rank);
  const extreme = reduceBy(
    name,
    nonEmpty(name, flat, at),
    name === "argmax" ? "max" : "min",
    at,
    input(0, x.dtype),
    {},
  );
  const [value, found] = [input(0, x.dtype), input(1, x.dtype)];
  const hit = call("or", call("eq", value, found), call("ne", value, value));
  const y = apply1(reduce, [flat, expandTo(extreme, [at], flat.shape)], {
    of: "min",
    axes: [at],
    prologue: select(hit, index(at), num(0x7fffffff, "i32")),
  });
  return keepDims ? keepAxes(y, axesOf(name, axis, x.rank), x.shape) : y;
}

/** Greatest elements along an axis and where they are; the gradient goes to that one element (`torch.max(dim)`). */
export function maxWithIndex(x: Tensor, axis: number, options: KeepDims = {}): { values: Tensor; indices: Tensor } {
  return withIndex(x, argmax(x, axis, { keepDims: true }), axis, options);
}

/** Least elements along an axis and where they are; the gradient goes to that one element (`torch.min(dim)`). */
export function minWithIndex(x: Tensor, axis: number, options: KeepDims = {}): { values: Tensor; indices: Tensor } {
  return withIndex(x, argmin(x, axis, { keepDims: true }), axis, options);
}

function withIndex(x: Tensor, indices: Tensor, axis: number, { keepDims = false }: KeepDims) {
  const values = gather(x, axis, indices);
  if (keepDims) return { values, indices };
  const shape = x.shape.toSpliced(axisOf("max", axis, x.rank), 1);
  return { values: reshape(values, shape), indices: reshape(indices, shape) };
}

/** Variance: `Σ(x − mean)² / (n − correction)`; `correction` 1 by default (unbiased), 0 for the population. */
export function variance(
  x: Tensor,
  axes?: Axes,
  { correction = 1, keepDims = false }: KeepDims & { correction?: number } = {},
): Tensor {
  const n = countOf("variance", x, axes);
  const centred = sub(x, mean(x, axes, { keepDims: true }));
  return mul(sum(square(centred), axes, { keepDims }), 1 / Math.max(0, n - correction));
}

/** Standard deviation: the root of {@link variance}. The gradient where all elements are equal is 0, as in PyTorch. */
export function std(
  x: Tensor,
  axes?: Axes,
  { correction = 1, keepDims = false }: KeepDims & { correction?: number } = {},
): Tensor {
  const n = countOf("std", x, axes);
  const centred = sub(x, mean(x, axes, { keepDims: true }));
  return mul(norm(centred, axes, { keepDims }), 1 / Math.sqrt(Math.max(0, n - correction)));
}

/** p-norm, `(Σ|x|ᵖ)^(1/p)`; p = 2 by default, `Infinity` the greatest. The gradient at 0 is 0, as in PyTorch. */
export function norm(x: Tensor, axes?: Axes, { p = 2, keepDims = false }: KeepDims & { p?: number } = {}): Tensor {
  const opts = { keepDims };
  if (p === Number.POSITIVE_INFINITY) return max(abs(x), axes, opts);
  if (p === 1) return sum(abs(x), axes, opts);
  if (p === 0) return sum(cast(cast(x, "bool"), "f32"), axes, opts);
  if (p !== 2) {
    const total = sum(pow(abs(x), p), axes, opts);
    const none = eq(total, 0);
    return where(none, 0, pow(where(none, 1, total), 1 / p));
  }
  const along = axesOf("norm", axes, x.rank);
  const y = apply1(norm2, [cast(x, "f32")], { axes: along });
  return keepDims ? keepAxes(y, along, x.shape) : y;
}

const norm2: OpDef<{ axes: readonly number[] }> = /* @__PURE__ */ defineOp({
  name: "norm2",
  infer: ([x], { axes }) => [{ shape: x!.shape.filter((_, i) => !axes.includes(i)), dtype: "f32" }],
  lower: ([x], { axes }) => [sqrt(sum(square(x!), axes))],
  vjp([ct], { ins: [x], outs: [y], attrs: { axes } }) {
    const scale = where(eq(y!, 0), 0, div(ct!, y!));
    return [mul(x!, expandTo(scale, axes, x!.shape))];
  },
});

/** `log Σ eˣ`, without overflow. */
export function logSumExp(x: Tensor, axes?: Axes, { keepDims = false }: KeepDims = {}): Tensor {
  const along = axesOf("logSumExp", axes, x.rank);
  const y = apply1(logSumExpOp, [cast(nonEmpty("logSumExp", x, axes), "f32")], { axes: along });
  return keepDims ? keepAxes(y, along, x.shape) : y;
}

const logSumExpOp: OpDef<{ axes: readonly number[] }> = /* @__PURE__ */ defineOp({
  name: "logSumExp",
  infer: ([x], { axes }) => [{ shape: x!.shape.filter((_, i) => !axes.includes(i)), dtype: "f32" }],
  lower([x], { axes }) {
    const top = max(x!, axes);
    const shift = where(isFinite(top), top, 0);
    return [add(log(sum(exp(sub(x!, expandTo(shift, axes, x!.shape))), axes)), shift)];
  },
  vjp([ct], { ins: [x], outs: [y], attrs: { axes } }) {
    return [mul(expandTo(ct!, axes, x!.shape), exp(sub(x!, expandTo(y!, axes, x!.shape))))];
  },
});

/** `eˣ / Σ eˣ` along an axis. */
export function softmax(x: Tensor, axis = -1): Tensor {
  return apply1(softmaxOp, [cast(x, "f32")], { axis: axisOf("softmax", axis, x.rank) });
}

const softmaxOp: OpDef<{ axis: number }> = /* @__PURE__ */ defineOp({
  name: "softmax",
  infer: ([x]) => [x!],
  lower([x], { axis }) {
    const e = exp(sub(x!, max(x!, axis, { keepDims: true })));
    return [div(e, sum(e, axis, { keepDims: true }))];
  },
  vjp: ([ct], { outs: [y], attrs: { axis } }) => [mul(y!, sub(ct!, sum(mul(ct!, y!), axis, { keepDims: true })))],
});

/** `log softmax(x)`, without overflow. */
export function logSoftmax(x: Tensor, axis = -1): Tensor {
  return apply1(logSoftmaxOp, [cast(x, "f32")], { axis: axisOf("logSoftmax", axis, x.rank) });
}

const logSoftmaxOp: OpDef<{ axis: number }> = /* @__PURE__ */ defineOp({
  name: "logSoftmax",
  infer: ([x]) => [x!],
  lower([x], { axis }) {
    const shifted = sub(x!, max(x!, axis, { keepDims: true }));
    return [sub(shifted, log(sum(exp(shifted), axis, { keepDims: true })))];
  },
  vjp: ([ct], { outs: [y], attrs: { axis } }) => [sub(ct!, mul(exp(y!), sum(ct!, axis, { keepDims: true })))],
});

// ───────────────────────────────────────────────────────────────────────────────────────────────────

function countOf(op: string, x: Tensor, axes: Axes | undefined): number {
  return sizeOf(axesOf(op, axes, x.rank).map((i) => x.shape[i]!));
}

function nonEmpty(op: string, x: Tensor, axes: Axes | undefined): Tensor {
  if (countOf(op, x, axes) > 0) return x;
  return fail({
    op,
    expected: "at least one element to reduce",
    got: show(x.shape),
    hint: "An empty set has no greatest or least element.",
  });
}

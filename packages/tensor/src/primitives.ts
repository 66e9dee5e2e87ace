// The floor (map, reduce, gather, scatterAdd), and the two ops that move data through views: all the rest is made of these.

import { apply1 } from "./apply.js";
import type { AxisAttrs, MapAttrs, ReduceAttrs } from "./backend.js";
import { fail, show } from "./errors.js";
import { call, cast, differentiate, type Expr, input, inputsOf, substitute } from "./expr.js";
import { defineOp, type OpDef } from "./op.js";
import { checkDType, isContiguous, type Spec, sameShape, sizeOf, type View } from "./spec.js";
import type { Tensor } from "./tensor.js";
import { checkView, expandView, inversePermutation, permuteView, reshapeView } from "./view.js";

/** `out = expr(ins…)` over `shape`, to which the inputs broadcast. Pointwise ops become this; so do constants and coordinates. */
export const map: OpDef<MapAttrs & { readonly shape: readonly number[] }> = /* @__PURE__ */ defineOp({
  name: "map",
  infer: (_, { expr, shape }) => [{ shape, dtype: expr.dtype }],
  expr: (ins, { expr }) => substituteInputs(expr, ins),
});

/** See {@link ReduceAttrs}. */
export const reduce: OpDef<ReduceAttrs> = /* @__PURE__ */ defineOp({
  name: "reduce",
  infer(ins, { axes, prologue }) {
    const shape = ins[0]!.shape;
    for (const t of ins) {
      if (!sameShape(t.shape, shape))
        fail({ op: "reduce", expected: `inputs of one shape ${show(shape)}`, got: show(t.shape) });
    }
    return [{ shape: shape.filter((_, i) => !axes.includes(i)), dtype: prologue.dtype }];
  },
  vjp([ct], { ins, outs, attrs, needs }) {
    const { of, axes, prologue } = attrs;
    const shape = ins[0]!.shape;
    if (of === "mul")
      fail({
        op: "reduce",
        expected: "add, max or min for a gradient",
        got: "mul",
        hint: "Use prod(), which has one.",
      });
    const element = substituteInputs(prologue, (i) => i + 1); // input 0 is for what stands beside the inputs
    // The share of each element: of a sum all, of a maximum an equal part of the ties.
    let share = expandTo(ct!, axes, shape);
    if (of !== "add") {
      const best = expandTo(outs[0]!, axes, shape);
      const isBest = mapUsed(cast(call("eq", input(0, best.dtype), element), "f32"), [best, ...ins], shape);
      const ties = apply1(reduce, [isBest], { of: "add", axes, prologue: input(0) });
      const part = call("div", call("mul", input(0), input(1)), input(2));
      share = apply1(map, [share, isBest, expandTo(ties, axes, shape)], { expr: part, shape });
    }
    return ins.map((_, i) => {
      const d = needs[i] ? differentiate(element, i + 1) : null;
      return d && mapUsed(call("mul", input(0), d), [share, ...ins], shape);
    });
  },
});

/** See {@link AxisAttrs}: as `torch.gather`, where the other axes of x and index are equal. */
export const gather: OpDef<AxisAttrs> = /* @__PURE__ */ defineOp({
  name: "gather",
  infer([x, i], { axis }) {
    checkIndex("gather", x!, i!, axis);
    return [{ shape: i!.shape, dtype: x!.dtype }];
  },
  vjp: ([ct], { ins: [x, i], attrs: { axis } }) => [
    apply1(scatterAdd, [i!, ct!], { axis, size: x!.shape[axis]! }),
    null,
  ],
});

/** Zeros with `size` elements along `axis`, and the source added at the index: the adjoint of {@link gather}. */
export const scatterAdd: OpDef<AxisAttrs & { readonly size: number }> = /* @__PURE__ */ defineOp({
  name: "scatterAdd",
  infer([i, source], { axis, size }) {
    checkIndex("scatterAdd", source!, i!, axis);
    if (!sameShape(i!.shape, source!.shape))
      fail({
        op: "scatterAdd",
        expected: `index and source of one shape`,
        got: `${show(i!.shape)} and ${show(source!.shape)}`,
      });
    return [{ shape: source!.shape.with(axis, size), dtype: source!.dtype }];
  },
  vjp: ([ct], { ins, attrs }) => [null, apply1(gather, [ct!, ins[0]!], { axis: attrs.axis })],
});

/** The elements of a contiguous tensor that a view picks out. */
export const strided: OpDef<{ readonly region: Omit<View, "dtype"> }> = /* @__PURE__ */ defineOp({
  name: "strided",
  infer([x], { region }) {
    checkView("strided", { ...region, dtype: x!.dtype }, sizeOf(x!.shape));
    return [{ shape: region.shape, dtype: x!.dtype }];
  },
  view: (of, { region }) =>
    isContiguous(of) ? { ...region, offset: of.offset + region.offset, dtype: of.dtype } : null,
  vjp: ([ct], { ins, attrs }) => [
    apply1(assemble, [ct!], { shape: ins[0]!.shape, fill: 0, regions: [attrs.region], accumulate: true }),
  ],
});

/** `out = fill; out[regions[i]] (+)= ins[i]`: cat, pad, stack, and the adjoint of every view. */
export const assemble: OpDef<{
  readonly shape: readonly number[];
  readonly fill?: number;
  readonly regions: readonly Omit<View, "dtype">[];
  readonly accumulate?: boolean;
}> = defineOp({
  name: "assemble",
  infer(ins, { shape, regions }) {
    const { dtype } = ins[0]!;
    ins.forEach((t, i) => {
      checkDType("assemble", t.dtype, dtype);
      if (!sameShape(t.shape, regions[i]!.shape))
        fail({ op: "assemble", expected: `input ${i} ${show(regions[i]!.shape)}`, got: show(t.shape) });
      checkView("assemble", { ...regions[i]!, dtype }, sizeOf(shape));
    });
    return [{ shape, dtype }];
  },
  assemble: (ins, { fill, regions, accumulate }) => ({
    fill,
    accumulate,
    views: regions.map((r) => ({ ...r, dtype: ins[0]!.dtype })),
  }),
  vjp: ([ct], { attrs, needs }) =>
    attrs.regions.map((region, i) => (needs[i] ? apply1(strided, [ct!], { region }) : null)),
});

/** Broadcasts to `shape`; its gradient sums. */
export const expandOp: OpDef<{ readonly shape: readonly number[] }> = /* @__PURE__ */ defineOp({
  name: "expand",
  infer: ([x], { shape }) => [{ shape, dtype: x!.dtype }],
  view: (of, { shape }) => expandView(of, shape),
  vjp: ([ct], { ins }) => [sumTo(ct!, ins[0]!.shape)],
});

/** Another shape for the same elements in the same order. */
export const reshapeOp: OpDef<{ readonly shape: readonly number[] }> = /* @__PURE__ */ defineOp({
  name: "reshape",
  infer: ([x], { shape }) => [{ shape, dtype: x!.dtype }],
  view: (of, { shape }) => reshapeView(of, shape),
  vjp: ([ct], { ins }) => [apply1(reshapeOp, [ct!], { shape: ins[0]!.shape })],
});

/** Another order of the axes. */
export const permuteOp: OpDef<{ readonly axes: readonly number[] }> = /* @__PURE__ */ defineOp({
  name: "permute",
  infer: ([x], { axes }) => [{ shape: axes.map((a) => x!.shape[a]!), dtype: x!.dtype }],
  view: (of, { axes }) => permuteView(of, axes),
  vjp: ([ct], { attrs: { axes } }) => [apply1(permuteOp, [ct!], { axes: inversePermutation(axes) })],
});

// ── helpers that gradients share ───────────────────────────────────────────────────────────────────

/** Applies a formula of `ins[i]`, leaving out the inputs it does not use. */
export function mapUsed(expr: Expr, ins: readonly Tensor[], shape: readonly number[]): Tensor {
  const used = inputsOf(expr);
  const renumbered = substituteInputs(expr, (i) => used.indexOf(i));
  return apply1(
    map,
    used.map((i) => ins[i]!),
    { expr: renumbered, shape },
  );
}

/** The formula with other inputs: formulas, or other numbers. */
function substituteInputs(expr: Expr, by: readonly Expr[] | ((i: number) => number)): Expr {
  return substitute(expr, (i, dtype) => (typeof by === "function" ? input(by(i), dtype) : by[i]!));
}

/** Sums what broadcasting to `t`'s shape repeated: the adjoint of expand. */
export function sumTo(t: Tensor, shape: readonly number[]): Tensor {
  if (sameShape(t.shape, shape)) return t;
  const skip = t.shape.length - shape.length;
  const axes = t.shape.flatMap((d, i) => (i < skip || (shape[i - skip] === 1 && d !== 1) ? [i] : []));
  if (axes.length === 0) return reshapeTo(t, shape);
  return reshapeTo(apply1(reduce, [t], { of: "add", axes, prologue: input(0, t.dtype) }), shape);
}

/** Puts reduced axes back and repeats along them. */
export function expandTo(t: Tensor, axes: readonly number[], shape: readonly number[]): Tensor {
  const kept = keepAxes(t, axes, shape);
  return sameShape(kept.shape, shape) ? kept : apply1(expandOp, [kept], { shape });
}

/** Puts axes of `shape` that were reduced back, with size 1. */
export function keepAxes(t: Tensor, axes: readonly number[], shape: readonly number[]): Tensor {
  return reshapeTo(
    t,
    shape.map((d, i) => (axes.includes(i) ? 1 : d)),
  );
}

function reshapeTo(t: Tensor, shape: readonly number[]): Tensor {
  return sameShape(t.shape, shape) ? t : apply1(reshapeOp, [t], { shape });
}

function checkIndex(op: string, x: Spec, i: Spec, axis: number): void {
  if (i.dtype === "f32")
    fail({ op, expected: "an index of dtype i32", got: i.dtype, hint: 'Convert it with .cast("i32").' });
  const fits = x.shape.length === i.shape.length && x.shape.every((d, a) => a === axis || d === i.shape[a]);
  if (!fits) {
    fail({
      op,
      expected: `an index with the shape ${show(x.shape)} except on axis ${axis}`,
      got: show(i.shape),
      hint: "indexSelect takes a list of positions; gather needs one index per element.",
    });
  }
}

// Picking out and putting in by index; sorting. Indices are i32; out of range is an error where the backend can tell.

import { apply, apply1 } from "../apply.js";
import { fail, show } from "../errors.js";
import { call, index, input, num } from "../expr.js";
import { defineOp, type OpDef } from "../op.js";
import { gather as gatherOp, map, reduce, scatterAdd as scatterAddOp } from "../primitives.js";
import { axisOf } from "../spec.js";
import type { Tensor } from "../tensor.js";
import { expand, pad, reshape, slice, transpose, unsqueeze } from "./movement.js";
import { add, cast, eq } from "./pointwise.js";

/** `out[i, j] = x[index[i, j], j]` for axis 0, and so on: `torch.gather`. On the other axes the index may be shorter than x. */
export function gather(x: Tensor, axis: number, idx: Tensor): Tensor {
  const at = axisOf("gather", axis, x.rank);
  return apply1(gatherOp, [fit("gather", x, idx, at), idx], { axis: at });
}

/** `x`, and `source` added at the index: `out[index[i, j], j] += source[i, j]` for axis 0, and so on (`torch.scatter_add`). On the other axes the index may be shorter than x. */
export function scatterAdd(x: Tensor, axis: number, idx: Tensor, source: Tensor): Tensor {
  const at = axisOf("scatterAdd", axis, x.rank);
  const part = fit("scatterAdd", source, idx, -1);
  const sums = apply1(scatterAddOp, [idx, cast(part, x.dtype)], { axis: at, size: x.shape[at]! });
  // Where the index is shorter than x on another axis, nothing is added to the rest.
  fit("scatterAdd", x, idx, at);
  return add(
    x,
    pad(
      sums,
      sums.shape.map((d, i) => [0, x.shape[i]! - d]),
    ),
  );
}

/** Cuts `x` to the index's shape, except along `axis`. */
function fit(op: string, x: Tensor, idx: Tensor, axis: number): Tensor {
  if (idx.rank !== x.rank || idx.shape.some((d, i) => i !== axis && d > x.shape[i]!)) {
    fail({
      op,
      expected: `an index with ${x.rank} axes, none longer than in ${show(x.shape)}${axis < 0 ? "" : ` except axis ${axis}`}`,
      got: show(idx.shape),
    });
  }
  if (idx.shape.every((d, i) => i === axis || d === x.shape[i])) return x;
  return slice(
    x,
    idx.shape.map((d, i) => (i === axis ? null : [0, d])),
  );
}

/** The slices of `x` along `axis` at the positions of a 1-d index, as `torch.index_select`. */
export function indexSelect(x: Tensor, axis: number, idx: Tensor): Tensor {
  const at = axisOf("indexSelect", axis, x.rank);
  return apply1(gatherOp, [x, spread("indexSelect", idx, at, x.shape)], { axis: at });
}

/** `x`, and slices of `source` added at the positions of a 1-d index, as `torch.index_add`. */
export function indexAdd(x: Tensor, axis: number, idx: Tensor, source: Tensor): Tensor {
  const at = axisOf("indexAdd", axis, x.rank);
  return scatterAdd(x, at, spread("indexAdd", idx, at, source.shape), source);
}

/** A 1-d index along `axis`, repeated over all the others; a view. */
function spread(op: string, idx: Tensor, axis: number, shape: readonly number[]): Tensor {
  if (idx.rank !== 1) fail({ op, expected: "a 1-d index", got: show(idx.shape), hint: "Flatten it, or use gather." });
  const row = reshape(
    idx,
    shape.map((_, i) => (i === axis ? idx.size : 1)),
  );
  return expand(row, shape.with(axis, idx.size));
}

/** 1 at each index, else 0, along a new last axis; i32. An index out of range gives a row of zeros. */
export function oneHot(idx: Tensor, classes: number): Tensor {
  if (idx.dtype === "f32")
    fail({ op: "oneHot", expected: "indices of dtype i32", got: idx.dtype, hint: 'Convert them with .cast("i32").' });
  const wide = expand(unsqueeze(idx, -1), [...idx.shape, classes]);
  const position = apply1(map, [], { expr: index(wide.rank - 1), shape: wide.shape });
  return cast(eq(wide, position), "i32");
}

/** Sorts along an axis; stable; NaN counts as the greatest. The gradient follows the elements. */
export function sort(
  x: Tensor,
  { axis = -1, descending = false }: { axis?: number; descending?: boolean } = {},
): { values: Tensor; indices: Tensor } {
  const at = axisOf("sort", axis, x.rank);
  const last = x.rank - 1;
  const swap = (t: Tensor) => (at === last ? t : transpose(t, at, last));
  const [values, indices] = apply(sortOp, [swap(x)], { descending });
  return { values: swap(values!), indices: swap(indices!) };
}

const sortOp: OpDef<{ descending: boolean }> = /* @__PURE__ */ defineOp({
  name: "sort",
  infer: ([x]) => [x!, { shape: x!.shape, dtype: "i32" }],
  /** Each element's place is the number of elements that come before it: n² comparisons, in any order. */
  lower([x], { descending }) {
    const last = x!.rank - 1;
    const n = x!.shape[last]!;
    const square = [...x!.shape, n];
    const [mine, other] = [input(0, x!.dtype), input(1, x!.dtype)];
    // The other element comes before mine if a < b, NaN being the greatest; of equals, the earlier.
    const [a, b] = descending ? [mine, other] : [other, mine];
    const isNaN = (e: typeof a) => call("ne", e, e);
    const before = call("or", call("lt", a, b), call("and", isNaN(b), call("eq", a, a)));
    const equal = call("or", call("eq", a, b), call("and", isNaN(a), isNaN(b)));
    const earlier = call("and", equal, call("lt", index(last + 1), index(last)));
    const ins = [expand(unsqueeze(x!, last + 1), square), expand(unsqueeze(x!, last), square)];
    const counted = call("add", call("or", before, earlier), num(0, "i32"));
    const place = apply1(reduce, ins, { of: "add", axes: [last + 1], prologue: counted });
    const position = apply1(map, [], { expr: index(last), shape: x!.shape });
    const put = (t: Tensor) => apply1(scatterAddOp, [place, t], { axis: last, size: n });
    return [put(x!), put(position)];
  },
  vjp([ct], { ins: [x], outs: [, indices] }) {
    const axis = x!.rank - 1;
    return [apply1(scatterAddOp, [indices!, ct!], { axis, size: x!.shape[axis]! })];
  },
});

/** The `k` greatest (or least) elements along an axis, in order, as `torch.topk`. */
export function topK(
  x: Tensor,
  k: number,
  { axis = -1, largest = true }: { axis?: number; largest?: boolean } = {},
): { values: Tensor; indices: Tensor } {
  const at = axisOf("topK", axis, x.rank);
  if (!Number.isInteger(k) || k < 0 || k > x.shape[at]!)
    fail({ op: "topK", expected: `k from 0 to ${x.shape[at]}`, got: `${k}` });
  const { values, indices } = sort(x, { axis: at, descending: largest });
  const first = (t: Tensor) =>
    slice(
      t,
      t.shape.map((_, i) => (i === at ? [0, k] : null)),
    );
  return { values: first(values), indices: first(indices) };
}

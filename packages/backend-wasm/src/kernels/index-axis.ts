// gather and scatterAdd: elements picked, or added, at positions along an axis that an index says. Where the index is
// the same along a row (an embedding, a class per sample) the whole row is moved at once. A position out of range
// reads 0, adds nothing, and leaves a message that becomes an error after the run.

import { type AxisAttrs, type DType, sizeOf, type View } from "@nn/tensor";
import { ERROR } from "../addresses.js";
import { elementAt, type Func, f32x4, type Int, i32, i32x4, type Local } from "../build.js";
import { type PhaseFunc, phase, type WasmKernel } from "../code.js";
import { indices, loadElements, loops, loopsOf, operandsOf, row, starts, storeElements } from "../walk.js";

export const gather: WasmKernel<AxisAttrs> = /* @__PURE__ */ kernel(
  "gather",
  [2, 0, 1],
  (f, at, strides, width, found) => {
    const [to, from] = at as [Local, Local];
    storeElements(f, to, strides[0]!, width, found ? loadElements(f, from, strides[1]!, width) : f.int(0));
  },
);

export const scatterAdd: WasmKernel<AxisAttrs> = /* @__PURE__ */ kernel(
  "scatterAdd",
  [1, 2, 0],
  (f, at, strides, width, found, dtype) => {
    if (!found) return;
    const { add } = dtype === "f32" ? f32x4 : i32x4;
    const [a, b] = [0, 1].map((k) => loadElements(f, at[k]!, strides[k]!, width));
    storeElements(f, at[1]!, strides[1]!, width, add(b!, a!));
  },
);

// ───────────────────────────────────────────────────────────────────────────────────────────────────

/** Moves elements between two places; where the position was not found, there is nothing at the second. */
type Move = (
  f: Func,
  at: readonly Local[],
  strides: readonly number[],
  width: 4 | 1,
  found: boolean,
  dtype: DType,
) => void;

/** @param order which of inputs and output lies as the index does, which has the axis, and which is the index */
function kernel(op: string, order: readonly number[], move: Move): WasmKernel<AxisAttrs> {
  return {
    op,
    emit(signature) {
      const all = [...signature.ins, signature.outs[0]!];
      const views = order.map((i) => all[i]!);
      const cost = sizeOf(views[0]!.shape) + 0.1 * sizeOf(all[2]!.shape);
      const write = (p: PhaseFunc) => {
        const bases = [...p.ins, p.outs[0]!];
        // What is added to must be 0 first, and only one thread may add.
        const adds = order[1] === 2;
        if (adds) p.f.zero(bases[2]!, 4 * sizeOf(all[2]!.shape));
        const at = order.map((i) => bases[i]!);
        return walk(p.f, views, at, signature.attrs.axis, move, adds ? undefined : [p.from, p.to]);
      };
      return { name: op, write: (m) => [{ ...phase(m, op, signature, cost, write), mayFail: true }] };
    },
  };
}

/** Walks all three together; parts are positions on the first axis, if there is a range of them. */
function walk(
  f: Func,
  views: readonly View[],
  bases: readonly Local[],
  axis: number,
  move: Move,
  range?: readonly [Int, Int],
): number {
  const [beside, picked, index] = views as [View, View, View];
  if (sizeOf(index.shape) === 0) return 1;
  const still = { ...picked, shape: index.shape, strides: picked.strides.with(axis, 0) };
  const { shape, strides } = loopsOf([beside, still, index]);
  const operands = operandsOf(views, bases, strides);
  const size = picked.shape[axis]!;
  const inner = strides.map((s) => s.at(-1)!);
  /** The first two operands at the position that the index says. */
  const pick = ([a, b, at]: readonly Local[], body: (at: readonly Local[], found: boolean) => void) => {
    const i = f.let(i32.load(at!));
    f.if(
      i32.lt_u(i, size),
      () => body([a!, f.let(elementAt(b!, i, picked.strides[axis]!))], true),
      () => {
        [range ? 1 : 2, i, size, axis].forEach((word, k) => {
          f.store(ERROR + 4 * k, word);
        });
        body([a!, b!], false);
      },
    );
  };
  const writeRow = (at: readonly Local[], n: Int) => {
    if (inner[2] !== 0)
      row(f, n, at, inner, { vectors: false }, (_, p) =>
        pick(p, (q, found) => move(f, q, inner, 1, found, picked.dtype)),
      );
    else
      pick(at, (p, found) =>
        row(f, n, p, inner.slice(0, 2), { vectors: inner[1] !== 0 }, (width, q) =>
          move(f, q, inner, width, found, picked.dtype),
        ),
      );
  };
  const outer = indices(shape.length - 1);
  const start = { at: starts(f, operands), coordinates: [] };
  const cut = outer.length > 0 && range;
  loops(f, shape, operands, outer, cut || [0, shape[0]!], start, ({ at }) => writeRow(at, shape.at(-1)!));
  return cut ? shape[0]! : 1;
}

// gather and scatterAdd: elements picked, or added, at positions along an axis that an index says. Where the index is
// the same along a row (an embedding, a class per sample) the whole row is moved at once. A position out of range
// reads 0, adds nothing, and leaves a message that becomes an error after the run.

import { type AxisAttrs, collapse, rowMajor, sizeOf, type View } from "@nn/tensor";
import { ERROR } from "../addresses.js";
import { f32x4, type Int, i32, i32x4, type Local, type Value, v128 } from "../build.js";
import { type PhaseFunc, phaseFunction, type WasmKernel } from "../code.js";
import { loadElements, loops, type Operand, row, starts, storeElements } from "../walk.js";

export const gather: WasmKernel<AxisAttrs> = {
  op: "gather",
  emit(signature) {
    const { ins, outs, attrs } = signature;
    const [x, index] = ins as [View, View];
    const out = outs[0]!;
    return {
      name: "gather",
      write(m) {
        if (sizeOf(out.shape) === 0) return [];
        const p = phaseFunction(m, "gather", signature);
        const views = [{ ...out, strides: rowMajor(out.shape) }, without(x, attrs.axis, index.shape), index];
        const parts = walk(p, views, [p.outs[0]!, p.ins[0]!, p.ins[1]!], {
          code: 1,
          axis: attrs.axis,
          size: x.shape[attrs.axis]!,
          stride: x.strides[attrs.axis]!,
          moved: 1,
          parallel: true,
          element: ([to, from], [so, sx], width) =>
            storeElements(p.f, to!, so!, width, loadElements(p.f, from!, sx!, width)),
          missing: ([to], [so], width) => storeElements(p.f, to!, so!, width, v128.const([0, 0, 0, 0])),
        });
        return [{ run: p.f, parts, cost: sizeOf(out.shape) }];
      },
    };
  },
};

export const scatterAdd: WasmKernel<AxisAttrs> = {
  op: "scatterAdd",
  emit(signature) {
    const { ins, outs, attrs } = signature;
    const [index, source] = ins as [View, View];
    const out = { ...outs[0]!, strides: rowMajor(outs[0]!.shape) };
    return {
      name: "scatterAdd",
      write(m) {
        if (sizeOf(out.shape) === 0) return [];
        const p = phaseFunction(m, "scatterAdd", signature);
        p.f.zero(p.outs[0]!, 4 * sizeOf(out.shape));
        const add = out.dtype === "f32" ? f32x4.add : i32x4.add;
        if (sizeOf(source.shape) > 0) {
          const views = [source, without(out, attrs.axis, source.shape), index];
          walk(p, views, [p.ins[1]!, p.outs[0]!, p.ins[0]!], {
            code: 2,
            axis: attrs.axis,
            size: out.shape[attrs.axis]!,
            stride: out.strides[attrs.axis]!,
            moved: 1,
            parallel: false,
            element: ([from, to], [ss, so], width) =>
              storeElements(
                p.f,
                to!,
                so!,
                width,
                add(loadElements(p.f, to!, so!, width), loadElements(p.f, from!, ss!, width)),
              ),
            missing: () => undefined,
          });
        }
        return [{ run: p.f, parts: 1, cost: sizeOf(out.shape) * 0.1 + sizeOf(source.shape) }];
      },
    };
  },
};

// ───────────────────────────────────────────────────────────────────────────────────────────────────

/** A view of shape `shape` that stands still along the axis. */
function without(v: View, axis: number, shape: readonly number[]): View {
  return { ...v, shape, strides: v.strides.with(axis, 0) };
}

interface Move {
  /** Which kernel, in the message. */
  readonly code: number;
  readonly axis: number;
  /** Positions there are along the axis, and how far apart they lie in the operand `moved`. */
  readonly size: number;
  readonly stride: number;
  readonly moved: number;
  readonly parallel: boolean;
  element(at: readonly Local[], strides: readonly number[], width: 4 | 1): void;
  missing(at: readonly Local[], strides: readonly number[], width: 4 | 1): void;
}

/** Walks all operands together, the last of which is the index. */
function walk(p: PhaseFunc, views: readonly View[], bases: readonly Local[], move: Move): number {
  const { f } = p;
  const found = collapse(views);
  const shape = found.shape.length > 0 ? found.shape : [1];
  const strides = found.shape.length > 0 ? found.strides : views.map(() => [0]);
  const operands: Operand[] = views.map((v, i) => ({ base: bases[i]!, offset: v.offset, strides: strides[i]! }));
  const last = shape.length - 1;
  const inner = strides.map((s) => s[last]!);
  const position = (at: Local) => f.let(i32.load(at));
  const checked = (i: Local, body: () => void, missing: () => void) =>
    f.if(i32.lt_u(i, move.size), body, () => {
      [move.code, i, move.size, move.axis].forEach((word, k) => {
        f.store(ERROR + 4 * k, typeof word === "number" ? i32.const(word) : word);
      });
      missing();
    });
  /** The operands with the moved one at position i. */
  const there = (at: readonly Local[], i: Value) =>
    at.map((x, k) => (k === move.moved ? f.let(i32.add(x, i32.mul(i, 4 * move.stride))) : x));
  const writeRow = (at: readonly Local[], n: Int) => {
    if (inner[2] === 0) {
      const i = position(at[2]!);
      const vectors = { vectors: inner[move.moved] !== 0 };
      const all = (body: Move["element"], start: readonly Local[]) =>
        row(f, n, start.slice(0, 2), inner.slice(0, 2), vectors, (width, q) => body(q, inner, width));
      checked(
        i,
        () => all(move.element, there(at, i)),
        () => all(move.missing, at),
      );
      return;
    }
    row(f, n, at, inner, { vectors: false }, (_, q) => {
      const i = position(q[2]!);
      checked(
        i,
        () => move.element(there(q, i), inner, 1),
        () => move.missing(q, inner, 1),
      );
    });
  };
  const outer = shape.slice(0, -1).map((_, i) => i);
  const start = { at: starts(f, operands), coordinates: [] };
  const range: [Int, Int] = move.parallel && last > 0 ? [p.from, p.to] : [0, shape[0]!];
  loops(f, shape, operands, outer, range, start, ({ at }) => writeRow(at, shape[last]!));
  return move.parallel && last > 0 ? shape[0]! : 1;
}

// map: out[view] (+)= formula of the inputs, for all views; vectors along the axis that is closest together in the output.

import { collapse, expr as ex, type MapAttrs, sizeOf, type View } from "@nn/tensor";
import { type Func, f32x4, type Int, i32, i32x4, type Local, type Module } from "../build.js";
import { type Phase, phaseFunction, type WasmKernel } from "../code.js";
import { costOf, Formula, type Level } from "../formula.js";
import { coordinateVector, loadElements, loops, type Operand, reachOf, row, starts, storeElements } from "../walk.js";
import { turnedAxis, writeTurned } from "./turn.js";

export const map: WasmKernel<MapAttrs> = {
  op: "map",
  emit(signature) {
    const { ins, outs, attrs } = signature;
    return {
      name: "map",
      write(m) {
        if (sizeOf(outs[0]!.shape) === 0) return [];
        const p = phaseFunction(m, "map", signature);
        const parts = writeMap(p.f, { ...attrs, ins, out: outs[0]!, at: p.ins, to: p.outs[0]! }, [p.from, p.to]);
        return [{ run: p.f, parts, cost: sizeOf(outs[0]!.shape) * costOf(attrs.expr) }];
      },
    };
  },
};

/** A map over views whose buffers are at given addresses. */
export interface MapWork extends MapAttrs {
  readonly ins: readonly View[];
  readonly out: View;
  readonly at: readonly Local[];
  readonly to: Local;
}

/** Elements that a part of a map along one axis has. */
const BLOCK = 2048;

/**
 * Writes the loops of a map. Parts are blocks of a single axis, else positions on the first one.
 *
 * @returns how many parts there are
 */
export function writeMap(f: Func, work: MapWork, [from, to]: readonly [Int, Int]): number {
  const { expr, accumulate = false } = work;
  const coordinates = ex.linearize(expr).some((s) => s.k === "index");
  const { order, shape, strides } = arrange(work, coordinates);
  const last = shape.length - 1;
  const operands: Operand[] = [work.out, ...work.ins].map((v, k) => ({
    base: k === 0 ? work.to : work.at[k - 1]!,
    offset: v.offset,
    strides: strides[k]!,
  }));
  const still = (k: number, axes: readonly number[]) => axes.every((a) => strides[k]![a] === 0);
  const outer = shape.slice(0, -1).map((_, i) => i);
  const axis = accumulate || coordinates ? -1 : turnedAxis(shape, strides);
  const turned = axis >= 0;
  const formula = new Formula(f, expr, {
    level: (i): Level => (still(i + 1, outer) && still(i + 1, [last]) ? 0 : !turned && still(i + 1, [last]) ? 1 : 2),
    indexLevel: (axis) => (order.indexOf(axis) === last ? 2 : 1),
  });
  const single = last === 0;
  // Where the same element may be met twice, order matters, and so do neighbours in a vector.
  const outStride = strides[0]!;
  const meets = accumulate && (outStride.includes(0) || !isInjective(shape, outStride));
  const begin = { at: starts(f, operands), coordinates: [] };
  formula.at(0, { input: (i) => loadElements(f, begin.at[i + 1]!, 0, 4), index: () => i32x4.splat(0) });

  if (turned) return writeTurned(f, { formula, shape, operands, start: begin }, axis, [from, to]);
  const writeRow = (at: readonly Local[], before: readonly Local[], count: Int, first: Int) => {
    formula.at(1, {
      input: (i) => loadElements(f, at[i + 1]!, 0, 4),
      index: (axis) => coordinateVector(f, before[order.indexOf(axis)]!, false),
    });
    const inner = strides.map((s) => s[last]!);
    const options = {
      vectors: !(accumulate && outStride[last] === 0),
      ...(coordinates ? { first } : {}),
    };
    row(f, count, at, inner, options, (width, p, coordinate) => {
      const value = formula.at(2, {
        input: (i) => loadElements(f, p[i + 1]!, inner[i + 1]!, width),
        index: () => coordinateVector(f, coordinate!, true),
      });
      const to = p[0]!;
      const add = work.out.dtype === "f32" ? f32x4.add : i32x4.add;
      storeElements(f, to, inner[0]!, width, accumulate ? add(loadElements(f, to, inner[0]!, width), value) : value);
    });
  };

  if (!single) {
    const parts = meets ? 1 : shape[0]!;
    const range: [Int, Int] = meets ? [0, shape[0]!] : [from, to];
    loops(f, shape, operands, outer, range, begin, ({ at, coordinates: c }) => writeRow(at, c, shape[last]!, 0));
    return parts;
  }
  const n = shape[0]!;
  if (meets || n <= BLOCK) {
    writeRow(begin.at, [], n, 0);
    return 1;
  }
  const first = f.let(i32.mul(from, BLOCK));
  const count = f.let(i32.sub(i32.min_u(i32.mul(to, BLOCK), n), first));
  const at = begin.at.map((p, k) =>
    strides[k]![0] === 0 ? p : f.let(i32.add(p, i32.mul(first, 4 * strides[k]![0]!))),
  );
  writeRow(at, [], count, first);
  return Math.ceil(n / BLOCK);
}

/** The axes in the order of the loops, as few as possible: `order[i]` is the original axis of loop i, if it matters. */
function arrange({ ins, out, accumulate }: MapWork, coordinates: boolean) {
  const axes = [...out.shape.keys()];
  const far = (a: number) =>
    out.strides[a] === 0 && accumulate ? Number.POSITIVE_INFINITY : Math.abs(out.strides[a]!);
  const order = axes.sort((a, b) => far(b) - far(a) || a - b);
  const views = [out, ...ins].map((v) => ({
    ...v,
    shape: order.map((a) => v.shape[a]!),
    strides: order.map((a) => v.strides[a]!),
  }));
  const { shape, strides } = coordinates
    ? { shape: views[0]!.shape, strides: views.map((v) => v.strides) }
    : collapse(views);
  return shape.length > 0 ? { order, shape, strides } : { order, shape: [1], strides: views.map(() => [0]) };
}

/** Whether different positions are surely different elements: every axis steps over all that lies inside of it. */
function isInjective(shape: readonly number[], strides: readonly number[]): boolean {
  const view: View = { shape, strides, offset: 0, dtype: "f32" };
  const byStride = [...shape.keys()]
    .filter((a) => shape[a]! > 1)
    .sort((a, b) => Math.abs(strides[a]!) - Math.abs(strides[b]!));
  return (
    byStride.every((a, i) => {
      const inside = byStride.slice(0, i).reduce((sum, b) => sum + (shape[b]! - 1) * Math.abs(strides[b]!), 0);
      return Math.abs(strides[a]!) > inside;
    }) && reachOf(view, -1) >= 0
  );
}

export type { Module, Phase };

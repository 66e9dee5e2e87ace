// map: out[view] (+)= formula of the inputs, for all views; vectors along the axis that is closest together in the output.

import { expr as ex, type MapAttrs, sizeOf, type View } from "@nn/tensor";
import { type Func, f32x4, type Int, i32, i32x4, type Local } from "../build.js";
import { phase, type WasmKernel } from "../code.js";
import { costOf, Formula } from "../formula.js";
import {
  coordinateVector,
  indices,
  loadElements,
  loops,
  loopsOf,
  moved,
  operandsOf,
  row,
  starts,
  storeElements,
} from "../walk.js";
import { turnedAxis, writeTurned } from "./turn.js";

export const map: WasmKernel<MapAttrs> = {
  op: "map",
  emit(signature) {
    const { ins, outs, attrs } = signature;
    const out = outs[0]!;
    const size = sizeOf(out.shape);
    return {
      name: "map",
      write: (m) =>
        size === 0
          ? []
          : [
              phase(m, "map", signature, size * costOf(attrs.expr), (p) =>
                writeMap(p.f, { ...attrs, ins, out, at: p.ins, to: p.outs[0]! }, [p.from, p.to]),
              ),
            ],
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
 * @param range the parts that are done; all of them if it is left out, but then a single axis has no more than a block
 * @returns how many parts there are
 */
export function writeMap(f: Func, work: MapWork, range?: readonly [Int, Int]): number {
  const { expr, accumulate = false, ins, out } = work;
  const coordinates = ex.isIndexed(expr);
  const order = outermostFirst(work);
  const views = [out, ...ins];
  const { shape, strides } = loopsOf(
    views.map((v) => ({ ...v, shape: order.map((a) => v.shape[a]!), strides: order.map((a) => v.strides[a]!) })),
    coordinates,
  );
  const operands = operandsOf(views, [work.to, ...work.at], strides);
  const last = shape.length - 1;
  const n = shape[last]!;
  const inner = strides.map((s) => s[last]!);
  const axis = accumulate || coordinates ? -1 : turnedAxis(shape, strides);
  const formula = new Formula(f, expr, {
    level: (i) => (strides[i + 1]!.every((s) => s === 0) ? 0 : axis < 0 && inner[i + 1] === 0 ? 1 : 2),
    indexLevel: (axis) => (order.indexOf(axis) === last ? 2 : 1),
  });
  const start = { at: starts(f, operands), coordinates: [] };
  formula.at(0, { input: (i) => loadElements(f, start.at[i + 1]!, 0, 4), index: () => i32x4.splat(0) });
  if (axis >= 0) return writeTurned(f, { formula, shape, operands, start }, axis, range);

  const writeRow = (at: readonly Local[], before: readonly Local[], count: Int, first: Int) => {
    formula.at(1, {
      input: (i) => loadElements(f, at[i + 1]!, 0, 4),
      index: (axis) => coordinateVector(f, before[order.indexOf(axis)]!, false),
    });
    const options = { vectors: !(accumulate && inner[0] === 0), ...(coordinates ? { first } : {}) };
    row(f, count, at, inner, options, (width, p, coordinate) => {
      const value = formula.at(2, {
        input: (i) => loadElements(f, p[i + 1]!, inner[i + 1]!, width),
        index: () => coordinateVector(f, coordinate!, true),
      });
      const to = p[0]!;
      const { add } = out.dtype === "f32" ? f32x4 : i32x4;
      storeElements(f, to, inner[0]!, width, accumulate ? add(loadElements(f, to, inner[0]!, width), value) : value);
    });
  };

  // Where the same element may be met twice, order matters, and so do neighbours in a vector.
  const meets = accumulate && !isInjective(shape, strides[0]!);
  if (last > 0) {
    const outer = indices(last);
    loops(f, shape, operands, outer, (!meets && range) || [0, shape[0]!], start, ({ at, coordinates: c }) =>
      writeRow(at, c, n, 0),
    );
    return meets ? 1 : shape[0]!;
  }
  if (meets || n <= BLOCK) {
    writeRow(start.at, [], n, 0);
    return 1;
  }
  const [from, to] = range!.map((i) => i32.mul(i, BLOCK));
  const first = f.let(from!);
  writeRow(moved(f, start.at, inner, first), [], f.let(i32.sub(i32.min_u(to!, n), first)), first);
  return Math.ceil(n / BLOCK);
}

/** The axes in the order of the loops: those along which the output's elements are closest together come last. */
function outermostFirst({ out, accumulate }: MapWork): number[] {
  const far = (a: number) =>
    out.strides[a] === 0 && accumulate ? Number.POSITIVE_INFINITY : Math.abs(out.strides[a]!);
  return [...out.shape.keys()].sort((a, b) => far(b) - far(a) || a - b);
}

/** Whether different positions are surely different elements: every axis steps over all that lies inside of it. */
function isInjective(shape: readonly number[], strides: readonly number[]): boolean {
  let reach = 0;
  return [...shape.keys()]
    .filter((a) => shape[a]! > 1)
    .sort((a, b) => Math.abs(strides[a]!) - Math.abs(strides[b]!))
    .every((a) => {
      const step = Math.abs(strides[a]!);
      const inside = reach;
      reach += (shape[a]! - 1) * step;
      return step > inside;
    });
}

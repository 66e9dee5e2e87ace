// reduce: sums, products and extremes over axes of a formula, with a formula of the result. Vectors lie along the
// reduced axis (and are folded at the end) or along a kept one (each lane is a result of its own), whichever is
// contiguous. Long sums are added up block by block, so that rounding errors do not pile up.

import { contiguousView, type Epilogue, type Expr, expr as ex, type ReduceAttrs, sizeOf, type View } from "@nn/tensor";
import { type Func, f32x4, type Int, i32, i32x4, type Local, type Value, v128 } from "../build.js";
import { type PhaseFunc, phase, type WasmKernel } from "../code.js";
import { costOf, Formula, instruction, type Level } from "../formula.js";
import { folded } from "../lanes.js";
import {
  advance,
  blocks,
  coordinateVector,
  indices,
  loadElements,
  loops,
  loopsOf,
  moved,
  type Operand,
  operandsOf,
  type Point,
  row,
  starts,
  storeElements,
  withAxis,
} from "../walk.js";

/** Elements a partial sum has, where one sum is cut into several. */
const PARTIAL = 16384;
/** Elements that are added up before they go into the sum of the whole row. */
const BLOCK = 2048;
/** Columns in a part, where vectors lie along a single kept axis. */
const COLUMNS = 64;

export const reduce: WasmKernel<ReduceAttrs> = {
  op: "reduce",
  fusesEpilogue: true,
  emit(signature) {
    const { outs, attrs, epilogue } = signature;
    const count = signature.ins.length - (epilogue?.extra ?? 0);
    const [ins, extra] = [signature.ins.slice(0, count), signature.ins.slice(count)];
    const { shape } = ins[0]!;
    const out = outs[0]!;
    const results = sizeOf(out.shape);
    const cost = sizeOf(shape) * costOf(attrs.prologue) + results * (2 + (epilogue ? costOf(epilogue.expr) : 0));
    const cut = cutOf(attrs, shape);
    const partial = contiguousView({ shape: [cut?.chunks ?? 0, ...out.shape], dtype: attrs.prologue.dtype });
    return {
      name: `reduce ${attrs.of}`,
      shared: 4 * sizeOf(partial.shape),
      write(m) {
        if (results === 0) return [];
        const work = (p: PhaseFunc): Work => ({ ...attrs, ins, extra, out, epilogue, at: [...p.ins, p.outs[0]!] });
        if (!cut) return [phase(m, "reduce", signature, cost, (p) => writeReduce(p.f, work(p), [p.from, p.to]))];
        const joined = { ins: [partial], axes: [0], prologue: ex.input(0, partial.dtype) };
        return [
          phase(m, "reduce partial", signature, cost, (p) => partials(p, work(p), cut, partial)),
          phase(m, "reduce finish", signature, results * cut.chunks, (p) => {
            writeReduce(p.f, { ...work(p), ...joined, at: [p.shared, ...p.ins.slice(count), p.outs[0]!] });
            return 1;
          }),
        ];
      },
    };
  },
};

interface Work extends ReduceAttrs {
  readonly ins: readonly View[];
  /** The epilogue's. */
  readonly extra: readonly View[];
  readonly out: View;
  readonly epilogue?: Epilogue | undefined;
  /** Where inputs, extra ones, and the output are. */
  readonly at: readonly Local[];
}

// ── few results of many elements: partial results first ────────────────────────────────────────────

interface Cut {
  /** The reduced axis that is cut, in pieces of `step`; the last may be shorter. */
  readonly axis: number;
  readonly step: number;
  readonly chunks: number;
}

function cutOf({ axes, prologue }: ReduceAttrs, shape: readonly number[]): Cut | null {
  const count = sizeOf(axes.map((a) => shape[a]!));
  const results = sizeOf(shape) / count;
  if (!(count >= 4 * PARTIAL && results <= 16) || ex.isIndexed(prologue)) return null;
  const axis = axes.reduce((a, b) => (shape[b]! > shape[a]! ? b : a));
  const step = Math.max(1, Math.ceil((PARTIAL * shape[axis]!) / count));
  const chunks = Math.ceil(shape[axis]! / step);
  return chunks > 1 ? { axis, step, chunks } : null;
}

/** Writes `partial[chunk][result]`, the chunks being a kept axis before all others; what is left over is one more. */
function partials({ f, from, to, ins, shared }: PhaseFunc, work: Work, { axis, step }: Cut, partial: View): number {
  const size = work.ins[0]!.shape[axis]!;
  const write = (first: number, chunks: number, length: number, range?: readonly [Int, Int]) => {
    const cut = (v: View): View => ({
      ...v,
      shape: [chunks, ...v.shape.with(axis, length)],
      strides: [step * v.strides[axis]!, ...v.strides],
      offset: v.offset + first * step * v.strides[axis]!,
    });
    const out = {
      ...partial,
      shape: [chunks, ...work.out.shape],
      offset: first * partial.strides[0]!,
    };
    const axes = work.axes.map((a) => a + 1);
    const at = [...ins.slice(0, work.ins.length), shared];
    return writeReduce(f, { ...work, axes, ins: work.ins.map(cut), extra: [], epilogue: undefined, out, at }, range);
  };
  const whole = Math.floor(size / step);
  if (size % step > 0) f.if(i32.eqz(from), () => write(whole, 1, size % step));
  return write(0, whole, step, [from, to]);
}

// ── the loops ──────────────────────────────────────────────────────────────────────────────────────

/**
 * Writes the loops of a reduction; parts are positions on the first kept axis, or blocks of the only one.
 *
 * @param range the parts that are done; all of them if it is left out
 * @returns how many parts there are
 */
function writeReduce(f: Func, work: Work, range?: readonly [Int, Int]): number {
  const { prologue, ins, extra, out, epilogue } = work;
  const indexed = ex.isIndexed(prologue);
  const stride = (a: number) => Math.max(...ins.map((v) => Math.abs(v.strides[a]!)));
  const keptAxes = [...ins[0]!.shape.keys()].filter((a) => !work.axes.includes(a));
  const reducedAxes = work.axes.toSorted((a, b) => stride(b) - stride(a) || a - b);
  const along = (axes: readonly number[]) =>
    ins.map((v) => ({ ...v, shape: axes.map((a) => v.shape[a]!), strides: axes.map((a) => v.strides[a]!) }));
  const kept = loopsOf([...along(keptAxes), ...extra, out], indexed);
  const reduced = loopsOf(along(reducedAxes), indexed);
  const keep = kept.shape.length;
  const shape = [...kept.shape, ...reduced.shape];
  const last = shape.length - 1;
  // The output and the extra inputs stand still in the reduced loops.
  const strides = kept.strides.map((s, i) => [...s, ...(reduced.strides[i] ?? reduced.shape.map(() => 0))]);
  const operands = operandsOf([...ins, ...extra, out], work.at, strides);
  const columns = kept.shape.at(-1)!;
  const still = (i: number, from: number) => strides[i]!.slice(from).every((s) => s === 0);
  // What stands still while the others are read, such as a mean, does not matter.
  const close = strides.some((s, i) => i < ins.length && s[keep - 1] === 1 && !still(i, keep));
  const lane = columns >= 4 && (close || shape[last]! < 8) ? keep - 1 : last;
  const inner = strides.map((s) => s[lane]!);
  const loopOf = (axis: number) =>
    keptAxes.includes(axis) ? keptAxes.indexOf(axis) : keep + reducedAxes.indexOf(axis);
  const formula = new Formula(f, prologue, {
    level: (i) => (still(i, 0) ? 0 : lane === last && still(i, keep) ? 1 : 2),
    indexLevel: (axis) => (loopOf(axis) < lane && lane === last ? 1 : 2),
  });
  const after = epilogue && new Formula(f, epilogue.expr, { level: () => 2 });
  const neutral = neutralOf(work.of, prologue, f);
  const start = { at: starts(f, operands), coordinates: [] };
  const nest: Nest = {
    f,
    shape,
    keep,
    operands,
    inner,
    start,
    range,
    indexed,
    exact: work.of !== "add" || prologue.dtype !== "f32",
    neutral,
    combine: prologue.dtype === "f32" ? f32x4[work.of] : instruction(i32x4, work.of, prologue.dtype)!,
    evaluate: (level, { at, coordinates }, width = 4, first = 0) =>
      formula.at(level, {
        input: (i) => loadElements(f, at[i]!, level < 2 ? 0 : inner[i]!, width, first),
        index: (axis) => coordinateVector(f, coordinates[loopOf(axis)]!, level === 2 && loopOf(axis) === lane),
      }),
    store(result, at, width, first = 0) {
      const input = (i: number) => {
        const k = ins.length + i - 1;
        return i === 0 ? result : loadElements(f, at[k]!, inner[k]!, width, first);
      };
      const value = after?.at(2, { input }) ?? result;
      storeElements(f, at.at(-1)!, inner.at(-1)!, width, value, first);
    },
  };
  after?.at(0, { input: () => neutral });
  nest.evaluate(0, start);
  return lane === last ? alongReduced(nest) : alongKept(nest);
}

interface Nest {
  readonly f: Func;
  /** The kept loops, then the reduced ones. */
  readonly shape: readonly number[];
  readonly keep: number;
  /** Inputs, the epilogue's extra ones, and the output. */
  readonly operands: readonly Operand[];
  /** Their strides along the loop on which vectors lie. */
  readonly inner: readonly number[];
  readonly start: Point;
  readonly range: readonly [Int, Int] | undefined;
  readonly indexed: boolean;
  /** Whether the order of the elements does not matter. */
  readonly exact: boolean;
  readonly neutral: Value;
  readonly combine: (a: Value, b: Value) => Value;
  /** The formula of the elements, `first` behind the point on the vectors' loop; below level 2 all lanes are the same. */
  evaluate(level: Level, point: Point, width?: 4 | 1, first?: number): Value;
  /** Stores what the epilogue makes of results. */
  store(result: Local, at: readonly Local[], width: 4 | 1, first?: number): void;
}

const between = (from: number, to: number) => indices(to).slice(from);

/** Vectors along the last reduced axis, folded at the end. */
function alongReduced(nest: Nest): number {
  const { f, shape, keep, operands, inner, start, indexed, neutral, combine } = nest;
  const last = shape.length - 1;
  const n = shape[last]!;
  const count = n >= 16 ? 4 : 1;
  const sums = indices(count).map(() => f.let(neutral));
  const whole = f.let(neutral);
  const lane0 = f.lanes([0xffffffff, 0, 0, 0]);
  const one = (at: readonly Local[], coordinates: readonly Local[], length: Int, first: Int) => {
    nest.evaluate(1, { at, coordinates });
    let turn = 0;
    row(f, length, at, inner, { unroll: count, ...(indexed ? { first } : {}) }, (width, p, i) => {
      const x = nest.evaluate(2, { at: p, coordinates: i ? withAxis(coordinates, last, i) : coordinates }, width);
      const sum = sums[turn++ % count]!;
      f.set(sum, combine(sum, width === 4 ? x : v128.bitselect(x, neutral, lane0)));
    });
  };
  loops(f, shape, operands, indices(keep), nest.range ?? [0, shape[0]!], start, (point) => {
    for (const s of [...sums, whole]) f.set(s, neutral);
    loops(f, shape, operands, between(keep, last), [0, shape[keep]!], point, ({ at, coordinates }) => {
      if (nest.exact || n <= 2 * BLOCK) return one(at, coordinates, n, 0);
      f.for(0, n, BLOCK, (i) => {
        one(moved(f, at, inner, i), coordinates, f.let(i32.min_u(i32.sub(n, i), BLOCK)), i);
        for (const s of sums) {
          f.set(whole, combine(whole, s));
          f.set(s, neutral);
        }
      });
    });
    nest.store(
      folded(
        f,
        sums.reduce<Value>((a, b) => combine(a, b), whole),
        combine,
      ),
      point.at,
      1,
    );
  });
  return shape[0]!;
}

/** Every lane a result of its own, along the last kept axis. */
function alongKept(nest: Nest): number {
  const { f, shape, keep, operands, inner, start, range, neutral, combine } = nest;
  const axis = keep - 1;
  const n = shape[axis]!;
  /** `size` results side by side: vectors of them, or a single one in lane 0. */
  const results = (size: number, at: readonly Local[], coordinates: readonly Local[]) => {
    const width = size === 1 ? 1 : 4;
    const sums = indices(size / width).map(() => f.let(neutral));
    loops(f, shape, operands, between(keep, shape.length), [0, shape[keep]!], { at, coordinates }, (point) => {
      sums.forEach((sum, v) => {
        const i = nest.indexed ? f.let(i32.add(coordinates[axis]!, 4 * v)) : coordinates[axis]!;
        const there = { at: point.at, coordinates: withAxis(point.coordinates, axis, i) };
        f.set(sum, combine(sum, nest.evaluate(2, there, width, 4 * v)));
      });
    });
    sums.forEach((sum, v) => {
      nest.store(sum, at, width, 4 * v);
    });
  };
  const columns = (count: Int, first: Int, start: readonly Local[], coordinates: readonly Local[]) => {
    const at = moved(f, start, inner, 0);
    const i = f.let(first);
    blocks(f, count, n >= 16 ? [16, 4, 1] : [4, 1], (size) => {
      results(size, at, withAxis(coordinates, axis, i));
      advance(f, at, inner, size);
      f.step(i, size);
    });
  };
  if (keep > 1 || !range) {
    loops(f, shape, operands, indices(axis), range ?? [0, shape[0]!], start, ({ at, coordinates }) =>
      columns(n, 0, at, coordinates),
    );
    return shape[0]!;
  }
  const [from, to] = range.map((i) => i32.mul(i, COLUMNS));
  const first = f.let(from!);
  columns(f.let(i32.sub(i32.min_u(to!, n), first)), first, moved(f, start.at, inner, first), []);
  return Math.ceil(n / COLUMNS);
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

function neutralOf(of: ReduceAttrs["of"], { dtype }: Expr, f: Func): Value {
  if (of === "add") return f.int(0);
  if (dtype === "f32")
    return f.float(of === "mul" ? 1 : of === "max" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY);
  const lowest = dtype === "u32" ? 0 : 0x80000000;
  return f.int(of === "mul" ? 1 : of === "max" ? lowest : ~lowest);
}

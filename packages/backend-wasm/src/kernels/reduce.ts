// reduce: sums, products and extremes over axes of a formula, with a formula of the result. Vectors lie along the
// reduced axis (and are folded at the end) or along a kept one (each lane is a result of its own), whichever is
// contiguous. Long sums are added up block by block, so that rounding errors do not pile up.

import {
  collapse,
  type Epilogue,
  type Expr,
  expr as ex,
  type ReduceAttrs,
  rowMajor,
  sizeOf,
  type View,
} from "@nn/tensor";
import { type Func, f32x4, type Int, i32, i32x4, type Local, type Module, type Value, v128 } from "../build.js";
import { type Phase, type PhaseFunc, phaseFunction, type WasmKernel } from "../code.js";
import { costOf, Formula, type Level } from "../formula.js";
import {
  coordinateVector,
  loadElements,
  loops,
  type Operand,
  type Point,
  row,
  starts,
  storeElements,
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
    const { ins, outs, attrs, epilogue } = signature;
    const own = ins.slice(0, ins.length - (epilogue?.extra ?? 0));
    const whole = own[0]!.shape;
    const out = outs[0]!;
    const total = sizeOf(whole);
    const results = sizeOf(out.shape);
    const cost = total * costOf(attrs.prologue) + results * (2 + (epilogue ? costOf(epilogue.expr) : 0));
    const cut = cutOf(attrs, whole);
    return {
      name: `reduce ${attrs.of}`,
      shared: cut ? cut.chunks * results * 4 : 0,
      write(m) {
        if (results === 0) return [];
        const work = { ...attrs, ins: own, extra: ins.slice(own.length), out, ...(epilogue ? { epilogue } : {}) };
        if (!cut) {
          const p = phaseFunction(m, "reduce", signature);
          const parts = writeReduce(p.f, work, { at: p.ins, to: p.outs[0]! }, [p.from, p.to]);
          return [{ run: p.f, parts, cost }];
        }
        return [partials(m, signature, work, cut, cost), finish(m, signature, work, cut)];
      },
    };
  },
};

interface Work extends ReduceAttrs {
  readonly ins: readonly View[];
  readonly extra: readonly View[];
  readonly out: View;
  readonly epilogue?: Epilogue;
}

/** Where inputs (extra ones last) and output are. */
interface Places {
  readonly at: readonly Local[];
  readonly to: Local;
}

// ── few results of many elements: partial results first ────────────────────────────────────────────

interface Cut {
  /** The reduced axis that is cut, in pieces of `step`. */
  readonly axis: number;
  readonly step: number;
  readonly chunks: number;
}

function cutOf({ axes, prologue }: ReduceAttrs, shape: readonly number[]): Cut | null {
  const count = sizeOf(axes.map((a) => shape[a]!));
  const results = sizeOf(shape) / count;
  if (!(count >= 4 * PARTIAL && results <= 16) || ex.linearize(prologue).some((s) => s.k === "index")) return null;
  const axis = axes.reduce((a, b) => (shape[b]! > shape[a]! ? b : a));
  const step = Math.max(1, Math.ceil((PARTIAL * shape[axis]!) / count));
  const chunks = Math.ceil(shape[axis]! / step);
  return chunks > 1 ? { axis, step, chunks } : null;
}

/** Phase 1: chunk c of every result goes to `shared[c][result]`. */
function partials(
  m: Module,
  signature: Parameters<typeof phaseFunction>[2],
  work: Work,
  cut: Cut,
  cost: number,
): Phase {
  const p = phaseFunction(m, "reduce partial", signature);
  const { f } = p;
  const size = work.ins[0]!.shape[cut.axis]!;
  const chunk = (last: boolean): void => {
    const length = last ? size - (cut.chunks - 1) * cut.step : cut.step;
    const ins = work.ins.map((v) => ({ ...v, shape: v.shape.with(cut.axis, length) }));
    const at = work.ins.map((v, i) => f.let(i32.add(p.ins[i]!, i32.mul(c, 4 * cut.step * v.strides[cut.axis]!))));
    const to = f.let(i32.add(p.shared, i32.mul(c, 4 * sizeOf(work.out.shape))));
    const { epilogue: _, ...plain } = work;
    const first = work.out.shape[0] ?? 1;
    writeReduce(f, { ...plain, ins, extra: [], out: contiguous(work.out) }, { at, to }, [0, first]);
  };
  const c = f.let(p.from);
  f.doWhile(() => {
    if (size % cut.step === 0) chunk(false);
    else
      f.if(
        i32.eq(c, cut.chunks - 1),
        () => chunk(true),
        () => chunk(false),
      );
    f.step(c, 1);
    return i32.lt_u(c, p.to);
  });
  return { run: f, parts: cut.chunks, cost };
}

/** Phase 2: the chunks of a result together. */
function finish(m: Module, signature: Parameters<typeof phaseFunction>[2], work: Work, cut: Cut): Phase {
  const p: PhaseFunc = phaseFunction(m, "reduce finish", signature);
  const results = sizeOf(work.out.shape);
  const shape = [...work.out.shape, cut.chunks];
  const { dtype } = work.prologue;
  const partial: View = { shape, strides: [...rowMajor(work.out.shape), results], offset: 0, dtype };
  const joined: Work = { ...work, ins: [partial], axes: [shape.length - 1], prologue: ex.input(0, dtype) };
  const at = [p.shared, ...p.ins.slice(work.ins.length)];
  const range: [Int, Int] = [0, work.out.shape[0] ?? 1];
  writeReduce(p.f, joined, { at, to: p.outs[0]! }, range);
  return { run: p.f, parts: 1, cost: results * cut.chunks };
}

const contiguous = (v: View): View => ({ ...v, offset: 0, strides: rowMajor(v.shape) });

// ── the loops ──────────────────────────────────────────────────────────────────────────────────────

/** Writes the loops of a reduction; parts are positions on the first kept axis, or blocks of the only one. */
function writeReduce(f: Func, work: Work, places: Places, [from, to]: readonly [Int, Int]): number {
  const { prologue, ins, extra, out } = work;
  const indexed = ex.linearize(prologue).some((s) => s.k === "index");
  const all = ins[0]!.shape.map((_, i) => i);
  const keptAxes = all.filter((a) => !work.axes.includes(a));
  const stride = (a: number) => Math.max(...ins.map((v) => Math.abs(v.strides[a]!)));
  const reducedAxes = work.axes.toSorted((a, b) => stride(b) - stride(a) || a - b);
  const kept = part([out, ...ins.map((v) => only(v, keptAxes)), ...extra], indexed);
  const reduced = part(
    ins.map((v) => only(v, reducedAxes)),
    indexed,
  );
  const keep = kept.shape.length;
  const shape = [...kept.shape, ...reduced.shape];
  /** Input i walks over all loops; the output and the extra inputs over the kept ones. */
  const inputs: Operand[] = ins.map((v, i) => ({
    base: places.at[i]!,
    offset: v.offset,
    strides: [...kept.strides[1 + i]!, ...reduced.strides[i]!],
  }));
  const others: Operand[] = [out, ...extra].map((v, i) => ({
    base: i === 0 ? places.to : places.at[ins.length + i - 1]!,
    offset: v.offset,
    strides: kept.strides[i === 0 ? 0 : ins.length + i]!,
  }));
  const loopOf = new Map([
    ...keptAxes.map((a, i) => [a, i] as const),
    ...reducedAxes.map((a, i) => [a, keep + i] as const),
  ]);
  const nest: Nest = {
    f,
    work,
    shape,
    keep,
    inputs,
    others,
    start: { at: [...starts(f, inputs), ...starts(f, others)], coordinates: [] },
    range: [from, to],
    loopOf: (axis) => loopOf.get(axis)!,
    indexed,
    neutral: neutralOf(work.of, prologue, f),
    combine: combineOf(work.of, prologue),
  };
  const last = shape.length - 1;
  const columns = kept.shape.at(-1)!;
  const close = inputs.some(({ strides }) => strides[keep - 1] === 1);
  return columns >= 4 && (close || shape[last]! < 8) ? alongKept(nest) : alongReduced(nest);
}

interface Nest {
  readonly f: Func;
  readonly work: Work;
  /** The kept loops, then the reduced ones. */
  readonly shape: readonly number[];
  readonly keep: number;
  readonly inputs: readonly Operand[];
  /** The output, then the epilogue's extra inputs. */
  readonly others: readonly Operand[];
  readonly start: Point;
  readonly range: readonly [Int, Int];
  readonly loopOf: (axis: number) => number;
  readonly indexed: boolean;
  readonly neutral: Value;
  readonly combine: (a: Value, b: Value) => Value;
}

/** Vectors along the last reduced axis, folded at the end. */
function alongReduced(nest: Nest): number {
  const { f, work, shape, keep, inputs, others, start, indexed, neutral, combine } = nest;
  const last = shape.length - 1;
  const n = shape[last]!;
  const between = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
  const formula = prologueFormula(nest, last);
  const after = epilogueFormula(nest);
  const count = n >= 16 ? 4 : 1;
  const long = work.of === "add" && work.prologue.dtype === "f32" && n > 2 * BLOCK;
  const sums = Array.from({ length: count }, () => f.let(neutral));
  const whole = f.let(neutral);
  const strides = inputs.map((o) => o.strides[last]!);
  const lane0 = f.lanes([-1, 0, 0, 0].map((x) => x >>> 0));
  formula.at(0, sourceAt(nest, start, 4, null));

  const one = (at: readonly Local[], coordinates: readonly Local[], length: Int, first: Int) => {
    formula.at(1, sourceAt(nest, { at, coordinates }, 4, null));
    let turn = 0;
    row(
      f,
      length,
      at.slice(0, inputs.length),
      strides,
      { unroll: count, ...(indexed ? { first } : {}) },
      (width, p, i) => {
        const point = { at: p, coordinates: i ? withLast(coordinates, last, i) : coordinates };
        const x = formula.at(2, sourceAt(nest, point, width, last));
        const sum = sums[turn++ % count]!;
        f.set(sum, combine(sum, width === 4 ? x : v128.bitselect(x, neutral, lane0)));
      },
    );
  };
  const keptAll = between(0, keep);
  loops(f, shape, [...inputs, ...others.map(padded(shape))], keptAll, nest.range, start, (point) => {
    for (const s of sums) f.set(s, neutral);
    f.set(whole, neutral);
    loops(f, shape, inputs, between(keep, last), [0, shape[keep]!], point, ({ at, coordinates }) => {
      if (!long) return one(at, coordinates, n, 0);
      f.for(0, n, BLOCK, (i) => {
        const moved = at.slice(0, inputs.length).map((p, k) => f.let(i32.add(p, i32.mul(i, 4 * strides[k]!))));
        one(moved, coordinates, f.let(i32.min_u(i32.sub(n, i), BLOCK)), i);
        for (const s of sums) {
          f.set(whole, combine(whole, s));
          f.set(s, neutral);
        }
      });
    });
    const v = f.let([...sums].reduce<Value>((a, b) => combine(a, b), whole));
    f.set(v, combine(v, v128.shuffle32(v, v, [2, 3, 0, 1])));
    f.set(v, combine(v, v128.shuffle32(v, v, [1, 0, 3, 2])));
    const at = point.at.slice(inputs.length);
    storeElements(
      f,
      at[0]!,
      0,
      1,
      after(v, (i) => v128.load32_splat(at[1 + i]!)),
    );
  });
  return shape.slice(0, keep)[0] ?? 1;
}

/** Every lane a result of its own, along the last kept axis. */
function alongKept(nest: Nest): number {
  const { f, shape, keep, inputs, others, start, neutral, combine } = nest;
  const axis = keep - 1;
  const formula = prologueFormula(nest, -1);
  const after = epilogueFormula(nest);
  const strides = [...inputs.map((o) => o.strides[axis]!), ...others.map((o) => o.strides[axis]!)];
  formula.at(0, sourceAt(nest, start, 4, null));

  /** `vectors` vectors of results side by side, or a single one in lane 0. */
  const results = (width: 4 | 1, vectors: number, at: readonly Local[], coordinates: readonly Local[]) => {
    const sums = Array.from({ length: vectors }, () => f.let(neutral));
    const reducedAxes = Array.from({ length: shape.length - keep }, (_, i) => keep + i);
    loops(f, shape, inputs, reducedAxes, [0, shape[keep]!], { at, coordinates }, (point) => {
      sums.forEach((sum, v) => {
        const moved = point.at.slice(0, inputs.length).map((p, k) => {
          const by = 16 * v * strides[k]!;
          return by === 0 ? p : f.let(i32.add(p, by));
        });
        const shifted =
          nest.indexed && v > 0
            ? withLast(point.coordinates, axis, f.let(i32.add(point.coordinates[axis]!, 4 * v)))
            : point.coordinates;
        const x = formula.at(2, sourceAt(nest, { at: moved, coordinates: shifted }, width, axis));
        f.set(sum, combine(sum, x));
      });
    });
    sums.forEach((sum, v) => {
      const place = (k: number) => {
        const by = 16 * v * strides[inputs.length + k]!;
        return by === 0 ? at[inputs.length + k]! : f.let(i32.add(at[inputs.length + k]!, by));
      };
      const y = after(sum, (i) => loadElements(f, place(1 + i), strides[inputs.length + 1 + i]!, width));
      storeElements(f, place(0), strides[inputs.length]!, width, y);
    });
  };
  const columns = (count: Int, first: Int, at: readonly Local[], coordinates: readonly Local[]) => {
    const p = at.map((x, k) => (strides[k] === 0 ? x : f.let(x)));
    const i = f.let(first);
    const left = f.let(count);
    const block = (width: 4 | 1, vectors: number) => {
      const n = width * vectors;
      f.if(i32.ge_u(left, n), () =>
        f.doWhile(() => {
          results(width, vectors, p, withLast(coordinates, axis, i));
          p.forEach((x, k) => {
            f.step(x, 4 * n * strides[k]!);
          });
          f.step(i, n);
          f.step(left, -n);
          return i32.ge_u(left, n);
        }),
      );
    };
    if (shape[axis]! >= 16) block(4, 4);
    block(4, 1);
    if (shape[axis]! % 4 !== 0) block(1, 1);
  };
  const n = shape[axis]!;
  const [from, to] = nest.range;
  if (keep > 1) {
    const outer = Array.from({ length: axis }, (_, i) => i);
    loops(f, shape, [...inputs, ...others.map(padded(shape))], outer, nest.range, start, ({ at, coordinates }) =>
      columns(n, 0, at, coordinates),
    );
    return shape[0]!;
  }
  if (from === 0) {
    columns(n, 0, start.at, []); // not cut: the range is all there is
    return 1;
  }
  const first = f.let(i32.mul(from, COLUMNS));
  const at = start.at.map((p, k) => f.let(i32.add(p, i32.mul(first, 4 * strides[k]!))));
  columns(f.let(i32.sub(i32.min_u(i32.mul(to, COLUMNS), n), first)), first, at, []);
  return Math.ceil(n / COLUMNS);
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

const only = (v: View, axes: readonly number[]): View => ({
  ...v,
  shape: axes.map((a) => v.shape[a]!),
  strides: axes.map((a) => v.strides[a]!),
});

/** The loops of some axes, as few as possible, at least one. */
function part(
  views: readonly View[],
  indexed: boolean,
): { shape: readonly number[]; strides: readonly (readonly number[])[] } {
  const { shape, strides } = indexed
    ? { shape: views[0]!.shape, strides: views.map((v) => v.strides) }
    : collapse(views);
  return shape.length > 0 ? { shape, strides } : { shape: [1], strides: views.map(() => [0]) };
}

/** An operand of the kept loops, as one that stands still in the reduced ones. */
const padded =
  (shape: readonly number[]) =>
  (o: Operand): Operand => ({ ...o, strides: shape.map((_, i) => o.strides[i] ?? 0) });

const withLast = (coordinates: readonly Local[], axis: number, i: Local): Local[] => {
  const all = [...coordinates];
  all[axis] = i;
  return all;
};

/** @param last the loop along which vectors lie; −1: nothing is taken out of the loops */
function prologueFormula({ f, work, inputs, keep, loopOf }: Nest, last: number): Formula {
  const still = (i: number, from: number) => inputs[i]!.strides.slice(from).every((s) => s === 0);
  return new Formula(f, work.prologue, {
    level: (i): Level => (still(i, 0) ? 0 : last >= 0 && still(i, keep) ? 1 : 2),
    indexLevel: (axis) => (last >= 0 && loopOf(axis) < last ? 1 : 2),
  });
}

/** @param along the loop along which vectors lie; `null`: all lanes the same */
function sourceAt({ f, inputs, loopOf }: Nest, { at, coordinates }: Point, width: 4 | 1, along: number | null) {
  return {
    input: (i: number) => loadElements(f, at[i]!, along === null ? 0 : inputs[i]!.strides[along]!, width),
    index: (axis: number) => coordinateVector(f, coordinates[loopOf(axis)]!, loopOf(axis) === along),
  };
}

/** The formula after the reduction. */
function epilogueFormula({ f, work: { epilogue } }: Nest): (result: Local, extra: (i: number) => Value) => Value {
  if (!epilogue) return (result) => result;
  const formula = new Formula(f, epilogue.expr, { level: () => 2, indexLevel: () => 2 });
  formula.at(0, { input: () => v128.const([0, 0, 0, 0]), index: () => i32x4.splat(0) });
  return (result, extra) =>
    formula.at(2, { input: (i) => (i === 0 ? result : extra(i - 1)), index: () => i32x4.splat(0) });
}

function neutralOf(of: ReduceAttrs["of"], { dtype }: Expr, f: Func): Value {
  if (of === "add") return v128.const([0, 0, 0, 0]);
  if (of === "mul") return dtype === "f32" ? f.float(1) : f.int(1);
  const lowest = of === "max";
  if (dtype === "f32") return f.float(lowest ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY);
  if (dtype === "u32") return f.int(lowest ? 0 : 0xffffffff);
  return f.int(lowest ? -0x80000000 : 0x7fffffff);
}

function combineOf(of: ReduceAttrs["of"], { dtype }: Expr): (a: Value, b: Value) => Value {
  if (dtype === "f32") return f32x4[of];
  if (of === "add" || of === "mul") return i32x4[of];
  return i32x4[`${of}_${dtype === "u32" ? "u" : "s"}`];
}

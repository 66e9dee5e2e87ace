// A few vectors times a matrix: y (R, C) = x (R, K) · W (K, C) with R ≤ 3. Nothing is packed: W is read once, in the
// direction in which it lies.

import { contiguousView, type Signature, sizeOf, type View } from "@nn/tensor";
import { elementAt, type Func, f32x4, i32, type Local, type Module, type Value, v128 } from "../../build.js";
import { type Phase, phase, type WasmCode } from "../../code.js";
import { costOf } from "../../formula.js";
import { folded, turned } from "../../lanes.js";
import { advance, blocks, indices, loadElements, row, storeElements } from "../../walk.js";
import { writeMap } from "../map.js";

/** Most rows of x. With more, GEMM's tiles are better. */
export const MAX_ROWS = 3;
/** Columns of a part. */
const BLOCK = 64;
/** Nanoseconds of an element of W: the memory's speed, not the arithmetic's. */
const COST = 0.25;

/** The product as x · W, with x the side that has few rows. */
interface Product {
  readonly f: Func;
  readonly rows: number;
  readonly k: number;
  /** How many columns, and of x the first element, of W and y those of the first column. */
  readonly count: Local;
  readonly x: Operand;
  readonly w: Operand;
  readonly y: Operand;
}

interface Operand {
  readonly at: Local;
  /** Strides: of x from row to row and k to k, of W from k to k and column to column, of y from row to row and column to column. */
  readonly strides: readonly [number, number];
}

/**
 * The code, or `null` where the shapes or strides are not for this.
 *
 * @param straight whether x is a, and not bᵀ
 */
export function gemv(
  signature: Signature<unknown>,
  straight = signature.ins[0]!.shape.at(-2)! <= MAX_ROWS,
): WasmCode | null {
  const { ins, outs } = signature;
  const [a, b] = ins as [View, View];
  const [m, k] = a.shape.slice(-2) as [number, number];
  const n = b.shape.at(-1)!;
  if (sizeOf(a.shape) !== m * k || (m > MAX_ROWS && n > MAX_ROWS)) return null;
  // y = x · W, or, with few columns, yᵀ = bᵀ · aᵀ.
  const ordered = <T>(pair: readonly T[]) => (straight ? pair : [pair[1]!, pair[0]!]);
  const [rows, columns] = ordered([m, n]) as [number, number];
  const views = [...ordered([a, b]), outs[0]!];
  const strides = views.map((v) => ordered(v.strides.slice(-2)) as [number, number]);
  const [wk, wc] = strides[1]!;
  if (wc !== 1 && wk !== 1) return null;
  return {
    name: `gemv ${m}×${k}·${k}×${n}`,
    write: (module) => [
      phase(module, "gemv", signature, k * columns * COST, (p) => {
        const { f } = p;
        const first = f.let(i32.mul(p.from, BLOCK));
        const bases = [...ordered(p.ins.slice(0, 2)), p.outs[0]!];
        const [x, w, y] = bases.map((base, i): Operand => {
          const start = elementAt(base, views[i]!.offset);
          return { at: f.let(i === 0 ? start : elementAt(start, first, strides[i]![1])), strides: strides[i]! };
        }) as [Operand, Operand, Operand];
        const count = f.let(i32.sub(i32.min_u(i32.mul(p.to, BLOCK), columns), first));
        (wc === 1 ? alongColumns : alongK)({ f, rows, k, count, x, w, y });
        return Math.ceil(columns / BLOCK);
      }),
      ...epiloguePhase(module, "gemv epilogue", signature),
    ],
  };
}

/** The phase of the epilogue, if there is one, over all of the small result. */
export function epiloguePhase(m: Module, name: string, signature: Signature<unknown>): Phase[] {
  const { ins, outs, epilogue } = signature;
  if (!epilogue) return [];
  const out = contiguousView(outs[0]!);
  return [
    phase(m, name, signature, sizeOf(out.shape) * costOf(epilogue.expr), (p) => {
      const to = p.outs[0]!;
      const work = { expr: epilogue.expr, ins: [out, ...ins.slice(2)], out, at: [to, ...p.ins.slice(2)], to };
      return writeMap(p.f, work, [p.from, p.to]);
    }),
  ];
}

/** Columns lie side by side: rows of W, each times its element of x, are added up, several at a time. */
function alongColumns({ f, rows, k, count, x, w, y }: Product): void {
  const [xr, xk] = x.strides;
  const step = (n: number, start: boolean) => {
    const factors = indices(rows).map((r) =>
      indices(n).map((i) => f.let(v128.load32_splat(elementAt(x.at, r * xr + i * xk)))),
    );
    const places = indices(n).map((i) => f.let(elementAt(w.at, i, w.strides[0])));
    const results = indices(rows).map((r) => f.let(elementAt(y.at, r, y.strides[0])));
    const inner = [...places.map(() => 1), ...results.map(() => y.strides[1])];
    row(f, count, [...places, ...results], inner, {}, (width, at) => {
      const right = places.map((_, i) => f.let(loadElements(f, at[i]!, 1, width)));
      factors.forEach((factor, r) => {
        const to = at[n + r]!;
        const sum = f.let(start ? f32x4.mul(factor[0]!, right[0]!) : loadElements(f, to, y.strides[1], width));
        for (let i = start ? 1 : 0; i < n; i++) f.set(sum, f.fma(factor[i]!, right[i]!, sum));
        storeElements(f, to, y.strides[1], width, sum);
      });
    });
    advance(f, [x.at, w.at], [xk, w.strides[0]], n);
  };
  const some = 4;
  const few = k % some || some;
  step(few, true);
  f.times((k - few) / some, () => step(some, false));
}

/** Steps of k lie side by side: products of vectors, 8 or more sums at a time, folded at the end. */
function alongK({ f, rows, k, count, x, w, y }: Product): void {
  blocks(f, count, rows === 1 ? [4, 1] : [1], (n) => {
    // The same for 4 columns and for 1: an element does not depend on how many there are beside it.
    const times = rows === 1 ? 2 : Math.floor(8 / rows);
    const fresh = () => f.let(f.int(0));
    const sums = indices(rows).map(() => indices(n).map(() => indices(times).map(fresh)));
    const left = sums.map((_, r) => f.let(elementAt(x.at, r, x.strides[0])));
    const right = indices(n).map((c) => f.let(elementAt(w.at, c, w.strides[1])));
    const strides = [...left.map(() => x.strides[1]), ...right.map(() => 1)];
    let turn = 0;
    row(f, k, [...left, ...right], strides, { unroll: times }, (width, at) => {
      // Single elements stand alone in their vectors: the other lanes must not count twice.
      const one = (i: number) =>
        f.let(width === 1 ? v128.load32_zero(at[i]!) : loadElements(f, at[i]!, strides[i]!, 4));
      const xs = left.map((_, r) => one(r));
      right.forEach((_, c) => {
        const v = one(rows + c);
        xs.forEach((x, r) => {
          const sum = sums[r]![c]![turn % times]!;
          f.set(sum, f.fma(x, v, sum));
        });
      });
      turn++;
    });
    sums.forEach((row, r) => {
      const add = (list: readonly Value[]) => f.let(list.reduce((a, b) => f32x4.add(a, b)));
      const columns = row.map(add);
      const [a, b, c, d] = (n === 1 ? [] : turned(f, columns)) as [Value, Value, Value, Value];
      const v = n === 1 ? folded(f, columns[0]!, f32x4.add) : f.let(f32x4.add(f32x4.add(a, c), f32x4.add(b, d)));
      storeElements(f, f.let(elementAt(y.at, r, y.strides[0])), y.strides[1], n === 1 ? 1 : 4, v);
    });
    advance(f, [w.at, y.at], [w.strides[1], y.strides[1]], n);
  });
}

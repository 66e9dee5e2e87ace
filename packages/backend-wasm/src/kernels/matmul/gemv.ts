// A few vectors times a matrix: y (R, C) = x (R, K) · W (K, C) with R ≤ 3. Nothing is packed: W is read once, in the
// direction in which it lies.

import { contiguousView, type Signature, sizeOf, type View } from "@nn/tensor";
import { type Func, f32x4, i32, type Local, type Module, type Value, v128 } from "../../build.js";
import { type Phase, type PhaseFunc, phaseFunction, type WasmCode } from "../../code.js";
import { costOf } from "../../formula.js";
import { loadElements, row, storeElements } from "../../walk.js";
import { writeMap } from "../map.js";

/** Most rows of x. With more, GEMM's tiles are better. */
export const MAX_ROWS = 3;
/** Columns of a part. */
const BLOCK = 64;
/** Nanoseconds of an element of W: the memory's speed, not the arithmetic's. */
const COST = 0.25;

/** The product as x · W, with x the side that has few rows. */
interface Product {
  readonly rows: number;
  readonly k: number;
  readonly columns: number;
  readonly x: Operand;
  readonly w: Operand;
  readonly y: Operand;
}

interface Operand {
  readonly view: View;
  /** Strides: of x from row to row and k to k, of W from k to k and column to column, of y from row to row and column to column. */
  readonly strides: readonly [number, number];
}

/** The code, or `null` where the shapes or strides are not for this. */
export function gemv(signature: Signature<unknown>): WasmCode | null {
  const [a, b] = signature.ins as [View, View];
  const out = signature.outs[0]!;
  if (sizeOf(a.shape.slice(0, -2)) !== 1) return null;
  const [m, k] = a.shape.slice(-2) as [number, number];
  const n = b.shape.at(-1)!;
  const strides = (v: View) => v.strides.slice(-2) as [number, number];
  const turned = (v: View) => strides(v).reverse() as [number, number];
  const straight = m <= MAX_ROWS;
  if (!straight && n > MAX_ROWS) return null;
  // y = x · W, or, with few columns, yᵀ = bᵀ · aᵀ.
  const product: Product = straight
    ? {
        rows: m,
        k,
        columns: n,
        x: { view: a, strides: strides(a) },
        w: { view: b, strides: strides(b) },
        y: { view: out, strides: strides(out) },
      }
    : {
        rows: n,
        k,
        columns: m,
        x: { view: b, strides: turned(b) },
        w: { view: a, strides: turned(a) },
        y: { view: out, strides: turned(out) },
      };
  const [wk, wc] = product.w.strides;
  if (wc !== 1 && wk !== 1) return null;
  const { epilogue } = signature;
  return {
    name: `gemv ${m}×${k}·${k}×${n}`,
    write(module) {
      const p = phaseFunction(module, "gemv", signature);
      const [x, w] = straight ? [p.ins[0]!, p.ins[1]!] : [p.ins[1]!, p.ins[0]!];
      (wc === 1 ? alongColumns : alongK)(p, product, { x, w, y: p.outs[0]! });
      const first: Phase = { run: p.f, parts: Math.ceil(product.columns / BLOCK), cost: k * product.columns * COST };
      return epilogue ? [first, finish(module, signature)] : [first];
    },
  };
}

/** The epilogue, over all of the small result. */
function finish(m: Module, signature: Signature<unknown>): Phase {
  const { ins, outs, epilogue } = signature;
  const p = phaseFunction(m, "gemv epilogue", signature);
  const out = contiguousView(outs[0]!);
  const extra = ins.length - epilogue!.extra;
  const work = {
    expr: epilogue!.expr,
    ins: [out, ...ins.slice(extra)],
    out,
    at: [p.outs[0]!, ...p.ins.slice(extra)],
    to: p.outs[0]!,
  };
  const parts = writeMap(p.f, work, [p.from, p.to]);
  return { run: p.f, parts, cost: sizeOf(out.shape) * costOf(epilogue!.expr) };
}

interface Bases {
  readonly x: Local;
  readonly w: Local;
  readonly y: Local;
}

/** First column and number of columns of the parts from … to. */
function columnsOf({ f, from, to }: PhaseFunc, columns: number): [first: Local, count: Local] {
  const first = f.let(i32.mul(from, BLOCK));
  return [first, f.let(i32.sub(i32.min_u(i32.mul(to, BLOCK), columns), first))];
}

/** Columns lie side by side: rows of W, each times its element of x, are added up, several at a time. */
function alongColumns(p: PhaseFunc, { rows, k, columns, x, w, y }: Product, bases: Bases): void {
  const { f } = p;
  const [first, count] = columnsOf(p, columns);
  const some = 4;
  const [xr, xk] = x.strides;
  const xAt = f.let(i32.add(bases.x, 4 * x.view.offset));
  const wAt = f.let(i32.add(i32.add(bases.w, 4 * w.view.offset), i32.mul(first, 4)));
  const yAt = f.let(i32.add(bases.y, i32.mul(first, 4 * y.strides[1])));
  const step = (n: number, start: boolean) => {
    const factors = Array.from({ length: rows }, (_, r) =>
      Array.from({ length: n }, (_, i) => f.let(splatAt(xAt, r * xr + i * xk))),
    );
    const places = Array.from({ length: n }, (_, i) => f.let(i32.add(wAt, 4 * i * w.strides[0])));
    const results = Array.from({ length: rows }, (_, r) => f.let(i32.add(yAt, 4 * r * y.strides[0])));
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
    f.step(xAt, 4 * n * xk);
    f.step(wAt, 4 * n * w.strides[0]);
  };
  const rest = k % some;
  if (rest > 0) step(rest, true);
  const rounds = Math.floor(k / some);
  if (rounds === 0) return;
  if (rest === 0) step(some, true);
  if (rounds > (rest === 0 ? 1 : 0)) f.repeat(rounds - (rest === 0 ? 1 : 0), () => step(some, false));
}

/** Steps of k lie side by side: products of vectors, 8 or more sums at a time, folded at the end. */
function alongK(p: PhaseFunc, { rows, k, columns, x, w, y }: Product, bases: Bases): void {
  const { f } = p;
  const [first, count] = columnsOf(p, columns);
  const xAt = f.let(i32.add(bases.x, 4 * x.view.offset));
  const wAt = f.let(i32.add(i32.add(bases.w, 4 * w.view.offset), i32.mul(first, 4 * w.strides[1])));
  const yAt = f.let(i32.add(bases.y, i32.mul(first, 4 * y.strides[1])));
  const rest = f.let(count);
  const block = (n: number) => {
    const times = Math.max(1, Math.floor(8 / (n * rows)));
    const fresh = () => f.let(v128.const([0, 0, 0, 0]));
    const sums = Array.from({ length: rows }, () =>
      Array.from({ length: n }, () => Array.from({ length: times }, fresh)),
    );
    const left = sums.map((_, r) => f.let(i32.add(xAt, 4 * r * x.strides[0])));
    const right = Array.from({ length: n }, (_, c) => f.let(i32.add(wAt, 4 * c * w.strides[1])));
    const strides = [...left.map(() => x.strides[1]), ...right.map(() => 1)];
    let turn = 0;
    row(f, k, [...left, ...right], strides, { unroll: times }, (width, at) => {
      // Single elements stand alone in their vectors: the other lanes must not count twice.
      const one = (q: Local, s: number) => (width === 1 ? v128.load32_zero(q) : loadElements(f, q, s, 4));
      const xs = left.map((_, r) => f.let(one(at[r]!, x.strides[1])));
      right.forEach((_, c) => {
        const v = f.let(one(at[rows + c]!, 1));
        xs.forEach((xv, r) => {
          const sum = sums[r]![c]![turn % times]!;
          f.set(sum, f.fma(xv, v, sum));
        });
      });
      turn++;
    });
    sums.forEach((row, r) => {
      const v = folded(
        f,
        row.map(([sum, ...more]) => f.let(more.reduce<Value>((a, b) => f32x4.add(a, b), sum!))),
      );
      storeElements(f, f.let(i32.add(yAt, 4 * r * y.strides[0])), y.strides[1], n === 1 ? 1 : 4, v);
    });
    f.step(wAt, 4 * n * w.strides[1]);
    f.step(yAt, 4 * n * y.strides[1]);
    f.step(rest, -n);
  };
  for (const n of rows === 1 ? [4, 1] : [1]) {
    f.if(i32.ge_u(rest, n), () =>
      f.doWhile(() => {
        block(n);
        return i32.ge_u(rest, n);
      }),
    );
  }
}

/** The sums of the lanes of four vectors side by side, or of one in lane 0. */
function folded(f: Func, v: readonly Local[]): Value {
  if (v.length === 1) {
    const half = f.let(f32x4.add(v[0]!, v128.shuffle32(v[0]!, v[0]!, [2, 3, 0, 1])));
    return f32x4.add(half, v128.shuffle32(half, half, [1, 0, 3, 2]));
  }
  const [a, b, c, d] = v as [Local, Local, Local, Local];
  const pair = (p: Local, q: Local) =>
    f.let(f32x4.add(v128.shuffle32(p, q, [0, 4, 1, 5]), v128.shuffle32(p, q, [2, 6, 3, 7])));
  const [ab, cd] = [pair(a, b), pair(c, d)];
  return f32x4.add(v128.shuffle32(ab, cd, [0, 1, 4, 5]), v128.shuffle32(ab, cd, [2, 3, 6, 7]));
}

function splatAt(at: Local, elements: number): Value {
  const offset = 4 * elements;
  return offset < 0 ? v128.load32_splat(i32.add(at, offset)) : v128.load32_splat(at, offset);
}

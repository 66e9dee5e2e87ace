// What the kernels of the loops share: places in memory, blocks of rows, formulas of single vectors, packed W_hh.

import {
  elementAt,
  elementwise,
  type Func,
  f32x4,
  i32,
  type Local,
  loadElements,
  loadFirst,
  storeFirst,
  type Value,
} from "@nn/backend-wasm";
import { type Expr, expr, isContiguous, type Signature, type View } from "@nn/tensor";
import type { LoopAttrs } from "../loop.js";

/** Rows of a part: enough that a panel of weights is used while it is in the first-level cache. */
export const PART = 8;
/** Rows that go through time together, at most: their states stay in the caches. */
export const BLOCK = 32;
/** Nanoseconds of a multiplication and addition, and of a gate. */
export const COST = 0.045;
export const GATE_COST = 1.5;

/** 0 … n − 1. */
export const indices = (n: number): number[] => [...Array(n).keys()];

/** Vectors of four lie side by side, or all their elements are one. */
export const inVectors = ({ shape, strides }: View): boolean =>
  shape.at(-1) === 1 || strides.at(-1) === 0 || strides.at(-1) === 1;

/** Whether the kernels can read the inputs: those named contiguous, all else in vectors. */
export const readable = ({ ins }: Signature<LoopAttrs>, ...contiguous: readonly number[]): boolean =>
  ins.every((v, i) => v.shape.every((d) => d > 0) && (contiguous.includes(i) ? isContiguous(v) : inVectors(v)));

/** Blocks of rows of the parts `from … to` of a phase: `body` with the first row and how many there are. */
export function eachBlock(f: Func, rows: number, from: Local, to: Local, body: (first: Local, count: Local) => void) {
  const end = f.let(i32.min_u(i32.mul(to, PART), rows));
  f.for(i32.mul(from, PART), end, BLOCK, (first) => body(first, f.let(i32.min_u(i32.sub(end, first), BLOCK))));
}

/** From step to step of a view, 0 if it has no time; from row to row, 0 if it has no rows. */
export const timeOf = ({ strides }: View): number => strides.at(-3) ?? 0;
export const pitchOf = ({ strides }: View): number => strides.at(-2) ?? 0;

/** The address of a row of a view, at its first step or its last. */
export function rowAt(f: Func, base: Local, view: View, row: Local, last = false): Local {
  const start = view.offset + (last ? (view.shape.at(-3) ?? 1) - 1 : 0) * timeOf(view);
  return f.let(elementAt(elementAt(base, start), row, pitchOf(view)));
}

/** Copies `count` rows of a view to rows that lie one behind the other. */
export function copyRows(f: Func, from: Local, view: View, to: Local, count: Local): void {
  const [source, target] = [f.let(from), f.let(to)];
  f.repeat(count, () => {
    copyRow(f, source, view, target);
    f.step(source, 4 * pitchOf(view));
    f.step(target, 4 * view.shape.at(-1)!);
  });
}

/** Copies the row of a view at an address. */
export function copyRow(f: Func, from: Value, view: View, to: Value): void {
  const [a, b] = [f.let(from), f.let(to)];
  inUnits(f, view.shape.at(-1)!, (n) => {
    store(f, n, b, load(f, n, a, view));
    f.step(a, 16 * view.strides.at(-1)!);
    f.step(b, 16);
  });
}

/** `body` for all elements of a row, four at a time, then for the rest at once. */
export function inUnits(f: Func, size: number, body: (count: number) => void): void {
  f.times(size >> 2, () => body(4));
  if (size % 4 > 0) body(size % 4);
}

/** `count` ≤ 4 elements of a view, from an address on. */
export function load(f: Func, count: number, at: Local, { strides }: View, offset = 0): Value {
  return strides.at(-1) === 1 ? loadUnits(f, count, at, 4 * offset) : loadElements(f, at, 0, 4);
}

/** The first `count` ≤ 4 elements at an address, maybe none. */
export const loadUnits = (f: Func, count: number, at: Local, offset = 0): Value =>
  count > 0 ? loadFirst(count, at, offset) : f.int(0);

export function store(f: Func, count: number, at: Local, v: Value, offset = 0): void {
  if (count > 0) storeFirst(f, count, at, "index" in v ? (v as Local) : f.let(v), offset);
}

/** A formula of vectors. */
export function compute(f: Func, expr: Expr, ...ins: readonly Value[]): Local {
  return f.let(elementwise(f, expr)((i) => ins[i]!));
}

export const SIGMOID: Expr = /* @__PURE__ */ expr.call("sigmoid", /* @__PURE__ */ expr.input(0));
export const TANH: Expr = /* @__PURE__ */ expr.call("tanh", /* @__PURE__ */ expr.input(0));
export const RELU: Expr = /* @__PURE__ */ expr.call("max", /* @__PURE__ */ expr.input(0), /* @__PURE__ */ expr.num(0));

/** 1 − x². */
export const oneMinusSquare = (f: Func, x: Local): Value => f.fnma(x, x, f.float(1));
/** The gradient through a sigmoid, times s already: d · (1 − s). */
export const sigmoidGrad = (f: Func, d: Value, s: Local): Value => f32x4.mul(d, f32x4.sub(f.float(1), s));

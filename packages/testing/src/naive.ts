// What formulas and kernels mean, one element at a time and as plainly as it can be said. Independent of the reference
// backend's loops, so that the two check each other; far too slow for anything else.

import type { DType, Expr, ScalarFn, View } from "@nn/tensor";

/** A piece of memory, seen as each dtype (bool is i32). */
export interface Memory {
  readonly f32: Float32Array;
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
}

export function memoryOf(bytes: ArrayBuffer): Memory {
  return { f32: new Float32Array(bytes), i32: new Int32Array(bytes), u32: new Uint32Array(bytes) };
}

/** The array of a memory for a dtype. */
export function seenAs(m: Memory, dtype: DType): Float32Array | Int32Array | Uint32Array {
  return dtype === "f32" ? m.f32 : dtype === "u32" ? m.u32 : m.i32;
}

/** Where an element of a view is. */
export function place(view: View, at: readonly number[]): number {
  return at.reduce((sum, c, axis) => sum + c * view.strides[axis]!, view.offset);
}

/** All coordinates of a shape, in row-major order. */
export function coordinates(shape: readonly number[]): number[][] {
  return shape.reduce<number[][]>(
    (all, d) => all.flatMap((at) => Array.from({ length: d }, (_, i) => [...at, i])),
    [[]],
  );
}

/** A number as the dtype holds it: f32 rounded, integers modulo 2³². */
export function wrapped(v: number, dtype: DType): number {
  return dtype === "f32" ? Math.fround(v) : dtype === "u32" ? v >>> 0 : dtype === "i32" ? v | 0 : Number(v !== 0);
}

/** The value of a formula for one element, `at` these coordinates. */
export function evaluate(expr: Expr, input: (i: number) => number, at: readonly number[]): number {
  const known = new Map<Expr, number>(); // parts may be shared many times over
  const visit = (e: Expr): number => {
    let v = known.get(e);
    if (v === undefined) {
      if (e.k === "in") v = input(e.i);
      else if (e.k === "index") v = at[e.axis]!;
      else if (e.k === "const") v = wrapped(e.v, e.dtype);
      else if (e.f === "select") v = visit(e.of[0]!) !== 0 ? visit(e.of[1]!) : visit(e.of[2]!);
      else v = scalar(e.f, e.of.map(visit), e.of[0]!.dtype, e.dtype);
      known.set(e, v);
    }
    return v;
  };
  return visit(expr);
}

/** A scalar function of numbers of dtype `from`. */
export function scalar(f: ScalarFn, of: readonly number[], from: DType, to: DType): number {
  const [a = 0, b = 0] = of;
  if (f === "cast") return cast(a, from, to);
  if (f === "bitcast") return bitcast(a, from, to);
  const y = from === "f32" ? float[f]?.(a, b) : whole(f, a, b, from);
  if (y === undefined) throw new Error(`${f} of ${from} means nothing`);
  return wrapped(y, to);
}

/** What a reduction starts from. */
export function neutral(of: "add" | "mul" | "max" | "min", dtype: DType): number {
  if (of === "add" || of === "mul") return of === "add" ? 0 : 1;
  const [low, high] =
    dtype === "f32"
      ? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]
      : dtype === "u32"
        ? [0, 2 ** 32 - 1]
        : [-(2 ** 31), 2 ** 31 - 1];
  return of === "max" ? low! : high!;
}

/** One step of a reduction; sums and products of f32 stay in double precision until they are stored. */
export function combine(of: "add" | "mul" | "max" | "min", a: number, b: number, dtype: DType): number {
  if (dtype === "f32" && (of === "add" || of === "mul")) return of === "add" ? a + b : a * b;
  return scalar(of, [a, b], dtype, dtype);
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

type Binary = (a: number, b: number) => number;

const float: Partial<Record<ScalarFn, Binary>> = {
  neg: (a) => -a,
  abs: (a) => (a < 0 ? -a : a),
  sign: (a) => (a > 0 ? 1 : a < 0 ? -1 : a),
  floor: Math.floor,
  ceil: Math.ceil,
  trunc: Math.trunc,
  round(a) {
    const low = Math.floor(a);
    if (a - low !== 0.5) return a - low < 0.5 ? low : Number.isFinite(a) ? low + 1 : a;
    return low % 2 === 0 ? low : low + 1;
  },
  exp: Math.exp,
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  sqrt: Math.sqrt,
  recip: (a) => 1 / a,
  sigmoid: (a) => 1 / (1 + Math.exp(-a)),
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  asin: Math.asin,
  acos: Math.acos,
  atan: Math.atan,
  sinh: Math.sinh,
  cosh: Math.cosh,
  tanh: Math.tanh,
  erf,
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  mod: remainder,
  pow: (a, b) => a ** b,
  max: Math.max,
  min: Math.min,
  lt: (a, b) => Number(a < b),
  le: (a, b) => Number(a <= b),
  eq: (a, b) => Number(a === b),
  ne: (a, b) => Number(a !== b),
};

/** Integers in exact arithmetic; the caller wraps the result. */
function whole(f: ScalarFn, a: number, b: number, dtype: DType): number | undefined {
  switch (f) {
    case "floor":
    case "ceil":
    case "trunc":
    case "round":
      return a;
    case "mul":
      return Number(BigInt.asIntN(32, BigInt(a) * BigInt(b)));
    case "and":
      return a & b;
    case "or":
      return a | b;
    case "xor":
      return a ^ b;
    case "shl":
      return Number(BigInt.asIntN(32, BigInt(a) << BigInt(b)));
    case "shr":
      return Math.floor(a / 2 ** b); // of i32 arithmetic, of u32 logical
    case "mod":
      return b === 0 ? 0 : remainder(a, b);
    case "div":
    case "pow":
    case "exp":
      return undefined;
    default:
      return dtype === "f32" ? undefined : float[f]?.(a, b);
  }
}

/** Sign of the divisor. */
function remainder(a: number, b: number): number {
  const r = a % b; // sign of the dividend
  return r !== 0 && Math.sign(r) !== Math.sign(b) ? r + b : r;
}

function cast(a: number, from: DType, to: DType): number {
  if (to === "bool") return Number(a !== 0);
  if (to === "f32" || from !== "f32") return wrapped(a, to);
  const [low, high] = to === "u32" ? [0, 2 ** 32 - 1] : [-(2 ** 31), 2 ** 31 - 1];
  return Number.isNaN(a) ? 0 : a <= low! ? low! : a >= high! ? high! : Math.trunc(a);
}

function bitcast(a: number, from: DType, to: DType): number {
  const m = memoryOf(new ArrayBuffer(4));
  seenAs(m, from)[0] = a;
  return seenAs(m, to)[0]!;
}

/** By Simpson's rule on 2/√π ∫ e^(−t²): nothing like the series of the reference backend. */
function erf(x: number): number {
  if (!(Math.abs(x) < 6)) return Number.isNaN(x) ? x : Math.sign(x);
  const n = 400;
  const h = x / n;
  let sum = 1 + Math.exp(-x * x);
  for (let i = 1; i < n; i++) sum += (i % 2 === 0 ? 2 : 4) * Math.exp(-((i * h) ** 2));
  return ((2 / Math.sqrt(Math.PI)) * sum * h) / 3;
}

// The scalar functions of expr.ts as loops over a block: the living definition of what each of them means.
// f32 results are rounded to f32 by the array they are stored in, step by step, as every backend does.

import type { ExprStep, ScalarFn } from "../expr.js";
import type { Data } from "../spec.js";

/** `r[i] = f(a[i], b[i], c[i])` for i < n. */
export type Loop = (r: Data, a: Data, b: Data, c: Data, n: number) => void;

/** The loop of a step, given the dtypes of its arguments. */
export function loopOf(step: ExprStep, from: ExprStep | undefined): Loop {
  const f = step.f!;
  if (f === "cast") return casts(step, from!);
  const floats = from === undefined || from.dtype === "f32" || (f === "select" && step.dtype === "f32");
  const table: Partial<Record<ScalarFn, Loop>> = floats ? f32Loops : intLoops;
  const loop = table[f] ?? (floats ? intLoops : f32Loops)[f];
  if (!loop) throw new Error(`no loop for ${f} of ${from?.dtype}`);
  return loop;
}

function casts(step: ExprStep, from: ExprStep): Loop {
  if (step.dtype === "bool") return each((x) => (x !== 0 ? 1 : 0));
  if (from.dtype === "f32" && step.dtype !== "f32") {
    const [low, high] = step.dtype === "u32" ? [0, 0xffffffff] : [-0x80000000, 0x7fffffff];
    return each((x) => (Number.isNaN(x) ? 0 : Math.trunc(Math.min(Math.max(x, low!), high!))));
  }
  return each((x) => x);
}

/* @__NO_SIDE_EFFECTS__ */
const each =
  (f: (x: number) => number): Loop =>
  (r, a, _b, _c, n) => {
    for (let i = 0; i < n; i++) r[i] = f(a[i]!);
  };

/* @__NO_SIDE_EFFECTS__ */
const each2 =
  (f: (x: number, y: number) => number): Loop =>
  (r, a, b, _c, n) => {
    for (let i = 0; i < n; i++) r[i] = f(a[i]!, b[i]!);
  };

const f32Loops: Partial<Record<ScalarFn, Loop>> = {
  // Written out: these run in every training step, and a call per element would cost more than the work.
  add(r, a, b, _, n) {
    for (let i = 0; i < n; i++) r[i] = a[i]! + b[i]!;
  },
  sub(r, a, b, _, n) {
    for (let i = 0; i < n; i++) r[i] = a[i]! - b[i]!;
  },
  mul(r, a, b, _, n) {
    for (let i = 0; i < n; i++) r[i] = a[i]! * b[i]!;
  },
  div(r, a, b, _, n) {
    for (let i = 0; i < n; i++) r[i] = a[i]! / b[i]!;
  },
  max(r, a, b, _, n) {
    for (let i = 0; i < n; i++) r[i] = Math.max(a[i]!, b[i]!);
  },
  min(r, a, b, _, n) {
    for (let i = 0; i < n; i++) r[i] = Math.min(a[i]!, b[i]!);
  },
  neg(r, a, _b, _c, n) {
    for (let i = 0; i < n; i++) r[i] = -a[i]!;
  },
  exp(r, a, _b, _c, n) {
    for (let i = 0; i < n; i++) r[i] = Math.exp(a[i]!);
  },
  tanh(r, a, _b, _c, n) {
    for (let i = 0; i < n; i++) r[i] = Math.tanh(a[i]!);
  },
  sigmoid(r, a, _b, _c, n) {
    for (let i = 0; i < n; i++) r[i] = 1 / (1 + Math.exp(-a[i]!));
  },
  sqrt(r, a, _b, _c, n) {
    for (let i = 0; i < n; i++) r[i] = Math.sqrt(a[i]!);
  },
  select(r, c, a, b, n) {
    for (let i = 0; i < n; i++) r[i] = c[i] !== 0 ? a[i]! : b[i]!;
  },
  lt(r, a, b, _, n) {
    for (let i = 0; i < n; i++) r[i] = a[i]! < b[i]! ? 1 : 0;
  },
  le(r, a, b, _, n) {
    for (let i = 0; i < n; i++) r[i] = a[i]! <= b[i]! ? 1 : 0;
  },
  eq(r, a, b, _, n) {
    for (let i = 0; i < n; i++) r[i] = a[i] === b[i] ? 1 : 0;
  },
  ne(r, a, b, _, n) {
    for (let i = 0; i < n; i++) r[i] = a[i] !== b[i] ? 1 : 0;
  },
  abs: each(Math.abs),
  sign: each(Math.sign),
  floor: each(Math.floor),
  ceil: each(Math.ceil),
  trunc: each(Math.trunc),
  round: each((x) => (Math.abs(x - Math.trunc(x)) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x))),
  expm1: each(Math.expm1),
  log: each(Math.log),
  log1p: each(Math.log1p),
  recip: each((x) => 1 / x),
  sin: each(Math.sin),
  cos: each(Math.cos),
  tan: each(Math.tan),
  asin: each(Math.asin),
  acos: each(Math.acos),
  atan: each(Math.atan),
  sinh: each(Math.sinh),
  cosh: each(Math.cosh),
  erf: each(erf),
  pow: each2((x, y) => (x === 1 || (x === -1 && Math.abs(y) === Number.POSITIVE_INFINITY) ? 1 : x ** y)), // as IEEE 754, not ECMAScript
  mod: each2(modulo),
};

/** What is not here is the same for integers (abs, floor, …). */
const intLoops: Partial<Record<ScalarFn, Loop>> = {
  add(r, a, b, _, n) {
    for (let i = 0; i < n; i++) r[i] = a[i]! + b[i]!; // the array stored into wraps modulo 2³²
  },
  sub: each2((x, y) => x - y),
  mul(r, a, b, _, n) {
    for (let i = 0; i < n; i++) r[i] = Math.imul(a[i]!, b[i]!);
  },
  max: each2(Math.max),
  min: each2(Math.min),
  mod: each2((x, y) => (y === 0 ? 0 : modulo(x, y))),
  neg: each((x) => -x),
  lt: each2((x, y) => (x < y ? 1 : 0)),
  le: each2((x, y) => (x <= y ? 1 : 0)),
  eq(r, a, b, _, n) {
    for (let i = 0; i < n; i++) r[i] = a[i] === b[i] ? 1 : 0;
  },
  ne: each2((x, y) => (x !== y ? 1 : 0)),
  and: each2((x, y) => x & y),
  or(r, a, b, _, n) {
    for (let i = 0; i < n; i++) r[i] = a[i]! | b[i]!;
  },
  xor(r, a, b, _, n) {
    for (let i = 0; i < n; i++) r[i] = a[i]! ^ b[i]!;
  },
  shl(r, a, b, _, n) {
    for (let i = 0; i < n; i++) r[i] = a[i]! << b[i]!;
  },
  /** Logical for u32, arithmetic for i32: the array passed in decides what its elements look like. */
  shr(r, a, b, _, n) {
    if (a instanceof Uint32Array) for (let i = 0; i < n; i++) r[i] = a[i]! >>> b[i]!;
    else for (let i = 0; i < n; i++) r[i] = a[i]! >> b[i]!;
  },
  select(r, c, a, b, n) {
    for (let i = 0; i < n; i++) r[i] = c[i] !== 0 ? a[i]! : b[i]!;
  },
};

function modulo(x: number, y: number): number {
  const r = x % y;
  return r !== 0 && r < 0 !== y < 0 ? r + y : r;
}

/** erf by its series 2/√π · e^(−x²) · Σ 2ⁿ x^(2n+1) / (2n+1)!!, all terms positive: exact to double precision where it matters. */
function erf(x: number): number {
  if (Number.isNaN(x)) return x;
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > Math.abs(sum) * 1e-17; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

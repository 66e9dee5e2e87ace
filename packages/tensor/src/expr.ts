// Scalar formulas: what a pointwise op computes for one element. Plain data, so that every backend can print it
// (loops, wasm, WGSL), fuse it into its neighbours, and so that its derivative is symbolic, too.
//
// An Expr is a graph: a part used twice is one object used twice. `linearize` gives it as a list of steps.

import type { DType } from "./spec.js";
import { promote } from "./spec.js";

export type Expr =
  | { readonly k: "in"; readonly i: number; readonly dtype: DType }
  | { readonly k: "const"; readonly v: number; readonly dtype: DType }
  /** The coordinate of the element along an axis of the output. */
  | { readonly k: "index"; readonly axis: number; readonly dtype: "i32" }
  | { readonly k: "call"; readonly f: ScalarFn; readonly of: readonly Expr[]; readonly dtype: DType };

/** How the result's dtype follows from the arguments'. */
type Rule = "same" | "float" | "bool" | "int" | "select" | "cast";

interface Scalar {
  readonly rule: Rule;
  d?(x: readonly Expr[], y: Expr): readonly Expr[];
}

export type ScalarFn =
  | "neg"
  | "abs"
  | "sign"
  | "floor"
  | "ceil"
  | "round"
  | "trunc"
  | "exp"
  | "expm1"
  | "log"
  | "log1p"
  | "sqrt"
  | "recip"
  | "erf"
  | "sigmoid"
  | "sin"
  | "cos"
  | "tan"
  | "asin"
  | "acos"
  | "atan"
  | "sinh"
  | "cosh"
  | "tanh"
  | "add"
  | "sub"
  | "mul"
  | "div"
  | "mod"
  | "pow"
  | "max"
  | "min"
  | "lt"
  | "le"
  | "eq"
  | "ne"
  | "and"
  | "or"
  | "xor"
  | "shl"
  | "shr"
  | "select"
  | "cast"
  | "bitcast";

/**
 * Every scalar function, its dtype rule, and its derivative in each argument (`x` arguments, `y` result).
 * No derivative: zero almost everywhere (floor, comparisons, …).
 */
const scalarFns: Record<ScalarFn, Scalar> = {
  neg: { rule: "same", d: () => [num(-1)] },
  abs: { rule: "same", d: ([x]) => [call("sign", x!)] },
  sign: { rule: "same" },
  floor: { rule: "same" },
  ceil: { rule: "same" },
  /** Half to even, as IEEE 754. */
  round: { rule: "same" },
  trunc: { rule: "same" },
  exp: { rule: "float", d: (_, y) => [y] },
  expm1: { rule: "float", d: ([x]) => [call("exp", x!)] },
  log: { rule: "float", d: ([x]) => [call("recip", x!)] },
  log1p: { rule: "float", d: ([x]) => [call("recip", call("add", x!, num(1)))] },
  sqrt: { rule: "float", d: (_, y) => [call("div", num(0.5), y)] },
  recip: { rule: "float", d: (_, y) => [call("neg", call("mul", y, y))] },
  sin: { rule: "float", d: ([x]) => [call("cos", x!)] },
  cos: { rule: "float", d: ([x]) => [call("neg", call("sin", x!))] },
  tan: { rule: "float", d: (_, y) => [call("add", num(1), call("mul", y, y))] },
  asin: { rule: "float", d: ([x]) => [call("recip", call("sqrt", oneMinusSquare(x!)))] },
  acos: { rule: "float", d: ([x]) => [call("neg", call("recip", call("sqrt", oneMinusSquare(x!))))] },
  atan: { rule: "float", d: ([x]) => [call("recip", call("add", num(1), call("mul", x!, x!)))] },
  sinh: { rule: "float", d: ([x]) => [call("cosh", x!)] },
  cosh: { rule: "float", d: ([x]) => [call("sinh", x!)] },
  tanh: { rule: "float", d: (_, y) => [oneMinusSquare(y)] },
  sigmoid: { rule: "float", d: (_, y) => [call("mul", y, call("sub", num(1), y))] },
  erf: {
    rule: "float",
    d: ([x]) => [call("mul", num(2 / Math.sqrt(Math.PI)), call("exp", call("neg", call("mul", x!, x!))))],
  },
  add: { rule: "same", d: () => [num(1), num(1)] },
  sub: { rule: "same", d: () => [num(1), num(-1)] },
  mul: { rule: "same", d: ([a, b]) => [b!, a!] },
  div: { rule: "float", d: ([, b], y) => [call("recip", b!), call("neg", call("div", y, b!))] },
  /** Remainder with the divisor's sign, as Python and `torch.remainder`. */
  mod: { rule: "same", d: ([a, b]) => [num(1), call("neg", call("floor", call("div", a!, b!)))] },
  pow: {
    rule: "float",
    // 0 · x^(b−1) at b = 0, and log 0 at a = 0, are taken as 0, as PyTorch does.
    d: ([a, b], y) => [
      select(call("eq", b!, num(0)), num(0), call("mul", b!, call("pow", a!, call("sub", b!, num(1))))),
      select(call("and", call("eq", a!, num(0)), call("le", num(0), b!)), num(0), call("mul", y, call("log", a!))),
    ],
  },
  /** NaN if either is NaN. The gradient of a tie is shared evenly. */
  max: { rule: "same", d: ([a, b]) => shared(a!, b!) },
  min: { rule: "same", d: ([a, b]) => [...shared(a!, b!)].reverse() },
  lt: { rule: "bool" },
  le: { rule: "bool" },
  eq: { rule: "bool" },
  ne: { rule: "bool" },
  and: { rule: "int" },
  or: { rule: "int" },
  xor: { rule: "int" },
  shl: { rule: "int" },
  shr: { rule: "int" },
  /** `select(condition, a, b)`: a where the condition is true. The other branch never matters, not even NaN. */
  select: { rule: "select" },
  /** Value conversion; f32 → integers truncates and saturates, NaN → 0; anything → bool is `≠ 0`. */
  cast: { rule: "cast", d: () => [num(1)] },
  /** The same 32 bits seen as another dtype. */
  bitcast: { rule: "cast" },
};

// ── building ───────────────────────────────────────────────────────────────────────────────────────

/** The `i`-th input. */
export const input = (i: number, dtype: DType = "f32"): Expr => ({ k: "in", i, dtype });
export const num = (v: number, dtype: DType = "f32"): Expr => ({ k: "const", v, dtype });
export const index = (axis: number): Expr => ({ k: "index", axis, dtype: "i32" });
export const select = (c: Expr, a: Expr, b: Expr): Expr => call("select", c, a, b);
export const cast = (x: Expr, dtype: DType): Expr =>
  x.dtype === dtype ? x : x.k === "const" && dtype === "f32" ? num(x.v) : { k: "call", f: "cast", of: [x], dtype };
export const bitcast = (x: Expr, dtype: DType): Expr => ({ k: "call", f: "bitcast", of: [x], dtype });

/** A call of a scalar function; arguments are promoted to a common dtype, and trivial calls fold away. */
export function call(f: ScalarFn, ...args: readonly Expr[]): Expr {
  const { rule } = scalarFns[f];
  if (rule === "cast") throw new Error("use cast() or bitcast()");
  if (rule === "select") {
    const [c, a, b] = args as [Expr, Expr, Expr];
    const t = promote(a.dtype, b.dtype);
    return folded(f, [cast(c, "bool"), cast(a, t), cast(b, t)], t);
  }
  let t = rule === "float" ? "f32" : promote(...args.map((a) => a.dtype));
  if (rule === "same" && t === "bool") t = "i32";
  return folded(
    f,
    args.map((a) => cast(a, t)),
    rule === "bool" ? "bool" : t,
  );
}

/** What 1·x, x+0, … fold to: keeps symbolic derivatives short. NaN and ∞ are no reason to keep a multiplication by 1. */
function folded(f: ScalarFn, of: readonly Expr[], dtype: DType): Expr {
  const [a, b, c] = of as [Expr, Expr, Expr];
  const is = (e: Expr, v: number) => e.k === "const" && e.v === v;
  if (f === "mul") {
    if (is(a, 1)) return b;
    if (is(b, 1)) return a;
    if (is(a, -1)) return call("neg", b);
    if (is(b, -1)) return call("neg", a);
  }
  if (f === "add" && is(a, 0)) return b;
  if ((f === "add" || f === "sub") && is(b, 0)) return a;
  if (f === "select") {
    if (a.k === "const") return a.v ? b : c;
    if (b.k === "const" && is(c, b.v)) return b;
  }
  if (a.k === "const" && a.dtype === "f32") {
    if (f === "neg") return num(-a.v);
    if (b?.k === "const") {
      if (f === "add") return num(a.v + b.v);
      if (f === "sub") return num(a.v - b.v);
      if (f === "mul") return num(a.v * b.v);
      if (f === "div") return num(a.v / b.v);
      if (f === "eq") return num(Number(a.v === b.v), "bool");
    }
  }
  return { k: "call", f, of, dtype };
}

function oneMinusSquare(x: Expr): Expr {
  return call("sub", num(1), call("mul", x, x));
}

/** 1 for the greater of the two, ½ each for a tie. */
function shared(a: Expr, b: Expr): readonly Expr[] {
  const share = (wins: Expr) => select(call("eq", a, b), num(0.5), cast(wins, "f32"));
  return [share(call("lt", b, a)), share(call("lt", a, b))];
}

// ── reading ────────────────────────────────────────────────────────────────────────────────────────

/** One step of a formula; `of` are the numbers of earlier steps. */
export interface ExprStep {
  readonly k: Expr["k"];
  readonly dtype: DType;
  /** Scalar function of a call. */
  readonly f?: ScalarFn;
  readonly of: readonly number[];
  /** Input number, constant, or axis. */
  readonly v: number;
}

/** The formula as steps in order of evaluation, equal parts only once; the last step is the result. */
export function linearize(expr: Expr): readonly ExprStep[] {
  return linear(expr).steps;
}

/** A short text that tells formulas apart: part of a kernel's signature. */
export function exprKey(expr: Expr): string {
  return linear(expr).key;
}

/** Both, worked out once for each formula. */
function linear(expr: Expr): { readonly steps: readonly ExprStep[]; readonly key: string } {
  let known = linearized.get(expr);
  if (known) return known;
  const steps: ExprStep[] = [];
  const ofObject = new Map<Expr, number>();
  const ofText = new Map<string, number>();
  const visit = (e: Expr): number => {
    let n = ofObject.get(e);
    if (n !== undefined) return n;
    const { k, dtype } = e;
    const of = k === "call" ? e.of.map(visit) : [];
    const v = k === "in" ? e.i : k === "const" ? e.v : k === "index" ? e.axis : 0;
    const name = k === "call" ? e.f : k;
    const text = `${name}${of}:${Object.is(v, -0) ? "-0" : v}${dtype[0]}`;
    n = ofText.get(text);
    if (n === undefined) {
      n = steps.push(k === "call" ? { k, dtype, f: e.f, of, v } : { k, dtype, of, v }) - 1;
      ofText.set(text, n);
    }
    ofObject.set(e, n);
    return n;
  };
  visit(expr);
  known = { steps, key: [...ofText.keys()].join(";") };
  linearized.set(expr, known);
  return known;
}
const linearized = new WeakMap<Expr, { readonly steps: readonly ExprStep[]; readonly key: string }>();

/** A formula as people write it: `add(x0, mul(x1, 2))`. */
export function showExpr(expr: Expr): string {
  const steps = linearize(expr);
  if (steps.length > 40) return `…${steps.length} steps`;
  const text: string[] = [];
  for (const s of steps) {
    if (s.k === "call")
      text.push(
        `${s.f === "cast" || s.f === "bitcast" ? `${s.f}_${s.dtype}` : s.f}(${s.of.map((o) => text[o]).join(", ")})`,
      );
    else text.push(s.k === "in" ? `x${s.v}` : s.k === "index" ? `i${s.v}` : `${s.v}`);
  }
  const whole = text[text.length - 1]!;
  return whole.length > 160 ? `${whole.slice(0, 150)}… (${steps.length} steps)` : whole;
}

/** Whether a formula asks for coordinates. */
export const isIndexed = (expr: Expr): boolean => linearize(expr).some((s) => s.k === "index");

/** The inputs a formula reads, ascending. */
export function inputsOf(expr: Expr): number[] {
  return [...new Set(linearize(expr).flatMap((s) => (s.k === "in" ? [s.v] : [])))].sort((a, b) => a - b);
}

/** The formula with its inputs (and, where given, its coordinates) replaced. */
export function substitute(
  expr: Expr,
  replace: (i: number, dtype: DType) => Expr,
  axis?: (axis: number) => Expr,
): Expr {
  const done = new Map<Expr, Expr>();
  const visit = (e: Expr): Expr => {
    let r = done.get(e);
    if (r === undefined) {
      if (e.k === "in") r = replace(e.i, e.dtype);
      else if (e.k === "index" && axis) r = axis(e.axis);
      else if (e.k !== "call") r = e;
      else {
        const of = e.of.map(visit);
        r = of.every((o, i) => o === e.of[i]) ? e : e.f === "cast" ? cast(of[0]!, e.dtype) : folded(e.f, of, e.dtype);
      }
      done.set(e, r);
    }
    return r;
  };
  return visit(expr);
}

/**
 * The derivative of a formula in its `i`-th input, as a formula of the same inputs; `null` where it is 0 everywhere.
 *
 * @param result stands for the formula's value, where that is at hand and need not be computed again
 */
export function differentiate(expr: Expr, i: number, result: Expr = expr): Expr | null {
  const done = new Map<Expr, Expr | null>();
  const visit = (e: Expr): Expr | null => {
    if (e.k === "in") return e.i === i ? num(1) : null;
    if (e.k !== "call" || e.dtype !== "f32") return null;
    let sum = done.get(e);
    if (sum !== undefined) return sum;
    sum = null;
    const inner = e.of.map(visit);
    if (inner.some((x) => x !== null)) {
      if (e.f === "select") {
        // Not as a sum of products: 0 · ∞ of the branch not taken must not come in.
        sum = select(e.of[0]!, inner[1] ?? num(0), inner[2] ?? num(0));
      } else {
        const outer = scalarFns[e.f].d?.(e.of, e === expr ? result : e) ?? [];
        inner.forEach((x, k) => {
          const factor = outer[k];
          if (x === null || factor === undefined || isZero(factor)) return;
          const term = call("mul", factor, x);
          sum = sum ? call("add", sum, term) : term;
        });
      }
    }
    if (sum && isZero(sum)) sum = null;
    done.set(e, sum);
    return sum;
  };
  return visit(expr);
}

const isZero = (e: Expr) => e.k === "const" && e.v === 0;

/** What others may use of this file. An object and not `export * as`, so that bundles hold it only where it is used. */
export const expr = {
  input,
  num,
  index,
  select,
  cast,
  bitcast,
  call,
  linearize,
  isIndexed,
  exprKey,
  showExpr,
  inputsOf,
  substitute,
  differentiate,
};

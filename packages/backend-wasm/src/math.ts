// The elementary functions as vector code, four f32 at a time. What training calls often (exp, tanh, sigmoid, erf, log)
// works in f32 and without branches that are taken; the others take the short way through f64. Errors: see MATH.md.
//
// Polynomials are minimax fits (Remez) of our own, coefficients rounded one after the other. The ideas are those of
// Cephes (S. Moshier) and fdlibm (Sun): reduce to a short interval, there a polynomial, put together again.

import type { ScalarFn } from "@nn/tensor";
import { type Func, f32x4, f64x2, i32x4, type Local, type Value, v128 } from "./build.js";

type Unary = (m: Reals, x: Local) => Value;

const functions: Partial<Record<ScalarFn, Unary>> = {
  exp: (m, x) => power(m, ...expParts(m, clamp(m, x, -176, 89), 254)),
  expm1(m, x) {
    const g = growth(m, clamp(m, x, -30, 89), 1);
    return signed(m, m.add(g, g), x);
  },
  /** w / (w + 2¹⁰⁰) with w = 2¹⁰⁰·eˣ, which is a normal number as long as the result is not 0. */
  sigmoid(m, x) {
    const w = scaledExp(m, clamp(m, x, -157.3, 18), -100);
    return m.div(w, m.add(w, 2 ** 100));
  },
  /** g / (g + 2) with g = e²ˣ − 1: no cancellation where x is small. */
  tanh(m, x) {
    const a = m.abs(x);
    const g = growth(m, m.pmin(m.add(a, a), 80), 0);
    return m.or(m.div(g, m.add(g, 2)), m.and(x, -0));
  },
  /** 2(g + g / (4g + 1)) with g = (eˣ − 1)/4, which does not overflow before the result does. */
  sinh(m, x) {
    const g = growth(m, m.pmin(m.abs(x), 89.7), 2);
    const h = m.add(g, m.div(g, m.fma(g, 4, 1)));
    return signed(m, m.add(h, h), x);
  },
  /** 2w + 1/(8w) with w = eˣ/4. */
  cosh(m, x) {
    const w = scaledExp(m, m.pmin(m.abs(x), 89.7), 2);
    return m.fma(w, 2, m.div(0.125, w));
  },
  /** 1 − e⁻ᴿ with R = −ln erfc|x|, which is smooth: |x| + |x|·P(|x|). One polynomial for all x, and no cancellation. */
  erf(m, x) {
    const a = m.pmin(m.abs(x), 3.95);
    return signed(m, growth(m, m.neg(m.fma(a, polynomial(m, a, ERF), a)), 0), x);
  },
  log: (m, x) => ln(m, ...logParts(m, x)),
  /** ln(u) + c/u, where u = 1 + x and c is what rounding lost. */
  log1p(m, x) {
    const u = m.add(x, 1);
    const c = m.div(m.sub(x, m.sub(u, 1)), u);
    // Where u is 0 or infinite c is no number.
    return signed(m, m.add(ln(m, ...logParts(m, u)), m.and(c, m.lt(m.abs(c), 1))), x);
  },
  sin: (m, x) => wave(m, x)(0),
  cos: (m, x) => wave(m, x)(1),
  tan(m, x) {
    const ahead = wave(m, x);
    return m.div(ahead(0), ahead(1));
  },
  asin: (m, x) => signedAngle(m, x, (d, a) => d.sqrt(d.sub(1, d.mul(a, a)))),
  /** Twice the angle of (√(1 + x), √(1 − x)). */
  acos: (m, x) => wide(m, [x], (d, a) => [d.mul(angle(d, d.sqrt(d.sub(1, a!)), d.sqrt(d.add(1, a!))), 2)])[0],
  atan: (m, x) => signedAngle(m, x, (d) => d.num(1)),
};

/** Functions of one argument; those of the formula language that are no single instruction. */
export const elementary: Partial<Record<ScalarFn, (f: Func, x: Local) => Value>> = mapped(
  functions,
  (g: Unary) => (f: Func, x: Local) => g(single(f), x),
);

/** x to the power of y, as IEEE 754: e^(y·ln|x|), the logarithm and the product in f64. */
export function pow(f: Func, x: Local, y: Local): Value {
  const m = single(f);
  // A finite y: 0·∞ is no number, but 1 to the power of ±∞ is 1.
  const [r, t] = wide(m, [...logParts(m, m.abs(x)), clamp(m, y, -3e38, 3e38)], (d, k, e, p) =>
    quotient(d, clamp(d, d.mul(ln(d, k!, e!), p!), -176, 89), Math.LOG2E, LN2, 254),
  );
  const isWhole = m.eq(m.trunc(y), y);
  const half = m.mul(y, 0.5);
  const isOdd = m.and(isWhole, m.ne(m.trunc(half), half));
  const result = m.or(power(m, expm1(m, r), t!), m.and(m.and(isOdd, x), -0));
  // A mask of ones is a NaN.
  const undefinable = m.andnot(m.and(m.lt(x, 0), m.gt(x, -INFINITE)), isWhole);
  return m.bitselect(1, m.or(result, undefinable), m.or(m.eq(y, 0), m.eq(x, 1)));
}

/** Remainder with the divisor's sign; exact, as `%`. */
export function floatMod(f: Func, x: Local, y: Local): Value {
  const m = single(f);
  const [r] = wide(m, [x, y], (d, a, b) => {
    // Quotients cut to 29 bits have exact products with y, and so do the differences: a second round is rare.
    f.doWhile(() => {
      const q = d.trunc(d.andnot(d.div(a!, b!), LOW_24_BITS));
      // 0 times an infinite y is no number.
      f.set(a!, d.sub(a!, d.and(d.mul(q, b!), d.ne(q, 0))));
      return v128.any_true(d.ge(d.abs(a!), d.abs(b!)));
    });
    return [a!];
  });
  const wrongSign = i32x4.lt_s(m.xor(r, y), m.num(0));
  return m.bitselect(m.and(x, -0), m.bitselect(m.add(r, y), r, wrongSign), m.eq(r, 0));
}

/** The number with the 24 low bits of a double set. */
const LOW_24_BITS = 0xffffff * 2 ** -1074;
/** As f32; its bits are all those of the exponent. */
const INFINITE = 2 ** 128;

// ── arithmetic in one of two widths ────────────────────────────────────────────────────────────────

type Operation = (...operands: (Value | number)[]) => Local;
type Name = "add" | "sub" | "mul" | "div" | "fma" | "abs" | "sqrt" | "trunc" | "lt" | "ne" | "pmin" | "pmax";
type Bits = "and" | "or" | "xor" | "andnot" | "bitselect";
type Only32 = "neg" | "eq" | "gt" | "demote" | "from_s";
type Only64 = "ge" | "promote";

/** Instructions whose operands may be numbers and whose results are locals. */
type Arithmetic = Readonly<Record<Name | Bits, Operation>> & { readonly f: Func; num(v: number): Value };
type Reals = Arithmetic & Readonly<Record<Only32, Operation>>;
type Doubles = Arithmetic & Readonly<Record<Only64, Operation>>;

function bound(f: Func, num: (v: number) => Value, instructions: object): any {
  const lift = (x: Value | number) => (typeof x === "number" ? num(x) : x);
  const bind =
    (op: (...operands: Value[]) => Value): Operation =>
    (...xs) =>
      f.let(op(...xs.map(lift)));
  return { ...mapped(instructions, bind), f, num };
}

function mapped(o: object, g: (value: any) => unknown): any {
  return Object.fromEntries(Object.entries(o).map(([key, value]) => [key, g(value)]));
}

function single(f: Func): Reals {
  return bound(f, (v) => f.float(v), { ...v128, ...f32x4, fma: f.fma.bind(f) });
}

function double(f: Func): Doubles {
  const fma = (a: Value, b: Value, c: Value) => f64x2.add(f64x2.mul(a, b), c);
  return bound(f, (v) => f.lanes([...new Uint32Array(Float64Array.of(v, v).buffer)]), { ...v128, ...f64x2, fma });
}

/**
 * Computes with both halves of vectors as f64. `body` gives a number, and maybe one more of which the low words are
 * wanted.
 */
function wide(m: Reals, xs: readonly Value[], body: (d: Doubles, ...x: Local[]) => Local[]): [Local, Local?] {
  const d = double(m.f);
  const [[low, lowWords], [high, highWords]] = [0, 2].map((i) =>
    body(d, ...xs.map((x) => d.promote(i ? v128.shuffle32(x, x, [2, 3, 2, 3]) : x))),
  ) as [Local[], Local[]];
  const both = (a: Value, b: Value, lanes: number[]) => m.f.let(v128.shuffle32(a, b, lanes));
  return [both(m.demote(low!), m.demote(high!), [0, 1, 4, 5]), lowWords && both(lowWords, highWords!, [0, 2, 4, 6])];
}

/** Horner's rule, the highest coefficient first. */
function polynomial(m: Arithmetic, x: Local, coefficients: readonly (number | Local)[]): Local {
  return coefficients.reduce((p, c) => m.fma(p, x, c)) as Local;
}

/** NaN stays. */
const clamp = (m: Arithmetic, x: Value, low: number, high: number) => m.pmin(m.pmax(x, low), high);

/** For odd functions: |value| with the sign of x, that of 0, too. */
const signed = (m: Arithmetic, value: Value, x: Local) => m.bitselect(x, value, -0);

// ── exponentials ───────────────────────────────────────────────────────────────────────────────────

/** (eʳ − 1 − r)/r² for |r| ≤ ln 2 / 2; error in eʳ − 1 2⁻³⁰. */
const EXP = [2e-4, 1.394e-3, 8.3331e-3, 4.16664e-2, 0.16666667, 0.5];

/** (−ln erfc a)/a − 1 for 0 ≤ a ≤ 3.95; error in erf 2⁻²⁶·⁷. */
const ERF = [-9.2e-6, 1.17e-4, -6.3e-4, 1.6609e-3, -1.536e-4, -1.91569e-2, 0.1027788, 0.6366193, 0.12837917];

/** ln 2 in two parts: the first has 16 bits, so its products with exponents are exact. */
const LN2 = [0.693115234375, 3.1946185e-5] as const;

/** eʳ − 1 for small r. Pairs of coefficients first (Estrin): three steps that wait for each other, not six. */
function expm1(m: Reals, r: Local): Local {
  const [a, b, c] = [0, 2, 4].map((i) => m.fma(r, EXP[i]!, EXP[i + 1]!));
  const z = m.mul(r, r);
  return m.fma(z, m.fma(m.fma(a!, z, b!), z, c!), r);
}

/** eʳ − 1 and t, where x = r + n·ln 2 and t has n + bias in its 9 low bits: shifted by 23, 2^(n + bias − 127). */
function expParts(m: Reals, x: Local, bias: number): [q: Local, t: Local] {
  // Adding 1.5·2²³ rounds to a whole number and leaves that in the low bits.
  const magic = 12582912 + bias;
  const t = m.fma(x, Math.LOG2E, magic);
  const n = m.sub(t, magic);
  return [expm1(m, m.fma(n, -LN2[1], m.fma(n, -LN2[0], x))), t];
}

/** (q + 1)·2ⁿ for t with n + 254 in its low bits. In two steps, of which neither leaves the range before the result does. */
function power(m: Reals, q: Local, t: Local): Local {
  const half = m.f.let(i32x4.shr_s(t, 1));
  const scale = m.f.let(i32x4.shl(half, 23));
  return m.mul(m.fma(scale, q, scale), i32x4.shl(i32x4.sub(t, half), 23));
}

/** eˣ/2ᵏ, which must be a normal number, or 0. */
function scaledExp(m: Reals, x: Local, k: number): Local {
  const [q, t] = expParts(m, x, 127 - k);
  const scale = m.f.let(i32x4.shl(t, 23));
  return m.fma(scale, q, scale);
}

/** (eˣ − 1)/2ᵏ; eˣ/2ᵏ must be as above. */
function growth(m: Reals, x: Local, k: number): Local {
  const [q, t] = expParts(m, x, 127 - k);
  const scale = m.f.let(i32x4.shl(t, 23));
  return m.fma(scale, q, m.sub(scale, 2 ** -k));
}

// ── logarithms ─────────────────────────────────────────────────────────────────────────────────────

/** (ln((1 + s)/(1 − s))/s − 2)/s² as a polynomial of s², for |s| ≤ 3 − 2√2; error in the logarithm 2⁻³⁴·⁵. */
const LOG = [0.24, 0.2851, 0.400009, 0.66666662];

/** k and e with x = (1 + k)·2ᵉ, √½ ≤ 1 + k < √2; e is not finite where the logarithm is not. */
function logParts(m: Reals, x: Local): [k: Local, e: Local] {
  const { f } = m;
  const bits = f.let(x);
  const special = f.let(m.num(0));
  // As integers: 2⁻¹²⁶ is the first normal number, 2¹²⁷ how many there are.
  f.if(v128.any_true(i32x4.le_u(m.num(2 ** 127), i32x4.sub(x, m.num(2 ** -126)))), () => {
    // Somewhere x is none. Subnormal ones are scaled; √x − 1/√x is −∞, ∞ or NaN just as ln x. (−0 + 0 is 0.)
    const root = m.sqrt(m.add(x, 0));
    const isTiny = m.lt(x, 2 ** -126);
    const isFinite = m.and(m.gt(x, 0), m.lt(x, INFINITE));
    f.set(special, m.bitselect(m.and(isTiny, -23), m.sub(root, m.div(1, root)), isFinite));
    f.set(bits, m.bitselect(m.mul(x, 2 ** 23), x, isTiny));
  });
  // As integers again: x − √½ has the exponent, counted from √½, above 23 bits which with √½ are 1 + k. −∞ masks the rest.
  const i = f.let(i32x4.sub(bits, m.num(Math.SQRT1_2)));
  const k = m.sub(i32x4.add(m.andnot(i, -INFINITE), m.num(Math.SQRT1_2)), 1);
  return [k, m.add(f32x4.from_s(i32x4.shr_s(i, 23)), special)];
}

/** ln((1 + k)·2ᵉ) = e·ln 2 + k − s·(k − R(s²)) with s = k/(2 + k). */
function ln(a: Arithmetic, k: Local, e: Local): Local {
  const s = a.div(k, a.add(k, 2));
  const z = a.mul(s, s);
  const less = a.mul(s, a.sub(k, a.mul(z, polynomial(a, z, LOG))));
  return a.fma(e, LN2[0], a.sub(k, a.sub(less, a.mul(e, LN2[1]))));
}

// ── angles ─────────────────────────────────────────────────────────────────────────────────────────

/** sin(r)/r and cos r as polynomials of r², |r| ≤ π/4; errors 2⁻²⁸ and 2⁻²⁹·⁵. */
const SIN = [-1.952e-4, 8.3322e-3, -0.16666655];
const COS = [2.45e-5, -1.3888e-3, 4.166666e-2, -0.5, 1];
/** atan(t)/t as a polynomial of t², 0 ≤ t ≤ 1; error 2⁻²⁷·⁵. */
const ATAN = [
  -0.0018, 0.011, -0.03146, 0.05839, -0.084398, 0.109698, -0.14269083, 0.19999239, -0.333333398, 1.000000005,
];
/** π/2 in two parts; the first has 24 bits. */
const QUARTER = [1.570796251296997, 7.549789954891882e-8] as const;

/** In f64: the remainder of x divided by a `step` in two parts, and a number whose low word is the quotient + bias. */
function quotient(d: Doubles, x: Local, inverse: number, step: readonly [number, number], bias: number): Local[] {
  const magic = 1.5 * 2 ** 52 + bias;
  const t = d.fma(x, inverse, magic);
  const n = d.sub(t, magic);
  return [d.fma(n, -step[1], d.fma(n, -step[0], x)), t];
}

/** The sine of x and some quarter turns more. */
function wave(m: Reals, x: Local): (ahead: number) => Local {
  const [rest, n] = wide(m, [x], (d, a) => quotient(d, a!, 2 / Math.PI, QUARTER, 0));
  // Where x is too large to be reduced, the rest may be anything.
  const r = clamp(m, rest, -0.8, 0.8);
  const z = m.mul(r, r);
  const sine = signed(m, m.fma(m.mul(r, z), polynomial(m, z, SIN), r), r);
  const cosine = polynomial(m, z, COS);
  return (ahead) => {
    const quarters = m.f.let(i32x4.add(n!, m.f.int(ahead)));
    const isOdd = i32x4.shr_s(i32x4.shl(quarters, 31), 31);
    return m.xor(m.bitselect(cosine, sine, isOdd), m.and(i32x4.shl(quarters, 30), -0));
  };
}

/** The angle of the point (x, y) in f64; x, y ≥ 0. */
function angle(d: Doubles, y: Local, x: Value): Local {
  const steep = d.lt(x, y);
  const t = d.div(d.bitselect(x, y, steep), d.bitselect(y, x, steep));
  const p = d.mul(t, polynomial(d, d.mul(t, t), ATAN));
  return d.bitselect(d.sub(Math.PI / 2, p), p, steep);
}

/** For odd functions: the angle of the point (x(|a|), |a|), with the sign of a. */
function signedAngle(m: Reals, a: Local, x: (d: Doubles, a: Local) => Value): Local {
  return signed(m, wide(m, [m.abs(a)], (d, b) => [angle(d, b!, x(d, b!))])[0], a);
}

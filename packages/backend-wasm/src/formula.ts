// Prints a scalar formula (Expr) as vector code, four elements at a time. Everything is a v128, also where only one
// lane counts: there is one meaning of each function, not a vector and a scalar one.

import { type DType, type Expr, type ExprStep, expr as ex, type ScalarFn } from "@nn/tensor";
import { type Func, f32x4, i32, i32x4, type Local, type Value, v128 } from "./build.js";
import { V128 } from "./encode.js";
import { elementary, floatMod, pow } from "./math.js";

/** Where a value of the formula changes: 0 never, 1 from row to row, 2 from element to element. */
export type Level = 0 | 1 | 2;

/** What the formula is printed for. */
export interface Surroundings {
  /** Level of an input. */
  level(input: number): Level;
  /** Level of a coordinate. */
  indexLevel(axis: number): Level;
}

/** Loads inputs and coordinates, at the place where their level is evaluated. */
export interface Source {
  input(i: number, dtype: DType): Value;
  index(axis: number): Value;
}

/** A step's value: as a number and (a bool) as a mask of ones; the other form is made when it is asked for. */
interface Known {
  number?: Value;
  mask?: Value;
}

const ZERO = v128.const([0, 0, 0, 0]);

/** A formula being printed: level 0 before the loops, level 1 before each row, level 2 for each vector. */
export class Formula {
  readonly #f: Func;
  readonly #steps: readonly ExprStep[];
  readonly #levels: Level[];
  readonly #known: Known[] = [];
  /** Products that are used once, in a sum: they become part of a fused multiply-add. */
  readonly #inSums: ReadonlySet<number>;

  constructor(f: Func, expr: Expr, { level, indexLevel }: Surroundings) {
    this.#f = f;
    this.#steps = ex.linearize(expr);
    this.#levels = [];
    for (const s of this.#steps) {
      const own = s.k === "in" ? level(s.v) : s.k === "index" ? indexLevel(s.v) : 0;
      this.#levels.push(Math.max(own, ...s.of.map((o) => this.#levels[o]!)) as Level);
    }
    this.#inSums = productsInSums(this.#steps, this.#levels);
  }

  /** Evaluates what changes at this level; the result is that of the whole formula once level 2 is done. */
  at(level: Level, source: Source): Value {
    this.#steps.forEach((s, i) => {
      if (this.#levels[i] === level && !this.#inSums.has(i)) this.#known[i] = this.#step(s, source);
    });
    return this.#known.length === this.#steps.length ? this.#number(this.#steps.length - 1) : ZERO;
  }

  #step(s: ExprStep, source: Source): Known {
    if (s.k === "const") return { number: s.dtype === "f32" ? this.#f.float(s.v) : this.#f.int(s.v) };
    if (s.k === "in") return { number: this.#keep(source.input(s.v, s.dtype)) };
    if (s.k === "index") return { number: this.#keep(source.index(s.v)) };
    const from = this.#steps[s.f === "select" ? s.of[1]! : s.of[0]!]!.dtype;
    const bool = s.dtype === "bool";
    if (s.f === "cast" && bool) {
      if (from === "bool") return this.#known[s.of[0]!]!;
      const x = this.#number(s.of[0]!);
      return { mask: this.#keep(from === "f32" ? f32x4.ne(x, ZERO) : i32x4.ne(x, ZERO)) };
    }
    if (bool && (s.f === "and" || s.f === "or" || s.f === "xor"))
      return { mask: this.#keep(v128[s.f](this.#mask(s.of[0]!), this.#mask(s.of[1]!))) };
    if (s.f === "select") {
      const [c, a, b] = s.of as [number, number, number];
      if (bool) return { mask: this.#keep(v128.bitselect(this.#mask(a), this.#mask(b), this.#mask(c))) };
      return { number: this.#keep(v128.bitselect(this.#number(a), this.#number(b), this.#mask(c))) };
    }
    const result = this.#keep(this.#call(s, from));
    return isComparison(s.f!) ? { mask: result } : { number: result };
  }

  #call(s: ExprStep, from: DType): Value {
    const f = this.#f;
    const product = s.of.findLast((o) => this.#inSums.has(o));
    if (product !== undefined) {
      const [a, b] = this.#steps[product]!.of.map((o) => this.#number(o));
      const c = this.#number(s.of[s.of.indexOf(product) === 0 ? 1 : 0]!);
      return s.f === "add" ? f.fma(a!, b!, c) : f.fnma(a!, b!, c);
    }
    const x = this.#number(s.of[0]!);
    const y = s.of.length > 1 ? this.#number(s.of[1]!) : ZERO;
    const fn = s.f!;
    if (fn === "bitcast") return x;
    if (fn === "cast") return this.#cast(s, from, x);
    if (fn === "shl" || fn === "shr") return this.#shift(s, from, x, y);
    if (from === "f32") {
      if (fn === "max" || fn === "min") return this.#extreme(fn, s, x, y);
      if (fn === "pow") return pow(f, this.#local(x), this.#local(y));
      if (fn === "mod") return floatMod(f, this.#local(x), this.#local(y));
      const known = floats[fn];
      if (known) return known(f, x, y);
      const slow = elementary[fn];
      if (slow) return slow(f, this.#local(x));
    } else {
      const known = ints[fn];
      if (known) return known(f, x, y, from === "u32");
      if (fn === "mod") return this.#intMod(x, y, from === "u32");
    }
    throw new Error(`backend-wasm: no code for ${fn} of ${from}`);
  }

  /** One instruction where one side is a constant, which is no NaN: pmin and pmax keep a NaN on their left. */
  #extreme(fn: "max" | "min", { of }: ExprStep, x: Value, y: Value): Value {
    const constant = (i: number) => {
      const { k, v } = this.#steps[of[i]!]!;
      return k === "const" && !Number.isNaN(v);
    };
    const quick = fn === "max" ? f32x4.pmax : f32x4.pmin;
    if (constant(1)) return quick(x, y);
    if (constant(0)) return quick(y, x);
    return f32x4[fn](x, y);
  }

  #cast(s: ExprStep, from: DType, x: Value): Value {
    if (s.dtype === "f32") {
      if (from === "bool") return v128.and(this.#mask(s.of[0]!), this.#f.float(1));
      return from === "u32" ? f32x4.from_u(x) : f32x4.from_s(x);
    }
    if (from !== "f32") return x;
    return s.dtype === "u32" ? i32x4.trunc_f32_u(x) : i32x4.trunc_f32_s(x);
  }

  #shift(s: ExprStep, from: DType, x: Value, y: Value): Value {
    const by = s.f === "shl" ? i32x4.shl : from === "u32" ? i32x4.shr_u : i32x4.shr_s;
    const amount = this.#steps[s.of[1]!]!;
    if (amount.k === "const") return by(x, i32.const(amount.v & 31));
    const scalar = s.f === "shl" ? i32.shl : from === "u32" ? i32.shr_u : i32.shr_s;
    return this.#lanewise(this.#local(x), this.#local(y), scalar);
  }

  /** Remainder with the divisor's sign; 0 for a division by 0. */
  #intMod(x: Value, y: Value, unsigned: boolean): Value {
    const f = this.#f;
    return this.#lanewise(this.#local(x), this.#local(y), (a, b) => {
      const divisor = f.let(b);
      const r = f.let(0);
      f.if(divisor, () => {
        f.set(r, (unsigned ? i32.rem_u : i32.rem_s)(a, divisor));
        // r ≠ 0 and the signs differ: r + divisor
        if (!unsigned)
          f.set(r, i32.add(r, i32.select(divisor, 0, i32.and(i32.ne(r, 0), i32.lt_s(i32.xor(r, divisor), 0)))));
      });
      return r;
    });
  }

  #lanewise(x: Value, y: Value, scalar: (a: Value, b: Value) => Value): Value {
    const r = this.#f.let(x);
    for (let lane = 0; lane < 4; lane++) {
      const v = this.#f.let(scalar(i32x4.extract(lane, x), i32x4.extract(lane, y)));
      this.#f.set(r, i32x4.replace(lane, r, v));
    }
    return r;
  }

  #number(i: number): Value {
    const known = this.#known[i]!;
    // Not kept: where the formula has two places of one level, the second would read the first's local.
    return known.number ?? v128.and(known.mask!, this.#f.int(1));
  }

  #mask(i: number): Value {
    const known = this.#known[i]!;
    return known.mask ?? i32x4.ne(known.number!, ZERO);
  }

  #keep(x: Value): Value {
    return this.#f.let(x);
  }

  #local(x: Value): Local {
    return "index" in x ? (x as Local) : this.#f.let(x);
  }
}

/** f32 products that nothing but a sum, or the right side of a difference, at the same level uses; one for each. */
function productsInSums(steps: readonly ExprStep[], levels: readonly Level[]): ReadonlySet<number> {
  const uses = new Array<number>(steps.length).fill(0);
  for (const { of } of steps) for (const o of of) uses[o]!++;
  const found = new Set<number>();
  steps.forEach((s, i) => {
    if (s.dtype !== "f32" || (s.f !== "add" && s.f !== "sub")) return;
    const able = (o: number) => steps[o]!.f === "mul" && uses[o] === 1 && levels[o] === levels[i];
    const product = able(s.of[1]!) ? s.of[1]! : s.f === "add" && able(s.of[0]!) ? s.of[0]! : -1;
    if (product >= 0) found.add(product);
  });
  return found;
}

const isComparison = (f: ScalarFn) => f === "lt" || f === "le" || f === "eq" || f === "ne";

type Floats = (f: Func, x: Value, y: Value) => Value;
const floats: Partial<Record<ScalarFn, Floats>> = {
  neg: (_, x) => f32x4.neg(x),
  abs: (_, x) => f32x4.abs(x),
  floor: (_, x) => f32x4.floor(x),
  ceil: (_, x) => f32x4.ceil(x),
  round: (_, x) => f32x4.nearest(x),
  trunc: (_, x) => f32x4.trunc(x),
  sqrt: (_, x) => f32x4.sqrt(x),
  recip: (f, x) => f32x4.div(f.float(1), x),
  /** ±1, and x itself where it is 0 or NaN. */
  sign: (f, x) =>
    v128.bitselect(
      v128.or(v128.and(x, f.int(0x80000000)), f.float(1)),
      x,
      v128.or(f32x4.lt(x, ZERO), f32x4.gt(x, ZERO)),
    ),
  add: (_, x, y) => f32x4.add(x, y),
  sub: (_, x, y) => f32x4.sub(x, y),
  mul: (_, x, y) => f32x4.mul(x, y),
  div: (_, x, y) => f32x4.div(x, y),
  lt: (_, x, y) => f32x4.lt(x, y),
  le: (_, x, y) => f32x4.le(x, y),
  eq: (_, x, y) => f32x4.eq(x, y),
  ne: (_, x, y) => f32x4.ne(x, y),
};

type Ints = (f: Func, x: Value, y: Value, unsigned: boolean) => Value;
const same: Ints = (_, x) => x;
const ints: Partial<Record<ScalarFn, Ints>> = {
  neg: (_, x) => i32x4.neg(x),
  abs: (_, x, _y, u) => (u ? x : i32x4.abs(x)),
  sign: (f, x, _, u) =>
    u ? v128.and(i32x4.ne(x, ZERO), f.int(1)) : i32x4.sub(i32x4.lt_s(x, ZERO), i32x4.gt_s(x, ZERO)),
  floor: same,
  ceil: same,
  round: same,
  trunc: same,
  add: (_, x, y) => i32x4.add(x, y),
  sub: (_, x, y) => i32x4.sub(x, y),
  mul: (_, x, y) => i32x4.mul(x, y),
  max: (_, x, y, u) => (u ? i32x4.max_u : i32x4.max_s)(x, y),
  min: (_, x, y, u) => (u ? i32x4.min_u : i32x4.min_s)(x, y),
  lt: (_, x, y, u) => (u ? i32x4.lt_u : i32x4.lt_s)(x, y),
  le: (_, x, y, u) => (u ? i32x4.le_u : i32x4.le_s)(x, y),
  eq: (_, x, y) => i32x4.eq(x, y),
  ne: (_, x, y) => i32x4.ne(x, y),
  and: (_, x, y) => v128.and(x, y),
  or: (_, x, y) => v128.or(x, y),
  xor: (_, x, y) => v128.xor(x, y),
};

/** A vector to be set later. */
export const vectorLocal = (f: Func): Local => f.local(V128);

/** Nanoseconds an element takes, roughly. */
export function costOf(expr: Expr): number {
  return ex
    .linearize(expr)
    .reduce((sum, { k, f }) => sum + (k !== "call" ? 0.1 : f! in elementary || f === "pow" ? 1.5 : 0.15), 0.1);
}

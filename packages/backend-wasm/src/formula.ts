// Prints a scalar formula (Expr) as vector code, four elements at a time. Everything is a v128, also where only one
// lane counts: there is one meaning of each function, not a vector and a scalar one.

import { type DType, type Expr, type ExprStep, expr as ex, type ScalarFn } from "@nn/tensor";
import { type Func, f32x4, i32, i32x4, type Local, type Value, v128 } from "./build.js";
import { elementary, floatMod, pow } from "./math.js";

/** Where a value of the formula changes: 0 never, 1 from row to row, 2 from element to element. */
export type Level = 0 | 1 | 2;

/** What the formula is printed for. */
export interface Surroundings {
  /** Level of an input. */
  level(input: number): Level;
  /** Level of a coordinate; where there are none it may be left out. */
  indexLevel?(axis: number): Level;
}

/** Loads inputs and coordinates, at the place where their level is evaluated. */
export interface Source {
  input(i: number, dtype: DType): Value;
  index?(axis: number): Value;
}

const ZERO = v128.const([0, 0, 0, 0]);

/**
 * A formula of which every input changes from vector to vector. Its constants are written now, the rest where what this
 * returns is called.
 */
export function elementwise(f: Func, expr: Expr): (input: (i: number) => Value) => Value {
  const formula = new Formula(f, expr, { level: () => 2 });
  formula.at(0, { input: () => ZERO });
  return (input) => formula.at(2, { input });
}

/** A formula being printed: level 0 before the loops, level 1 before each row, level 2 for each vector. */
export class Formula {
  readonly #f: Func;
  readonly #steps: readonly ExprStep[];
  readonly #levels: Level[] = [];
  /** What steps are: numbers, but masks of ones where a bool was computed. */
  readonly #known: Value[] = [];
  /** Products that are used once, in a sum: they become part of a fused multiply-add. */
  readonly #inSums: ReadonlySet<number>;

  constructor(f: Func, expr: Expr, { level, indexLevel = () => 2 }: Surroundings) {
    this.#f = f;
    this.#steps = ex.linearize(expr);
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

  #step(s: ExprStep, source: Source): Value {
    if (s.k === "const") return s.dtype === "f32" ? this.#f.float(s.v) : this.#f.int(s.v);
    return this.#f.let(
      s.k === "in" ? source.input(s.v, s.dtype) : s.k === "index" ? source.index!(s.v) : this.#call(s),
    );
  }

  #call({ f: name, of, dtype }: ExprStep): Value {
    const f = this.#f;
    const fn = name!;
    const [a, b, c] = of as [number, number, number];
    const product = of.findLast((o) => this.#inSums.has(o));
    if (product !== undefined) {
      const [p, q] = this.#steps[product]!.of.map((o) => this.#number(o));
      return (fn === "add" ? f.fma : f.fnma).call(f, p!, q!, this.#number(a === product ? b : a));
    }
    const from = this.#steps[fn === "select" ? b : a]!.dtype;
    if (fn === "select") {
      const [x, y] = [b, c].map((o) => (dtype === "bool" ? this.#mask(o) : this.#number(o)));
      return v128.bitselect(x!, y!, this.#mask(a));
    }
    if (dtype === "bool" && (fn === "and" || fn === "or" || fn === "xor"))
      return v128[fn](this.#mask(a), this.#mask(b));
    if (fn === "cast" && from === "bool" && dtype === "f32") return v128.and(this.#mask(a), f.float(1));
    const operands = of.map((o) => this.#number(o));
    const [x, y] = operands as [Value, Value];
    if (fn === "bitcast") return x;
    if (fn === "cast") return converted(x, from, dtype);
    if (fn === "shl" || fn === "shr") {
      const { k, v } = this.#steps[b]!;
      if (k === "const") return instruction(i32x4, fn, from)!(x, i32.const(v & 31));
      return lanewise(f, x, y, instruction(i32, fn, from)!);
    }
    if (from === "f32" && (fn === "max" || fn === "min")) {
      // One instruction where one side is a constant, which is no NaN: these keep a NaN on their left.
      const quick = f32x4[`p${fn}`];
      if (this.#isNumber(b)) return quick(x, y);
      if (this.#isNumber(a)) return quick(y, x);
    }
    const special = (from === "f32" ? floats : ints)[fn];
    if (special) return special(f, local(f, x), local(f, y ?? x), from);
    const plain = from === "f32" ? instruction(f32x4, fn) : instruction({ ...v128, ...i32x4 }, fn, from);
    if (plain) return plain(...operands);
    throw new Error(`backend-wasm: no code for ${fn} of ${from}`);
  }

  /** Whether a step is a constant, and no NaN. */
  #isNumber(i: number): boolean {
    const { k, v } = this.#steps[i]!;
    return k === "const" && !Number.isNaN(v);
  }

  #isMask(i: number): boolean {
    const { k, dtype } = this.#steps[i]!;
    return k === "call" && dtype === "bool";
  }

  #number(i: number): Value {
    const known = this.#known[i]!;
    // Not kept: where the formula has two places of one level, the second would read the first's local.
    return this.#isMask(i) ? v128.and(known, this.#f.int(1)) : known;
  }

  #mask(i: number): Value {
    const known = this.#known[i]!;
    return this.#isMask(i) ? known : i32x4.ne(known, ZERO);
  }
}

/** f32 products that nothing but a sum, or the right side of a difference, at the same level uses; one for each. */
function productsInSums(steps: readonly ExprStep[], levels: readonly Level[]): ReadonlySet<number> {
  const uses = new Array<number>(steps.length).fill(0);
  for (const { of } of steps) for (const o of of) uses[o]!++;
  const found = new Set<number>();
  steps.forEach((s, i) => {
    if (s.dtype !== "f32" || (s.f !== "add" && s.f !== "sub")) return;
    const sides = s.f === "add" ? s.of : s.of.slice(1);
    const product = sides.findLast((o) => steps[o]!.f === "mul" && uses[o] === 1 && levels[o] === levels[i]);
    if (product !== undefined) found.add(product);
  });
  return found;
}

// ── scalar functions ───────────────────────────────────────────────────────────────────────────────

type Instruction = (...operands: Value[]) => Value;

/** The instruction of a name, in a table; where those of signed and unsigned integers differ, that of the dtype. */
export const instruction = (table: object, name: string, dtype?: DType): Instruction | undefined =>
  (table as Readonly<Record<string, Instruction>>)[name] ??
  (table as Readonly<Record<string, Instruction>>)[`${name}_${dtype === "u32" ? "u" : "s"}`];

/** A function that is no single instruction of its name. */
type Special = (f: Func, x: Local, y: Local, dtype: DType) => Value;

const floats: Partial<Record<ScalarFn, Special>> = {
  ...elementary,
  pow,
  mod: floatMod,
  round: (_, x) => f32x4.nearest(x),
  recip: (f, x) => f32x4.div(f.float(1), x),
  /** ±1, and x itself where it is 0 or NaN. */
  sign: (f, x) =>
    v128.bitselect(
      v128.or(v128.and(x, f.int(0x80000000)), f.float(1)),
      x,
      v128.or(f32x4.lt(x, ZERO), f32x4.gt(x, ZERO)),
    ),
};

const same: Special = (_, x) => x;
const ints: Partial<Record<ScalarFn, Special>> = {
  floor: same,
  ceil: same,
  round: same,
  trunc: same,
  abs: (_, x, _y, dtype) => (dtype === "u32" ? x : i32x4.abs(x)),
  sign: (f, x, _, dtype) =>
    dtype === "u32" ? i32x4.min_u(x, f.int(1)) : i32x4.max_s(i32x4.min_s(x, f.int(1)), f.int(-1)),
  /** Remainder with the divisor's sign; 0 for a division by 0. */
  mod: (f, x, y, dtype) =>
    lanewise(f, x, y, (a, b) => {
      const divisor = f.let(b!);
      const r = f.let(0);
      f.if(divisor, () => {
        f.set(r, instruction(i32, "rem", dtype)!(a!, divisor));
        // r ≠ 0 and the signs differ: r + divisor
        if (dtype !== "u32")
          f.set(r, i32.add(r, i32.select(divisor, 0, i32.and(i32.ne(r, 0), i32.lt_s(i32.xor(r, divisor), 0)))));
      });
      return r;
    }),
};

/** A conversion between numbers, or to a mask. */
function converted(x: Value, from: DType, to: DType): Value {
  if (to === "f32") return instruction(f32x4, "from", from)!(x);
  if (to === "bool") return (from === "f32" ? f32x4 : i32x4).ne(x, ZERO);
  return from === "f32" ? instruction(i32x4, "trunc_f32", to)!(x) : x;
}

function lanewise(f: Func, x: Value, y: Value, scalar: Instruction): Value {
  const [a, b, r] = [local(f, x), local(f, y), f.let(x)];
  for (let lane = 0; lane < 4; lane++)
    f.set(r, i32x4.replace(lane, r, f.let(scalar(i32x4.extract(lane, a), i32x4.extract(lane, b)))));
  return r;
}

const local = (f: Func, x: Value): Local => ("index" in x ? (x as Local) : f.let(x));

/** Nanoseconds an element takes, roughly. */
export function costOf(expr: Expr): number {
  return ex
    .linearize(expr)
    .reduce((sum, { k, f }) => sum + (k !== "call" ? 0.1 : f! in elementary || f === "pow" ? 1.5 : 0.15), 0.1);
}

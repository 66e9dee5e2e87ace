// A scalar formula as WGSL: one `let` per step. What is not a plain operator is a function of math.ts.
//
// WGSL lets implementations assume that there are no NaN and no infinities. So NaN is told by its bits, constants that
// are not finite are made from bits at run time, and elementary functions are our own: see the README for what is left
// to the device. A `let` is never evaluated when the shader is compiled, where an overflow would be an error.

import { type DType, type Expr, type ExprStep, expr as ex, type ScalarFn } from "@nn/tensor";
import { typeOf } from "./code.js";

/** Where a formula's inputs and coordinates come from, as WGSL. */
export interface Source {
  /** The i-th input. */
  load(i: number): string;
  /** The coordinate along an axis, an i32. */
  coordinate?(axis: number): string;
}

export interface Printed {
  readonly lines: readonly string[];
  /** The name of the result. */
  readonly value: string;
  /** Functions of math.ts that it calls. */
  readonly calls: readonly string[];
}

/** @param prefix of its names: two formulas in one function need two */
export function printFormula(expr: Expr, source: Source, prefix = "v"): Printed {
  const lines: string[] = [];
  const calls = new Set<string>();
  const steps = ex.linearize(expr);
  const name = (i: number) => `${prefix}${i}`;
  steps.forEach((step, i) => {
    if (step.k === "const") lines.push(...constant(name(i), step.v, step.dtype));
    else {
      const value =
        step.k === "in"
          ? source.load(step.v)
          : step.k === "index"
            ? source.coordinate!(step.v)
            : call(step, step.of.map(name), dtypesOf(step, steps), calls);
      lines.push(`let ${name(i)} = ${value};`);
    }
  });
  return { lines, value: name(steps.length - 1), calls: [...calls] };
}

/** Whether it compares numbers (f32) of its inputs with each other, as who looks for a maximum does: they must then be those that were computed. */
export const compares = (expr: Expr): boolean =>
  ex
    .linearize(expr)
    .some(
      ({ f, of }, _, steps) =>
        (f === "eq" || f === "ne" || f === "lt" || f === "le") &&
        of[0] !== of[1] &&
        of.every((i) => steps[i]!.dtype === "f32" && steps[i]!.k !== "const"),
    );

/** Lines that make a constant. */
function constant(name: string, v: number, dtype: DType): string[] {
  if (dtype === "bool") return [`let ${name} = ${v ? 1 : 0}u;`];
  if (dtype === "u32") return [`let ${name} = ${v >>> 0}u;`];
  if (dtype === "i32") return [`let ${name} = i32(${v | 0});`];
  const f = Math.fround(v);
  if (Number.isFinite(f) && !Object.is(f, -0) && (f === 0 || Math.abs(f) >= 2 ** -126))
    return [`let ${name} = f32(${f});`];
  const bits = new Uint32Array(Float32Array.of(f).buffer)[0]!;
  return [`let ${name} = bitcast<f32>(${bits}u | nothing);`];
}

/** The dtype of the arguments that decide what a function means. */
const dtypesOf = (step: ExprStep, steps: readonly ExprStep[]): DType =>
  steps[step.of[step.f === "select" ? 1 : 0]!]!.dtype;

function call(step: ExprStep, args: readonly string[], from: DType, calls: Set<string>): string {
  const f = step.f!;
  const [a, b, c] = args as [string, string, string];
  const use = (name: string, ...given: string[]) => {
    calls.add(name);
    return `${name}(${given.join(", ")})`;
  };
  if (f === "select") return `select(${c}, ${b}, ${a} != 0u)`;
  if (f === "bitcast") return step.dtype === from ? a : `bitcast<${typeOf(step.dtype)}>(${a})`;
  if (f === "cast") {
    if (step.dtype === "bool")
      return `u32(!(${a} == ${from === "f32" ? "0.0" : typeOf(from) === "i32" ? "0i" : "0u"}))`;
    if (from === "f32") return use(`f32_to_${step.dtype}`, a);
    return `${typeOf(step.dtype)}(${a})`;
  }
  if (from === "f32") {
    // x == x is how one asks for NaN.
    if (a === b && f === "ne") return `u32(${use("is_nan", a)})`;
    if (a === b && f === "eq") return `u32(!${use("is_nan", a)})`;
    const plain = floats[f];
    return plain ? plain(a, b) : use(ours[f] ?? `nn_${f}`, ...args);
  }
  const plain = integers[f];
  if (plain) return plain(a, b, typeOf(from));
  if (f === "mod") return use(`mod_${typeOf(from)}`, a, b);
  throw new Error(`backend-webgpu: no code for ${f} of ${from}`);
}

type Text = (a: string, b: string, type: string) => string;
const infix =
  (operator: string): Text =>
  (a, b) =>
    `${a} ${operator} ${b}`;
const test =
  (operator: string): Text =>
  (a, b) =>
    `u32(${a} ${operator} ${b})`;
const same: Text = (a) => a;

/** Functions of f32 that are an operator, or a built-in that is exact. */
const floats: Partial<Record<ScalarFn, (a: string, b: string) => string>> = {
  neg: (a) => `-${a}`,
  abs: (a) => `abs(${a})`,
  floor: (a) => `floor(${a})`,
  ceil: (a) => `ceil(${a})`,
  round: (a) => `round(${a})`,
  trunc: (a) => `trunc(${a})`,
  recip: (a) => `1.0 / ${a}`,
  sqrt: (a) => `sqrt(${a})`,
  add: (a, b) => `${a} + ${b}`,
  sub: (a, b) => `${a} - ${b}`,
  mul: (a, b) => `${a} * ${b}`,
  div: (a, b) => `${a} / ${b}`,
  lt: (a, b) => `u32(${a} < ${b})`,
  le: (a, b) => `u32(${a} <= ${b})`,
  eq: (a, b) => `u32(${a} == ${b})`,
  // != is false for NaN in what SPIR-V is made of it.
  ne: (a, b) => `u32(!(${a} == ${b}))`,
};

/** The names of ours that are not `nn_` and the function. */
const ours: Partial<Record<ScalarFn, string>> = { mod: "mod_f32", max: "max_f32", min: "min_f32" };

const integers: Partial<Record<ScalarFn, Text>> = {
  neg: (a, _, type) => (type === "i32" ? `-${a}` : `0u - ${a}`),
  abs: (a, _, type) => (type === "i32" ? `abs(${a})` : a),
  sign: (a, _, type) => (type === "i32" ? `sign(${a})` : `min(${a}, 1u)`),
  floor: same,
  ceil: same,
  round: same,
  trunc: same,
  add: infix("+"),
  sub: infix("-"),
  mul: infix("*"),
  max: (a, b) => `max(${a}, ${b})`,
  min: (a, b) => `min(${a}, ${b})`,
  lt: test("<"),
  le: test("<="),
  eq: test("=="),
  ne: test("!="),
  and: infix("&"),
  or: infix("|"),
  xor: infix("^"),
  shl: (a, b) => `${a} << (u32(${b}) & 31u)`,
  shr: (a, b) => `${a} >> (u32(${b}) & 31u)`,
};

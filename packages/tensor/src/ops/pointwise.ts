// Pointwise ops: each is one scalar formula. Shapes broadcast, dtypes are promoted (bool < i32 < u32 < f32),
// and a JavaScript number beside a tensor takes the tensor's dtype (a fraction beside integers gives f32).
// Gradients follow from the formulas.

import { apply1 } from "../apply.js";
import { fail } from "../errors.js";
import { call, cast as castExpr, type Expr, input, num, type ScalarFn, select } from "../expr.js";
import { defineOp, type OpDef } from "../op.js";
import { broadcastOrFail, type DType, type Spec } from "../spec.js";
import { Tensor } from "../tensor.js";

/** What a binary op takes: a tensor, or a number. */
export type Operand = Tensor | number;

/** Defines a pointwise op of any number of inputs from its formula. */
export function pointwise<A>(name: string, formula: (ins: readonly Expr[], attrs: A) => Expr): OpDef<A> {
  return defineOp<A>({
    name,
    infer: (ins: readonly Spec[], attrs) => [
      {
        shape: broadcastOrFail(name, ...ins.map((t) => t.shape)),
        dtype: formula(
          ins.map((t, i) => input(i, t.dtype)),
          attrs,
        ).dtype,
      },
    ],
    expr: formula,
  });
}

/** A pointwise function of one tensor; without a formula, the scalar function of that name. */
export function unary(name: ScalarFn): (x: Tensor) => Tensor;
export function unary(name: string, formula: (x: Expr) => Expr): (x: Tensor) => Tensor;
export function unary(name: string, formula = (x: Expr) => call(name as ScalarFn, x)): (x: Tensor) => Tensor {
  const op = pointwise<object>(name, ([x]) => formula(x!));
  return (x) => apply1(op, [x], {});
}

/** A pointwise function of one tensor and numbers. */
export function unaryWith<A>(name: string, formula: (x: Expr, attrs: A) => Expr): (x: Tensor, attrs: A) => Tensor {
  const op = pointwise<A>(name, ([x], attrs) => formula(x!, attrs));
  return (x, attrs) => apply1(op, [x], attrs);
}

interface Scalars {
  readonly left?: number;
  readonly right?: number;
}

type Binary = (a: Operand, b: Operand) => Tensor;
function binary(name: ScalarFn): Binary;
function binary(name: string, formula: (a: Expr, b: Expr) => Expr): Binary;
function binary(name: string, formula = (a: Expr, b: Expr) => call(name as ScalarFn, a, b)): Binary {
  const op = pointwise<Scalars>(name, (ins, { left, right }) => {
    if (left !== undefined) return formula(weak(left, ins[0]!.dtype), ins[0]!);
    if (right !== undefined) return formula(ins[0]!, weak(right, ins[0]!.dtype));
    return formula(ins[0]!, ins[1]!);
  });
  return (a, b) => {
    if (typeof b === "number") {
      if (typeof a === "number")
        return fail({
          op: name,
          expected: "at least one tensor",
          got: "two numbers",
          hint: "Use JavaScript for numbers.",
        });
      return apply1(op, [a], { right: b });
    }
    return typeof a === "number" ? apply1(op, [b], { left: a }) : apply1(op, [a, b], {});
  };
}

/** A number beside a tensor of `dtype`. */
function weak(v: number, dtype: DType): Expr {
  const [low, high] = dtype === "u32" ? [0, 0xffffffff] : [-0x80000000, 0x7fffffff];
  if (dtype === "f32" || !Number.isInteger(v) || v < low || v > high) return num(v);
  return num(v, dtype === "bool" ? "i32" : dtype);
}

// ── arithmetic ─────────────────────────────────────────────────────────────────────────────────────

/** `a + b`. */
export const add = /* @__PURE__ */ binary("add");
/** `a − b`. */
export const sub = /* @__PURE__ */ binary("sub");
/** `a · b`, element by element. */
export const mul = /* @__PURE__ */ binary("mul");
/** `a / b`; always f32. */
export const div = /* @__PURE__ */ binary("div");
/** Remainder with the sign of the divisor, as `torch.remainder`. */
export const mod = /* @__PURE__ */ binary("mod");
/** The greater of the two; NaN if either is. A tie shares the gradient. */
export const maximum = /* @__PURE__ */ binary("maximum", (a, b) => call("max", a, b));
/** The lesser of the two; NaN if either is. A tie shares the gradient. */
export const minimum = /* @__PURE__ */ binary("minimum", (a, b) => call("min", a, b));
/** `a` to the power of `b`; f32. Whole powers from −2 to 4 are products, the others `pow` of the backend. */
export const pow = /* @__PURE__ */ binary("pow", (a, b) => {
  const n = b.k === "const" ? b.v : Number.NaN;
  const square = () => call("mul", castExpr(a, "f32"), castExpr(a, "f32"));
  if (n === 1) return castExpr(a, "f32");
  if (n === 2) return square();
  if (n === 3) return call("mul", square(), a);
  if (n === 0.5) return call("sqrt", a);
  if (n === -1) return call("recip", a);
  return call("pow", a, b);
});

/** `−x`. */
export const neg = /* @__PURE__ */ unary("neg");
export const abs = /* @__PURE__ */ unary("abs");
/** −1, 0 or 1. */
export const sign = /* @__PURE__ */ unary("sign");
/** `x²`. */
export const square = /* @__PURE__ */ unary("square", (x) => call("mul", x, x));
/** `1/x`. */
export const reciprocal = /* @__PURE__ */ unary("reciprocal", (x) => call("recip", x));
/** `min(max(x, min), max)`; `null` for no bound. NaN stays NaN. */
export function clamp(x: Tensor, min: number | null, max: number | null = null): Tensor {
  return clampOp(x, { min, max });
}
const clampOp = /* @__PURE__ */ unaryWith<{ min: number | null; max: number | null }>("clamp", (x, { min, max }) => {
  let y = x;
  if (max !== null) y = select(call("lt", weak(max, x.dtype), y), weak(max, x.dtype), y);
  if (min !== null) y = select(call("lt", y, weak(min, x.dtype)), weak(min, x.dtype), y);
  return y;
});

// ── rounding ───────────────────────────────────────────────────────────────────────────────────────

export const floor = /* @__PURE__ */ unary("floor");
export const ceil = /* @__PURE__ */ unary("ceil");
/** To the nearest whole number, halves to the even one. */
export const round = /* @__PURE__ */ unary("round");
export const trunc = /* @__PURE__ */ unary("trunc");

// ── exponentials, roots, trigonometry ──────────────────────────────────────────────────────────────

export const exp = /* @__PURE__ */ unary("exp");
/** `exp(x) − 1`, exact near 0. */
export const expm1 = /* @__PURE__ */ unary("expm1");
/** Natural logarithm. */
export const log = /* @__PURE__ */ unary("log");
/** `log(1 + x)`, exact near 0. */
export const log1p = /* @__PURE__ */ unary("log1p");
export const log2 = /* @__PURE__ */ unary("log2", (x) => call("mul", call("log", x), num(Math.LOG2E)));
export const log10 = /* @__PURE__ */ unary("log10", (x) => call("mul", call("log", x), num(Math.LOG10E)));
export const sqrt = /* @__PURE__ */ unary("sqrt");
/** `1/√x`. */
export const rsqrt = /* @__PURE__ */ unary("rsqrt", (x) => call("recip", call("sqrt", x)));
export const sin = /* @__PURE__ */ unary("sin");
export const cos = /* @__PURE__ */ unary("cos");
export const tan = /* @__PURE__ */ unary("tan");
export const asin = /* @__PURE__ */ unary("asin");
export const acos = /* @__PURE__ */ unary("acos");
export const atan = /* @__PURE__ */ unary("atan");
export const sinh = /* @__PURE__ */ unary("sinh");
export const cosh = /* @__PURE__ */ unary("cosh");
/** The error function. */
export const erf = /* @__PURE__ */ unary("erf");

// ── comparison and logic (→ bool) ──────────────────────────────────────────────────────────────────

export const eq = /* @__PURE__ */ binary("eq");
export const ne = /* @__PURE__ */ binary("ne");
export const lt = /* @__PURE__ */ binary("lt");
export const le = /* @__PURE__ */ binary("le");
export const gt = /* @__PURE__ */ binary("gt", (a, b) => call("lt", b, a));
export const ge = /* @__PURE__ */ binary("ge", (a, b) => call("le", b, a));
const truth = (x: Expr) => castExpr(x, "bool");
/** True where both are non-zero. */
export const logicalAnd = /* @__PURE__ */ binary("logicalAnd", (a, b) => call("and", truth(a), truth(b)));
export const logicalOr = /* @__PURE__ */ binary("logicalOr", (a, b) => call("or", truth(a), truth(b)));
export const logicalXor = /* @__PURE__ */ binary("logicalXor", (a, b) => call("xor", truth(a), truth(b)));
export const logicalNot = /* @__PURE__ */ unary("logicalNot", (x) => call("eq", truth(x), num(0, "bool")));
export const isNaN = /* @__PURE__ */ unary("isNaN", (x) => call("ne", x, x));
export const isFinite = /* @__PURE__ */ unary("isFinite", (x) =>
  call("lt", call("abs", castExpr(x, "f32")), num(Number.POSITIVE_INFINITY)),
);

/**
 * `a` where the condition is true (non-zero), else `b`; all three broadcast. The branch not taken has gradient 0, even
 * if it is NaN there.
 */
export function where(condition: Tensor, a: Operand, b: Operand): Tensor {
  const ins = [condition, a, b].filter((t): t is Tensor => t instanceof Tensor);
  const numbers = {
    ...(typeof a === "number" ? { left: a } : {}),
    ...(typeof b === "number" ? { right: b } : {}),
  };
  return apply1(whereOp, ins, numbers);
}
const whereOp = /* @__PURE__ */ pointwise<Scalars>("where", ([c, ...rest], { left, right }) => {
  const other = rest[0]?.dtype ?? (Number.isInteger(left) && Number.isInteger(right) ? "i32" : "f32");
  const a = left === undefined ? rest[0]! : weak(left, other);
  const b = right === undefined ? rest[rest.length - 1]! : weak(right, other);
  return select(c!, a, b);
});

/** `value` where the mask is true, else `x`. */
export function maskedFill(x: Tensor, mask: Tensor, value: number): Tensor {
  return where(mask, value, x);
}

/** Another dtype: f32 → integers truncates and saturates, NaN gives 0; anything → bool is `≠ 0`. */
export function cast(x: Tensor, dtype: DType): Tensor {
  return x.dtype === dtype ? x : apply1(castOp, [x], { dtype });
}
const castOp = /* @__PURE__ */ pointwise<{ dtype: DType }>("cast", ([x], { dtype }) => castExpr(x!, dtype));

// An op is one frozen object, and nothing else in the system knows that it exists.

import type { Expr } from "./expr.js";
import type { Spec, View } from "./spec.js";
import type { Tensor } from "./tensor.js";

/**
 * The definition of an op with attributes `A` (plain data: numbers, strings, booleans, arrays, objects, formulas).
 *
 * An op says what it is in at most one of these ways, and every backend can then run it:
 * - `expr`: pointwise, a scalar formula of its broadcast inputs;
 * - `view`: the output's elements are the input's, elsewhere: nothing is computed;
 * - `assemble`: the output is put together from the inputs, each written through a view of it;
 * - `lower`: itself in smaller ops.
 *
 * An op with none of them is of the floor (see {@link Kernel}): a backend must have a kernel for it.
 */
export interface OpDef<A = any> {
  /** `"matmul"`, or `"package/op"` outside @nn/tensor. */
  readonly name: string;
  /** The shape rule and the only validator: throws with named dimensions. */
  infer(ins: readonly Spec[], attrs: A): readonly Spec[];
  expr?(ins: readonly Expr[], attrs: A): Expr;
  /** `null`: not possible with these strides; the caller then copies the input to a contiguous one and asks again. */
  view?(of: View, attrs: A): View | null;
  assemble?(ins: readonly Spec[], attrs: A): Assembly;
  lower?(ins: readonly Tensor[], attrs: A): readonly Tensor[];
  /**
   * Gradients of the inputs from those of the outputs (`null`: zero; of a single output, never null). Absent: the formula is differentiated, the view
   * turned round, or the gradients go through `lower`. An op with kernels of its own must state it: else the
   * kernels never run in training.
   */
  vjp?(ct: readonly (Tensor | null)[], saved: Saved<A>): readonly (Tensor | null)[];
}

/** How an output is put together: `out = fill; out[views[i]] (+)= ins[i]`. */
export interface Assembly {
  /** Omitted: the views cover everything. */
  readonly fill?: number | undefined;
  /** One view of the contiguous output per input. */
  readonly views: readonly View[];
  readonly accumulate?: boolean | undefined;
}

/** What a gradient may use. `needs[i]`: whether anybody wants the gradient of input i. */
export interface Saved<A> {
  readonly ins: readonly Tensor[];
  readonly outs: readonly Tensor[];
  readonly attrs: A;
  readonly needs: readonly boolean[];
}

/**
 * Freezes an op's definition.
 *
 * @example
 * ```ts
 * const double = defineOp<{}>({ name: "mine/double", infer: ([x]) => [x!], expr: ([x]) => call("mul", x!, num(2)) });
 * const y = apply(double, [x], {})[0];
 * ```
 */
export function defineOp<A>(op: OpDef<A>): OpDef<A> {
  return Object.freeze(op);
}

/** A number that tells ops apart: two may have one name. */
export function opId(op: OpDef): number {
  let id = ids.get(op);
  if (id === undefined) {
    id = ++lastId;
    ids.set(op, id);
  }
  return id;
}
const ids = new WeakMap<OpDef, number>();
let lastId = 0;

/** A short text that tells attributes apart: part of a kernel's signature. */
export function attrsKey(attrs: unknown, exprKey: (e: Expr) => string): string {
  if (typeof attrs === "number") return Object.is(attrs, -0) ? "-0" : String(attrs);
  if (attrs === null || typeof attrs !== "object")
    return typeof attrs === "string" ? JSON.stringify(attrs) : String(attrs);
  if (Array.isArray(attrs)) return `[${attrs.map((a) => attrsKey(a, exprKey)).join(",")}]`;
  if ("k" in attrs && "dtype" in attrs) return `<${exprKey(attrs as Expr)}>`;
  const fields = Object.entries(attrs).filter(([, v]) => v !== undefined);
  return `{${fields.map(([k, v]) => `${k}:${attrsKey(v, exprKey)}`).join(",")}}`;
}

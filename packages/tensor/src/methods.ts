// Which functions are also methods of Tensor: those people chain. A class cannot be tree-shaken, so everything here is
// in every bundle, and the rest (sorting, padding, einsum, …) are functions, which cost only those who use them.

import { readLater, readNow } from "./eager.js";
import { fail, show } from "./errors.js";
import { relu, sigmoid, tanh } from "./ops/activations.js";
import { matmul } from "./ops/linalg.js";
import {
  contiguous,
  expand,
  flatten,
  flip,
  permute,
  reshape,
  select,
  slice,
  squeeze,
  transpose,
  unsqueeze,
} from "./ops/movement.js";
import {
  abs,
  add,
  cast,
  ceil,
  clamp,
  cos,
  div,
  eq,
  exp,
  floor,
  ge,
  gt,
  isFinite,
  isNaN,
  le,
  log,
  logicalAnd,
  logicalNot,
  logicalOr,
  lt,
  maskedFill,
  maximum,
  minimum,
  mod,
  mul,
  ne,
  neg,
  pow,
  reciprocal,
  round,
  rsqrt,
  sign,
  sin,
  sqrt,
  square,
  sub,
} from "./ops/pointwise.js";
import { all, any, argmax, argmin, logSoftmax, max, mean, min, softmax, sum, variance } from "./ops/reductions.js";
import { Tensor } from "./tensor.js";

/** Reading data back. */
const reading = {
  /** The elements in row-major order. bool comes as 0 and 1. */
  read: readLater,
  /** {@link read}, at once; only on backends whose memory is the host's own. */
  readSync: readNow,
  /** The one element of a scalar. */
  item: async (x: Tensor): Promise<number> => (await readLater(single(x)))[0]!,
  /** Nested arrays of numbers (booleans for bool); a plain value for a scalar. */
  toArray: async (x: Tensor): Promise<unknown> =>
    nest(
      Array.from(await readLater(x), (v) => (x.dtype === "bool" ? v !== 0 : v)),
      x.shape,
    ),
};

const methods = {
  ...reading,
  // arithmetic, elementary functions, comparison
  add,
  sub,
  mul,
  div,
  mod,
  pow,
  maximum,
  minimum,
  neg,
  abs,
  sign,
  square,
  reciprocal,
  clamp,
  floor,
  ceil,
  round,
  exp,
  log,
  sqrt,
  rsqrt,
  sin,
  cos,
  eq,
  ne,
  lt,
  le,
  gt,
  ge,
  logicalAnd,
  logicalOr,
  logicalNot,
  isNaN,
  isFinite,
  maskedFill,
  cast,
  // activations
  relu,
  sigmoid,
  tanh,
  softmax,
  logSoftmax,
  // reductions and products
  sum,
  mean,
  max,
  min,
  any,
  all,
  argmax,
  argmin,
  variance,
  matmul,
  // shape
  reshape,
  permute,
  transpose,
  flatten,
  squeeze,
  unsqueeze,
  expand,
  slice,
  select,
  flip,
  contiguous,
};

type Method<F> = F extends (x: Tensor, ...args: infer A) => infer R ? (...args: A) => R : never;
type Methods = { [K in keyof typeof methods]: Method<(typeof methods)[K]> };

declare module "./tensor.js" {
  interface Tensor extends Methods {}
}

for (const [name, f] of Object.entries(methods)) {
  Object.defineProperty(Tensor.prototype, name, {
    value(this: Tensor, ...args: never[]) {
      return (f as (x: Tensor, ...args: never[]) => unknown)(this, ...args);
    },
  });
}

function single(x: Tensor): Tensor {
  if (x.size === 1) return x;
  return fail({
    op: "item",
    expected: "a tensor with one element",
    got: show(x.shape),
    hint: "Use read() or toArray().",
  });
}

function nest(flat: readonly unknown[], shape: readonly number[]): unknown {
  if (shape.length === 0) return flat[0];
  const [d, ...rest] = shape as [number, ...number[]];
  const step = flat.length / d;
  return Array.from({ length: d }, (_, i) => nest(flat.slice(i * step, (i + 1) * step), rest));
}

export { Tensor };

// Which functions are also methods of Tensor: those whose first argument is one. Importing this file installs them.

import { readLater, readNow } from "./eager.js";
import { fail, show } from "./errors.js";
import * as activations from "./ops/activations.js";
import * as indexing from "./ops/indexing.js";
import * as linalg from "./ops/linalg.js";
import * as movement from "./ops/movement.js";
import * as pointwise from "./ops/pointwise.js";
import * as reductions from "./ops/reductions.js";
import { Tensor } from "./tensor.js";

const { where: _where, unary: _unary, unaryWith: _unaryWith, pointwise: _pointwise, ...elementwise } = pointwise;
const { cat: _cat, stack: _stack, ...moves } = movement;
const { matmulOp: _matmulOp, einsum: _einsum, ...products } = linalg;

/** Reading data back. */
const reading = {
  /** The elements in row-major order. bool comes as 0 and 1. */
  read: readLater,
  /** {@link read}, at once; only on backends whose memory is the host's own. */
  readSync: readNow,
  /** The one element of a scalar. */
  item: async (x: Tensor): Promise<number> => (await readLater(single(x)))[0]!,
  /** Nested arrays of numbers (booleans for bool); a plain value for a scalar. */
  toArray: async (x: Tensor): Promise<unknown> => nest(Array.from(await readLater(x), (v) => (x.dtype === "bool" ? v !== 0 : v)), x.shape),
};

const methods = { ...elementwise, ...activations, ...reductions, ...moves, ...indexing, ...products, ...reading };

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
  return fail({ op: "item", expected: "a tensor with one element", got: show(x.shape), hint: "Use read() or toArray()." });
}

function nest(flat: readonly unknown[], shape: readonly number[]): unknown {
  if (shape.length === 0) return flat[0];
  const [d, ...rest] = shape as [number, ...number[]];
  const step = flat.length / d;
  return Array.from({ length: d }, (_, i) => nest(flat.slice(i * step, (i + 1) * step), rest));
}

export { Tensor };

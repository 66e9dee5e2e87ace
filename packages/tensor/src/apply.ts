// apply: the single choke point. Every op of every package passes here, once, on its way to the interpreter.

import { eager } from "./eager.js";
import { fail } from "./errors.js";
import { activeInterpreter, type Interpreter } from "./interpreter.js";
import type { OpDef } from "./op.js";
import { Tensor } from "./tensor.js";

/** The interpreter ops go to now. */
export function interpreter(): Interpreter {
  return activeInterpreter() ?? eager;
}

/**
 * Applies an op: checks the inputs with its shape rule, then runs, records or traces it.
 *
 * @throws {@link NNError} from `op.infer`, before anything has happened
 * @example
 * ```ts
 * const [y] = apply(matmulOp, [a, b], {});
 * ```
 */
export function apply<A>(op: OpDef<A>, ins: readonly Tensor[], attrs: A): readonly Tensor[] {
  for (const [i, t] of ins.entries()) {
    if (!(t instanceof Tensor)) {
      fail({ op: op.name, expected: `a Tensor as input ${i}`, got: describe(t), hint: "Make one with tensor()." });
    }
  }
  return interpreter().apply(op, ins, attrs, op.infer(ins, attrs));
}

/** {@link apply} for the many ops with one result. */
export function apply1<A>(op: OpDef<A>, ins: readonly Tensor[], attrs: A): Tensor {
  return apply(op, ins, attrs)[0]!;
}

/** What a value is, for errors. */
export function describe(value: unknown): string {
  if (value !== Object(value)) return `${typeof value} ${String(value)}`;
  return (value as object).constructor?.name ?? "an object";
}

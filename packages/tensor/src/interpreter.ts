// Who carries ops out. Eager runs them, a Tape also records them for gradients, a Trace only writes them down.

import type { OpDef } from "./op.js";
import type { Spec } from "./spec.js";
import type { Tensor } from "./tensor.js";
import type { Variable } from "./variable.js";

export interface Interpreter {
  /** `outs` is what `op.infer` said. */
  apply<A>(op: OpDef<A>, ins: readonly Tensor[], attrs: A, outs: readonly Spec[]): readonly Tensor[];
  read(variable: Variable): Tensor;
  write(variable: Variable, value: Tensor): void;
  /** Told of what the computation depends on besides tensors; a compiled step is traced anew when it no longer holds. */
  guard?(holds: () => boolean): void;
  /** Whether it records for gradients. */
  readonly recording?: boolean;
}

let active: Interpreter | null = null;

/** The interpreter ops go to; `null`: eager. */
export function activeInterpreter(): Interpreter | null {
  return active;
}

/** Runs `body` with another interpreter (`null`: eager). */
export function withInterpreter<T>(interpreter: Interpreter | null, body: () => T): T {
  const before = active;
  active = interpreter;
  try {
    return body();
  } finally {
    active = before;
  }
}

/** Which hooks there are: part of every trace's key. */
export let hooksKey = "";

export function setHooksKey(key: string): void {
  hooksKey = key;
}

// Inside of compile(), but not of the trace: what is made while a function is traced, and what a trace takes for granted.

import { interpreter } from "./apply.js";
import { withInterpreter } from "./interpreter.js";

/**
 * Runs `body` at once, also while a function is traced: for Variables that are made at a first use.
 *
 * @example
 * ```ts
 * this.state ??= untraced(() => new Variable(zeros([rows, size]), { trainable: false }));
 * ```
 */
export function untraced<T>(body: () => T): T {
  return withInterpreter(null, body);
}

/** Says what the function that is traced takes for granted: where it no longer holds, it is traced anew. */
export function assume(holds: () => boolean): void {
  interpreter().guard?.(holds);
}

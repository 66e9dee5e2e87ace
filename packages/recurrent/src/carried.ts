// States that a stream carries from one step to the next.

import { fail, type Keep, mapStructure, show, Tensor } from "@nn/tensor";

/** How the stream that is being made keeps states; null: none is. */
let keep: Keep | null = null;

export const isStreaming = (): boolean => keep !== null;

/** Runs a model for a stream. */
export function withKeep<T>(how: Keep, run: () => T): T {
  const before = keep;
  keep = how;
  try {
    return run();
  } finally {
    keep = before;
  }
}

/**
 * Makes a loop of your own ready for {@link stream}: `run` gets the state `start()`, but in a stream the one that the step
 * before left.
 *
 * @param start the state before the first step: a tensor, or an array or plain object of them. It may not depend on tensors that
 *   were computed from the input
 * @param run from the state to `[next state, result]`, as `scan` gives them
 * @returns the result
 * @example
 * ```ts
 * forward(x: Tensor) { // (T, N, I)
 *   return carried(() => zeros([x.shape[1], 16]), (h) => scan(this.cell, h, x));
 * }
 * ```
 */
export function carried<S, Y>(start: () => S, run: (state: S) => readonly [next: S, result: Y]): Y {
  if (!keep) return run(start())[1];
  let first: S | undefined;
  const [now, next] = keep(() => tensorsIn((first = start())));
  let at = 0;
  const [after, result] = run(mapStructure(first, (v) => (v instanceof Tensor ? now[at++]! : v)) as S);
  const tensors = tensorsIn(after);
  const specs = (list: readonly Tensor[]) => list.map((t) => `${show(t.shape)} ${t.dtype}`).join(", ");
  if (specs(tensors) !== specs(now))
    fail({ op: "carried", expected: `a next state as the first one: ${specs(now)}`, got: specs(tensors) });
  next(tensors);
  return result;
}

function tensorsIn(structure: unknown): Tensor[] {
  const found: Tensor[] = [];
  mapStructure(structure, (v) => v instanceof Tensor && found.push(v));
  return found;
}

// scanRows: `scan` of @nn/tensor over a batch whose rows have lengths of their own.

import { scan, Tensor, where, zerosLike } from "@nn/tensor";
import { isInside } from "./ragged.js";

/**
 * Runs a cell over x (T, N, …). Past its end a row keeps its state, and its results are 0; so the reverse direction starts
 * at each row's own end. The cell runs there, too, but sees zeros.
 *
 * @param cell from the state and x at a step to `[next state, results]`: tensors (N, …) in arrays and plain objects
 * @returns the last state, and the results (T, N, …)
 */
export function scanRows<S, Y>(
  cell: (state: S, x: Tensor) => readonly [next: S, results: Y],
  init: S,
  x: Tensor,
  lengths: Tensor | undefined,
  reverse: boolean,
): [last: S, results: Y] {
  type Elements = { readonly x: Tensor; readonly inside: Tensor | null };
  const step = (state: S, { x, inside }: Elements): readonly [S, Y] => {
    const [next, results] = cell(state, x);
    if (!inside) return [next, results];
    return [choose(inside, next, state), choose(inside, results, null)];
  };
  const inside = lengths ? isInside(lengths, x.shape[0]!) : null;
  return scan(step, init, { x: inside ? choose(inside, x, null) : x, inside }, { reverse });
}

/** All tensors of `a` where it is inside, (N, 1) or (T, N, 1), and of `b` elsewhere; null: zeros. */
function choose<S>(inside: Tensor, a: S, b: unknown): S {
  if (a instanceof Tensor) {
    const rows = inside.reshape(a.shape.map((n, axis) => (axis < inside.rank - 1 ? n : 1)));
    return where(rows, a, (b as Tensor | null) ?? zerosLike(a)) as S;
  }
  if (a === null || typeof a !== "object") return a;
  const part = (key: string, v: unknown) => choose(inside, v, (b as Record<string, unknown> | null)?.[key] ?? null);
  if (Array.isArray(a)) return a.map((v, i) => part(`${i}`, v)) as S;
  return Object.fromEntries(Object.entries(a).map(([key, v]) => [key, part(key, v)])) as S;
}

// Lanes that change places: blocks of 4 × 4 turned, vectors folded into one value.

import { type Func, type Local, type Value, v128 } from "./build.js";

/** Four vectors, turned: row r has the r-th lanes of all. */
export function turned(f: Func, [a, b, c, d]: readonly Value[]): Value[] {
  const pairs = (x: Value, y: Value) =>
    [
      [0, 4, 1, 5],
      [2, 6, 3, 7],
    ].map((lanes) => f.let(v128.shuffle32(x, y, lanes)));
  const right = pairs(c!, d!);
  return pairs(a!, b!).flatMap((left, i) => [
    v128.shuffle32(left, right[i]!, [0, 1, 4, 5]),
    v128.shuffle32(left, right[i]!, [2, 3, 6, 7]),
  ]);
}

/** What an operation makes of the four lanes of a vector, in every lane. */
export function folded(f: Func, v: Value, combine: (a: Value, b: Value) => Value): Local {
  const halves = f.let(v);
  const half = f.let(combine(halves, v128.shuffle32(halves, halves, [2, 3, 0, 1])));
  return f.let(combine(half, v128.shuffle32(half, half, [1, 0, 3, 2])));
}

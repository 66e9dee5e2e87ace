// Maps that turn: an input lies along another axis than the output (a transpose, a conversion between layouts). Blocks of
// 4 × 4 are read along the input's axis, turned in registers, and written along the output's.

import { elementAt, type Func, type Int, i32, type Local, v128 } from "../build.js";
import type { Formula } from "../formula.js";
import { turned } from "../lanes.js";
import {
  advance,
  blocks,
  indices,
  loadElements,
  loops,
  moved,
  type Operand,
  type Point,
  storeElements,
} from "../walk.js";

/** Loops in order, output first among the operands. */
export interface TurnedMap {
  readonly formula: Formula;
  readonly shape: readonly number[];
  readonly operands: readonly Operand[];
  readonly start: Point;
}

/** The axis along which some input is contiguous while the output is so along the last; −1: there is none. */
export function turnedAxis(shape: readonly number[], [out, ...ins]: readonly (readonly number[])[]): number {
  const last = shape.length - 1;
  if (out![last] !== 1 || shape[last]! < 4) return -1;
  return shape.findIndex(
    (n, axis) => axis < last && n >= 4 && ins.some((s) => s[axis] === 1 && Math.abs(s[last]!) > 1),
  );
}

/** Writes the loops; parts are positions on the first axis, or fours of them if that is the turned one. */
export function writeTurned(f: Func, map: TurnedMap, axis: number, range?: readonly [Int, Int]): number {
  const { shape, operands, start } = map;
  const outer = indices(shape.length - 1).filter((a) => a !== axis);
  const fours = Math.ceil(shape[axis]! / 4);
  const parts = axis === 0 ? fours : shape[0]!;
  const done = range ?? [0, parts];
  loops(f, shape, operands, outer, axis === 0 ? [0, shape[outer[0]!] ?? 0] : done, start, ({ at }) =>
    writeBlocks(f, map, axis, at, axis === 0 ? done : [0, fours]),
  );
  return parts;
}

/** Fours of rows from … to; the last of them may be fewer. */
function writeBlocks(
  f: Func,
  { formula, shape, operands }: TurnedMap,
  axis: number,
  at: readonly Local[],
  [from, to]: readonly [Int, Int],
): void {
  const last = shape.length - 1;
  const full = Math.floor(shape[axis]! / 4);
  const down = operands.map((o) => o.strides[axis]!);
  const along = operands.map((o) => o.strides[last]!);
  const rows = (p: readonly Local[], count: number) => {
    const q = moved(f, p, along, 0);
    blocks(f, shape[last]!, [4, 1], (width) => {
      const squares = along.map((stride, k) =>
        k > 0 && count === 4 && width === 4 && down[k] === 1
          ? turned(
              f,
              indices(4).map((i) => f.let(v128.load(elementAt(q[k]!, i, stride)))),
            )
          : null,
      );
      for (let r = 0; r < count; r++) {
        const there = moved(f, q, down, r);
        const input = (i: number) => squares[i + 1]?.[r] ?? loadElements(f, there[i + 1]!, along[i + 1]!, width);
        storeElements(f, there[0]!, 1, width, formula.at(2, { input }));
      }
      advance(f, q, along, width);
    });
  };
  const p = moved(f, at, down, i32.mul(from, 4));
  f.for(from, i32.min_u(to, full), 1, () => {
    rows(p, 4);
    advance(f, p, down, 4);
  });
  const rest = shape[axis]! % 4;
  if (rest > 0) f.if(i32.lt_u(full, to), () => rows(moved(f, at, down, 4 * full), rest));
}

// Maps that turn: an input lies along another axis than the output (a transpose, a conversion between layouts). Blocks of
// 4 × 4 are read along the input's axis, turned in registers, and written along the output's.

import { type Func, type Int, i32, type Local, type Value, v128 } from "../build.js";
import type { Formula } from "../formula.js";
import { loadElements, loops, type Operand, type Point, storeElements } from "../walk.js";

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
export function writeTurned(f: Func, map: TurnedMap, axis: number, [from, to]: readonly [Int, Int]): number {
  const { shape, operands, start } = map;
  const last = shape.length - 1;
  const outer = [...shape.keys()].filter((a) => a !== axis && a !== last);
  const fours = Math.ceil(shape[axis]! / 4);
  if (axis > 0) {
    loops(f, shape, operands, outer, [from, to], start, ({ at }) => writeBlocks(f, map, axis, at, [0, fours]));
    return shape[0]!;
  }
  loops(f, shape, operands, outer, [0, shape[outer[0]!] ?? 0], start, ({ at }) =>
    writeBlocks(f, map, axis, at, [from, to]),
  );
  return fours;
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
  const moved = (p: readonly Local[], by: (k: number) => Int) => p.map((x, k) => f.let(i32.add(x, by(k))));
  const advance = (p: readonly Local[], strides: readonly number[], n: number) =>
    p.forEach((x, k) => {
      f.step(x, 4 * n * strides[k]!);
    });
  const element = (p: readonly Local[], width: 4 | 1) => {
    const input = (i: number) => loadElements(f, p[i + 1]!, along[i + 1]!, width);
    storeElements(f, p[0]!, 1, width, formula.at(2, { input, index: () => i32.const(0) }));
  };
  const rows = (p: readonly Local[], count: number) => {
    const q = moved(p, () => 0);
    const across = (n: number, step: number, body: () => void) => {
      if (n > 0)
        f.repeat(n, () => {
          body();
          advance(q, along, step);
        });
    };
    const rowsAt = (body: (r: number) => void) => Array.from({ length: count }, (_, r) => body(r));
    across(shape[last]! >> 2, 4, () => {
      const blocks = operands.map((_, k) =>
        k > 0 && count === 4 && down[k] === 1 ? turned(f, q[k]!, along[k]!) : null,
      );
      rowsAt((r) => {
        const there = moved(q, (k) => 4 * r * down[k]!);
        const input = (i: number) => blocks[i + 1]?.[r] ?? loadElements(f, there[i + 1]!, along[i + 1]!, 4);
        f.store(there[0]!, formula.at(2, { input, index: () => i32.const(0) }));
      });
    });
    across(shape[last]! & 3, 1, () =>
      rowsAt((r) =>
        element(
          moved(q, (k) => 4 * r * down[k]!),
          1,
        ),
      ),
    );
  };
  const p = moved(at, (k) => i32.mul(from, 16 * down[k]!));
  f.for(from, i32.min_u(to, full), 1, () => {
    rows(p, 4);
    advance(p, down, 4);
  });
  const rest = shape[axis]! % 4;
  if (rest > 0)
    f.if(i32.lt_u(full, to), () =>
      rows(
        moved(at, (k) => 16 * full * down[k]!),
        rest,
      ),
    );
}

/** Four vectors along the stride, turned: row r has the r-th elements of all. */
function turned(f: Func, at: Local, stride: number): Value[] {
  const [a, b, c, d] = [0, 1, 2, 3].map((i) => f.let(v128.load(i32.add(at, 4 * i * stride))));
  const pairs = (x: Local, y: Local) => [
    f.let(v128.shuffle32(x, y, [0, 4, 1, 5])),
    f.let(v128.shuffle32(x, y, [2, 6, 3, 7])),
  ];
  const [[low, high], [low2, high2]] = [pairs(a!, b!), pairs(c!, d!)];
  return [
    v128.shuffle32(low!, low2!, [0, 1, 4, 5]),
    v128.shuffle32(low!, low2!, [2, 3, 6, 7]),
    v128.shuffle32(high!, high2!, [0, 1, 4, 5]),
    v128.shuffle32(high!, high2!, [2, 3, 6, 7]),
  ];
}

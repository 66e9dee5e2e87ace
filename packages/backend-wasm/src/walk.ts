// Loops over views: nested ones over all axes but the last, and a row of vectors and single elements along that.

import { collapse, type View } from "@nn/tensor";
import { elementAt, type Func, type Int, i32, i32x4, type Local, type Value, v128 } from "./build.js";

/** Something in memory that loops walk through. */
export interface Operand {
  /** Address of its buffer. */
  readonly base: Local;
  /** In elements. */
  readonly offset: number;
  readonly strides: readonly number[];
}

/** Operands at a point of the loops, and the coordinates there. */
export interface Point {
  readonly at: readonly Local[];
  readonly coordinates: readonly Local[];
}

/** 0 … n − 1. */
export const indices = (n: number): number[] => [...Array(n).keys()];

/** Views of one shape as loops: as few as possible, or all of them in order, but at least one. */
export function loopsOf(
  views: readonly View[],
  all = false,
): { readonly shape: readonly number[]; readonly strides: readonly (readonly number[])[] } {
  const { shape, strides } = all ? { shape: views[0]!.shape, strides: views.map((v) => v.strides) } : collapse(views);
  return shape.length > 0 ? { shape, strides } : { shape: [1], strides: views.map(() => [0]) };
}

/** Views as operands of such loops. */
export const operandsOf = (
  views: readonly View[],
  bases: readonly Local[],
  strides: readonly (readonly number[])[],
): Operand[] => views.map(({ offset }, k) => ({ base: bases[k]!, offset, strides: strides[k]! }));

/** Addresses of the first elements. */
export function starts(f: Func, operands: readonly Operand[]): Local[] {
  return operands.map(({ base, offset }) => (offset === 0 ? base : f.let(elementAt(base, offset))));
}

/** The addresses i elements further along strides, in new locals; those that stand still stay what they are. */
export const moved = (f: Func, at: readonly Local[], strides: readonly number[], i: Int): Local[] =>
  at.map((p, k) => (strides[k] === 0 ? p : f.let(elementAt(p, i, strides[k]))));

/** Moves the addresses themselves. */
export function advance(f: Func, at: readonly Local[], strides: readonly number[], n = 1): void {
  for (const [k, s] of strides.entries()) f.step(at[k]!, 4 * n * s);
}

/**
 * Loops over `axes`, the first of them from `range`; `body` runs at every point.
 */
export function loops(
  f: Func,
  shape: readonly number[],
  operands: readonly Operand[],
  [axis, ...inner]: readonly number[],
  [from, to]: readonly [Int, Int],
  start: Point,
  body: (point: Point) => void,
): void {
  if (axis === undefined) {
    body(start);
    return;
  }
  const strides = operands.map((o) => o.strides[axis]!);
  const at = moved(f, start.at, strides, from);
  f.for(from, to, 1, (i) => {
    const point = { at, coordinates: withAxis(start.coordinates, axis, i) };
    loops(f, shape, operands, inner, [0, shape[inner[0]!] ?? 0], point, body);
    advance(f, at, strides);
  });
}

/** The coordinates with that of one axis set. */
export function withAxis(coordinates: readonly Local[], axis: number, i: Local): Local[] {
  const all = [...coordinates];
  all[axis] = i;
  return all;
}

/** `count` things in blocks of some sizes, the largest first, as long as there are so many; `body` does one block. */
export function blocks<N extends number>(f: Func, count: Int, sizes: readonly N[], body: (size: N) => void): void {
  for (const size of sizes) {
    const left = count;
    const fixed = typeof left === "number";
    f.times(fixed ? Math.floor(left / size) : f.let(i32.div_u(left, size)), () => body(size));
    count = fixed ? left % size : f.let(i32.rem_u(left, size));
  }
}

/**
 * A row of `count` elements along an axis: vectors (`width` 4) as long as there are four, then single elements in lane
 * 0 of a vector. `coordinate` counts along if it is asked for.
 */
export function row(
  f: Func,
  count: Int,
  start: readonly Local[],
  strides: readonly number[],
  { vectors = true, first, unroll = 1 }: { vectors?: boolean; first?: Int; unroll?: number },
  body: (width: 4 | 1, at: readonly Local[], coordinate: Local | undefined) => void,
): void {
  const at = moved(f, start, strides, 0);
  const coordinate = first === undefined ? undefined : f.let(first);
  const long = typeof count === "number" && count >= 8 * unroll ? [4 * unroll] : [];
  blocks(f, count, vectors ? [...long, 4, 1] : [1], (size) => {
    const width = size === 1 ? 1 : 4;
    for (let i = 0; i < size; i += width) {
      body(width, at, coordinate);
      advance(f, at, strides, width);
      if (coordinate) f.step(coordinate, width);
    }
  });
}

/** The elements at an address, or `first` elements behind it: four along a stride, or one, in lane 0. */
export function loadElements(f: Func, at: Local, stride: number, width: 4 | 1, first = 0): Value {
  if (stride === 1 && width === 4) return v128.load(...lanePlace(at, first));
  let v: Value = v128.load32_splat(...lanePlace(at, first * stride));
  if (width === 1 || stride === 0) return v;
  for (let lane = 1; lane < 4; lane++) {
    const [p, offset] = lanePlace(at, (first + lane) * stride);
    v = v128.load32_lane(lane, p, v, offset);
  }
  return f.let(v);
}

export function storeElements(f: Func, at: Local, stride: number, width: 4 | 1, value: Value, first = 0): void {
  if (width === 4 && stride === 1) {
    const [p, offset] = lanePlace(at, first);
    f.store(p, value, offset);
    return;
  }
  const v = "index" in value ? value : f.let(value);
  for (let lane = 0; lane < width; lane++) {
    const [p, offset] = lanePlace(at, (first + lane) * stride);
    f.storeLane(lane, p, v, offset);
  }
}

/** An offset as part of the instruction where it may be: it cannot be negative. */
export function lanePlace(at: Local, elements: number): [Int, number] {
  return elements < 0 ? [elementAt(at, elements), 0] : [at, 4 * elements];
}

/** Coordinates of a vector: counting up along the axis it lies on, else the same in all lanes. */
export function coordinateVector(f: Func, i: Value, along: boolean): Value {
  const splat = i32x4.splat(i);
  return along ? i32x4.add(splat, f.lanes([0, 1, 2, 3])) : splat;
}

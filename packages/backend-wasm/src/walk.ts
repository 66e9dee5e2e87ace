// Loops over views: nested ones over all axes but the last, and a row of vectors and single elements along that.

import type { View } from "@nn/tensor";
import { type Func, type Int, i32, i32x4, type Local, type Value, v128 } from "./build.js";

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

/** Addresses of the first elements. */
export function starts(f: Func, operands: readonly Operand[]): Local[] {
  return operands.map(({ base, offset }) => (offset === 0 ? base : f.let(i32.add(base, 4 * offset))));
}

/**
 * Loops over `axes`, the first of them from `range`; `body` runs at every point.
 */
export function loops(
  f: Func,
  shape: readonly number[],
  operands: readonly Operand[],
  axes: readonly number[],
  range: readonly [Int, Int],
  start: Point,
  body: (point: Point) => void,
): void {
  const [axis, ...inner] = axes;
  if (axis === undefined) {
    body(start);
    return;
  }
  const [from, to] = range;
  const moving = operands.map(({ strides }, k) =>
    strides[axis] === 0
      ? start.at[k]!
      : f.let(i32.add(start.at[k]!, from === 0 ? 0 : i32.mul(from, 4 * strides[axis]!))),
  );
  f.for(from, to, 1, (i) => {
    const coordinates = [...start.coordinates];
    coordinates[axis] = i;
    loops(f, shape, operands, inner, [0, shape[inner[0]!] ?? 0], { at: moving, coordinates }, body);
    operands.forEach(({ strides }, k) => {
      f.step(moving[k]!, 4 * strides[axis]!);
    });
  });
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
  const at = start.map((p, k) => (strides[k] === 0 ? p : f.let(p)));
  const coordinate = first === undefined ? undefined : f.let(first);
  const advance = (n: number) => {
    for (const [k, s] of strides.entries()) f.step(at[k]!, 4 * n * s);
    if (coordinate) f.step(coordinate, n);
  };
  const times = (n: Int, step: () => void) => {
    if (typeof n !== "number") f.if(n as Value, () => f.repeat(n, step));
    else if (n > 0) f.repeat(n, step);
  };
  const one = (width: 4 | 1) => () => {
    body(width, at, coordinate);
    advance(width);
  };
  if (!vectors) {
    times(count, one(1));
    return;
  }
  const fixed = typeof count === "number";
  if (unroll > 1 && fixed && count >= 8 * unroll) {
    times(Math.floor(count / (4 * unroll)), () => {
      for (let i = 0; i < unroll; i++) one(4)();
    });
    times(Math.floor((count % (4 * unroll)) / 4), one(4));
  } else times(fixed ? count >> 2 : f.let(i32.shr_u(count, 2)), one(4));
  times(fixed ? count & 3 : f.let(i32.and(count, 3)), one(1));
}

/** The elements at an address: four along a stride, or one, in lane 0. */
export function loadElements(f: Func, at: Local, stride: number, width: 4 | 1): Value {
  if (width === 1 || stride === 0) return v128.load32_splat(at);
  if (stride === 1) return v128.load(at);
  let v: Value = v128.load32_splat(at);
  for (let lane = 1; lane < 4; lane++) {
    const [p, offset] = lanePlace(at, lane * stride);
    v = v128.load32_lane(lane, p, v, offset);
  }
  return f.let(v);
}

export function storeElements(f: Func, at: Local, stride: number, width: 4 | 1, value: Value): void {
  if (width === 4 && stride === 1) {
    f.store(at, value);
    return;
  }
  const v = "index" in value ? value : f.let(value);
  for (let lane = 0; lane < width; lane++) {
    const [p, offset] = lanePlace(at, lane * stride);
    f.storeLane(lane, p, v, offset);
  }
}

/** An offset as part of the instruction where it may be: it cannot be negative. */
function lanePlace(at: Local, elements: number): [Int, number] {
  return elements < 0 ? [i32.add(at, 4 * elements), 0] : [at, 4 * elements];
}

/** Coordinates of a vector: counting up along the axis it lies on, else the same in all lanes. */
export function coordinateVector(f: Func, i: Value, along: boolean): Value {
  const splat = i32x4.splat(i);
  return along ? i32x4.add(splat, f.lanes([0, 1, 2, 3])) : splat;
}

/** How far apart the two ends of a view's other axes are, in elements. */
export function reachOf(view: View, without: number): number {
  return view.shape.reduce((sum, d, i) => sum + (i === without ? 0 : (d - 1) * Math.abs(view.strides[i]!)), 0);
}

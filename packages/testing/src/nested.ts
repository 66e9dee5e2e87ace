// Tensors as functions of their coordinates: what views, padding and joining mean, with no buffer in sight.

import { coordinates } from "./naive.js";

export interface Nested {
  readonly shape: readonly number[];
  at(c: readonly number[]): number;
}

/** All elements in row-major order. */
export function flatten({ shape, at }: Nested): number[] {
  return coordinates(shape).map(at);
}

/** From elements in row-major order. */
export function nested(shape: readonly number[], data: ArrayLike<number>): Nested {
  return { shape, at: (c) => data[c.reduce((i, v, axis) => i * shape[axis]! + v, 0)]! };
}

export const permute = (x: Nested, axes: readonly number[]): Nested => ({
  shape: axes.map((a) => x.shape[a]!),
  at: (c) => x.at(x.shape.map((_, i) => c[axes.indexOf(i)]!)),
});

/** The positions a Python slice meets, found by walking. */
export function positions(size: number, start: number | null, stop: number | null, step: number): number[] {
  const from = start === null ? (step > 0 ? 0 : size - 1) : start < 0 ? start + size : start;
  const to = stop === null ? (step > 0 ? size : -1) : stop < 0 ? stop + size : stop;
  const met: number[] = [];
  // Where Python clamps the ends, walking passes by: only the phase of the steps must not change.
  const first = step > 0 ? Math.max(from, 0) : Math.min(from, size - 1);
  for (let i = first; step > 0 ? i < Math.min(to, size) : i > Math.max(to, -1); i += step) met.push(i);
  return met;
}

/** The elements at these positions of each axis. */
export const pick = (x: Nested, chosen: readonly (readonly number[])[]): Nested => ({
  shape: chosen.map((list) => list.length),
  at: (c) => x.at(c.map((v, axis) => chosen[axis]![v]!)),
});

export const expand = (x: Nested, shape: readonly number[]): Nested => ({
  shape,
  at: (c) => x.at(c.slice(shape.length - x.shape.length).map((v, axis) => (x.shape[axis] === 1 ? 0 : v))),
});

export const reshape = (x: Nested, shape: readonly number[]): Nested => nested(shape, flatten(x));

export const windows = (x: Nested, axis: number, size: number, stride: number, dilation: number): Nested => ({
  shape: [...x.shape.with(axis, Math.floor((x.shape[axis]! - dilation * (size - 1) - 1) / stride) + 1), size],
  at: (c) => x.at(c.slice(0, -1).with(axis, c[axis]! * stride + c.at(-1)! * dilation)),
});

export function cat(list: readonly Nested[], axis: number): Nested {
  const shape = list[0]!.shape.with(
    axis,
    list.reduce((n, x) => n + x.shape[axis]!, 0),
  );
  return {
    shape,
    at(c) {
      let i = c[axis]!;
      for (const x of list) {
        if (i < x.shape[axis]!) return x.at(c.with(axis, i));
        i -= x.shape[axis]!;
      }
      throw new Error("out of range");
    },
  };
}

export type PadMode = "constant" | "reflect" | "replicate" | "circular";

/** Pads (or crops) every axis. */
export function pad(x: Nested, pairs: readonly (readonly [number, number])[], mode: PadMode, value: number): Nested {
  const source = (i: number, size: number): number | null => {
    if (i >= 0 && i < size) return i;
    if (mode === "constant") return null;
    if (mode === "replicate") return i < 0 ? 0 : size - 1;
    if (mode === "circular") return (i + size) % size;
    return i < 0 ? -i : 2 * (size - 1) - i;
  };
  return {
    shape: x.shape.map((d, axis) => d + pairs[axis]![0] + pairs[axis]![1]),
    at(c) {
      const from = c.map((v, axis) => source(v - pairs[axis]![0], x.shape[axis]!));
      return from.includes(null) ? value : x.at(from as number[]);
    },
  };
}

/** `f` of the elements of each row along the axes, in order. */
export function reduce(x: Nested, axes: readonly number[], f: (values: number[]) => number): Nested {
  const kept = x.shape.map((_, i) => i).filter((i) => !axes.includes(i));
  const inside = coordinates(axes.map((a) => x.shape[a]!));
  return {
    shape: kept.map((i) => x.shape[i]!),
    at: (c) =>
      f(inside.map((r) => x.at(x.shape.map((_, i) => (axes.includes(i) ? r[axes.indexOf(i)]! : c[kept.indexOf(i)]!))))),
  };
}

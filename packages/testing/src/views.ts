// Random chains of view ops, for property tests: the same chain on a Tensor and on a function of coordinates.

import {
  expand,
  flip,
  permute,
  reshape,
  select,
  sizeOf,
  slice,
  slidingWindow,
  squeeze,
  type Tensor,
  tensor,
  transpose,
  unsqueeze,
} from "@nn/tensor";
import fc from "fast-check";
import { expect } from "vitest";
import * as naive from "./nested.js";
import { flatten, type Nested, nested } from "./nested.js";

/** One step; its numbers mean something only together with the shape it meets. */
export interface Move {
  readonly kind: keyof typeof moves;
  readonly numbers: readonly number[];
}

export interface Pair {
  readonly real: Tensor;
  readonly naive: Nested;
}

/** No chain makes more elements than this. */
const LIMIT = 600;

/** Carries out a chain on both. */
export function follow(pair: Pair, chain: readonly Move[]): Pair {
  return chain.reduce((p, { kind, numbers }) => {
    let next = 0;
    // A number from `low` to `high`.
    const within = (low: number, high: number): number =>
      low + (numbers[next++ % numbers.length]! % Math.max(1, high - low + 1));
    return moves[kind](p, within);
  }, pair);
}

/** A chain on the tensor alone: what is compiled and differentiated. */
export function followReal(x: Tensor, chain: readonly Move[]): Tensor {
  return follow({ real: x, naive: naive.nested(x.shape, new Array(sizeOf(x.shape)).fill(0)) }, chain).real;
}

type Within = (low: number, high: number) => number;

const moves = {
  permute({ real, naive: x }, within) {
    const left = x.shape.map((_, i) => i);
    const axes = x.shape.map(() => left.splice(within(0, left.length - 1), 1)[0]!);
    return { real: permute(real, axes), naive: naive.permute(x, axes) };
  },
  transpose({ real, naive: x }, within) {
    if (x.shape.length < 2) return { real, naive: x };
    const [a, b] = [within(0, x.shape.length - 1), within(0, x.shape.length - 1)];
    const axes = x.shape.map((_, i) => (i === a ? b : i === b ? a : i));
    return { real: transpose(real, a, b - x.shape.length), naive: naive.permute(x, axes) };
  },
  slice({ real, naive: x }, within) {
    const ranges = x.shape.map((d) => {
      const bound = () => (within(0, 3) === 0 ? null : within(-d - 1, d + 1));
      const step = within(-3, 3) || 1;
      return [bound(), bound(), step] as const;
    });
    const chosen = x.shape.map((d, i) => naive.positions(d, ...ranges[i]!));
    return { real: slice(real, ranges), naive: naive.pick(x, chosen) };
  },
  flip({ real, naive: x }, within) {
    const axes = x.shape.flatMap((_, i) => (within(0, 1) === 1 ? [i] : []));
    const chosen = x.shape.map((d, i) => naive.positions(d, null, null, axes.includes(i) ? -1 : 1));
    return { real: flip(real, axes), naive: naive.pick(x, chosen) };
  },
  select({ real, naive: x }, within) {
    if (x.shape.length === 0) return { real, naive: x };
    const axis = within(0, x.shape.length - 1);
    const d = x.shape[axis]!;
    if (d === 0) return { real, naive: x };
    const i = within(-d, d - 1);
    const y: Nested = { shape: x.shape.toSpliced(axis, 1), at: (c) => x.at(c.toSpliced(axis, 0, (i + d) % d)) };
    return { real: select(real, axis, i), naive: y };
  },
  unsqueeze({ real, naive: x }, within) {
    const axis = within(0, x.shape.length);
    return { real: unsqueeze(real, axis), naive: naive.reshape(x, x.shape.toSpliced(axis, 0, 1)) };
  },
  squeeze({ real, naive: x }) {
    return {
      real: squeeze(real),
      naive: naive.reshape(
        x,
        x.shape.filter((d) => d !== 1),
      ),
    };
  },
  expand({ real, naive: x }, within) {
    const wide = x.shape.map((d) => (d === 1 ? within(1, 3) : d));
    const shape = within(0, 2) === 0 ? [2, ...wide] : wide;
    if (sizeOf(shape) > LIMIT || shape.length > 6) return { real, naive: x };
    return { real: expand(real, shape), naive: naive.expand(x, shape) };
  },
  reshape({ real, naive: x }, within) {
    let left = sizeOf(x.shape);
    if (left === 0) return { real, naive: x };
    const shape: number[] = [];
    while (left > 1 && shape.length < 4) {
      const divisors = Array.from({ length: left }, (_, i) => i + 1).filter((d) => left % d === 0);
      const d = divisors[within(0, divisors.length - 1)]!;
      shape.push(d);
      left /= d;
    }
    if (left > 1 || within(0, 2) === 0) shape.push(left);
    return { real: reshape(real, shape), naive: naive.reshape(x, shape) };
  },
  window({ real, naive: x }, within) {
    if (x.shape.length === 0 || x.shape.length > 4) return { real, naive: x };
    const axis = within(0, x.shape.length - 1);
    const [size, stride, dilation] = [within(1, 3), within(1, 3), within(1, 2)];
    if (dilation * (size - 1) + 1 > x.shape[axis]! || sizeOf(x.shape) * size > LIMIT) return { real, naive: x };
    return {
      real: slidingWindow(real, axis, size, stride, dilation),
      naive: naive.windows(x, axis, size, stride, dilation),
    };
  },
} satisfies Record<string, (p: Pair, within: Within) => Pair>;

// ── what is drawn ──────────────────────────────────────────────────────────────────────────────────

export const shapes = (maxRank = 4, least = 0): fc.Arbitrary<number[]> =>
  fc.array(
    fc.oneof({ weight: 12, arbitrary: fc.integer({ min: 1, max: 4 }) }, { weight: 1, arbitrary: fc.constant(least) }),
    { maxLength: maxRank },
  );

export const chains: fc.Arbitrary<Move[]> = fc.array(
  fc.record({
    kind: fc.constantFrom(...(Object.keys(moves) as (keyof typeof moves)[])),
    numbers: fc.array(fc.nat(1000), { minLength: 8, maxLength: 8 }),
  }),
  { maxLength: 5 },
);

/** Small whole numbers, so that sums are exact in any order. */
export const numbers = (shape: readonly number[], seed = 0): number[] =>
  Array.from({ length: sizeOf(shape) }, (_, i) => ((i * 7 + seed * 13) % 23) - 11);

// ── checking ───────────────────────────────────────────────────────────────────────────────────────

/** Checks a property, on as many examples as given. */
export async function check<T extends unknown[]>(runs: number, property: fc.IAsyncProperty<T>): Promise<void> {
  await fc.assert(property, { numRuns: runs });
}

export const pairOf = (shape: readonly number[], seed = 0): Pair => {
  const data = numbers(shape, seed);
  return { real: tensor(data, { shape }), naive: nested(shape, data) };
};

/** Shape and elements; 0 is −0. */
export async function same(real: Tensor, want: Nested): Promise<void> {
  expect(real.shape).toEqual(want.shape);
  expect(Array.from(await real.read(), (v) => v + 0)).toEqual(flatten(want).map((v) => v + 0));
}

/** A view of numbers: the end of a random chain. */
export const view = (shape: readonly number[], chain: readonly Move[], seed = 0) => follow(pairOf(shape, seed), chain);

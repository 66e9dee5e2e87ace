// Repeatable random cases for property tests: numbers, and the comparison of what came out.

import { type Backend, setBackend, type Tensor } from "@nn/tensor";
import { expect } from "vitest";

/** A whole number from `least` to `most`. */
export type Random = (least: number, most: number) => number;

/** The same numbers for the same seed. */
export function randomness(seed: number): Random {
  let state = seed;
  return (least, most) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return least + Math.floor((state / 2 ** 32) * (most - least + 1));
  };
}

export const chance = (random: Random, percent: number): boolean => random(1, 100) <= percent;

/** Fails where numbers differ by more than rounding, relative to the largest that is finite (at least 1). */
export function expectClose(got: ArrayLike<number>, want: ArrayLike<number>, what: string): void {
  expect(got.length).toBe(want.length);
  let scale = 1;
  for (let i = 0; i < want.length; i++) if (Number.isFinite(want[i]!)) scale = Math.max(scale, Math.abs(want[i]!));
  for (let i = 0; i < want.length; i++)
    if (!(Object.is(got[i], want[i]) || Math.abs(got[i]! - want[i]!) <= 2e-5 * scale))
      expect.fail(`${what}: at ${i} expected ${want[i]}, got ${got[i]}`);
}

/** Runs on every backend, and expects of the first what each of the others gives. */
export async function expectSame(
  what: string,
  [tested, ...others]: readonly Backend[],
  run: () => readonly Tensor[],
): Promise<void> {
  const resultsOn = (backend: Backend) => {
    setBackend(backend);
    return Promise.all(run().map((t) => t.read()));
  };
  const got = await resultsOn(tested!);
  for (const backend of others)
    for (const [i, want] of (await resultsOn(backend)).entries()) expectClose(got[i]!, want, `${i} of ${what}`);
}

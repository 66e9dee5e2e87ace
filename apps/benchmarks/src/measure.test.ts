import { expect, it } from "vitest";
import { FULL, measure, median, ONCE } from "./measure.js";

it("repeats as often as the protocol says, after warming up", async () => {
  let calls = 0;
  const run = () => void calls++;
  const protocol = { ...FULL, warmMs: 0, warmReps: 3, minMs: 0, minReps: 5 };
  const { median, min, reps } = await measure(run, protocol);
  expect([calls, reps]).toEqual([8, 5]);
  expect(min).toBeLessThanOrEqual(median);
});

it("waits for promises", async () => {
  let done = false;
  const run = () => new Promise<void>((resolve) => setTimeout(() => resolve(void (done = true)), 5));
  const { min, reps } = await measure(run, ONCE);
  expect([done, reps]).toEqual([true, 1]);
  expect(min).toBeGreaterThan(1);
});

it("stops a slow workload once it has run often enough", async () => {
  const run = () => new Promise((resolve) => setTimeout(resolve, 5));
  const { reps } = await measure(run, { ...FULL, warmMs: 0, warmReps: 0, maxMs: 1, enoughReps: 3 });
  expect(reps).toBe(3);
});

it("takes the upper of two middle values", () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 3, 2])).toBe(3);
});

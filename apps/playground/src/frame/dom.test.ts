// Calls that are not made too often.

import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { atMostEvery } from "./dom.js";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

it("calls once in a while, however often it is asked", async () => {
  const call = vi.fn();
  const ask = atMostEvery(100, call);
  for (let i = 0; i < 5; i++) ask();
  await vi.advanceTimersByTimeAsync(50);
  for (let i = 0; i < 5; i++) ask();
  await vi.advanceTimersByTimeAsync(500);
  expect(call).toHaveBeenCalledTimes(2);
});

it("never calls while a call is not done, and does not lose the last", async () => {
  let done = () => {};
  let running = 0;
  const call = vi.fn(async () => {
    expect(++running).toBe(1);
    await new Promise<void>((resolve) => {
      done = resolve;
    });
    running--;
  });
  const ask = atMostEvery(100, call);
  ask();
  await vi.advanceTimersByTimeAsync(1000);
  ask();
  ask();
  await vi.advanceTimersByTimeAsync(1000);
  expect(call).toHaveBeenCalledTimes(1);
  done();
  await vi.advanceTimersByTimeAsync(100);
  expect(call).toHaveBeenCalledTimes(2);
});

it("goes on after a call that failed", async () => {
  const call = vi.fn().mockRejectedValueOnce(new Error("once"));
  const failed = vi.fn();
  process.once("unhandledRejection", failed);
  const ask = atMostEvery(10, call);
  ask();
  await vi.advanceTimersByTimeAsync(50);
  ask();
  await vi.advanceTimersByTimeAsync(50);
  expect(call).toHaveBeenCalledTimes(2);
});

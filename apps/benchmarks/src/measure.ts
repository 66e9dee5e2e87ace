/**
 * The measuring protocol, the same as in the peers' scripts: warm up for 300 ms and at least twice, then repeat for
 * 700 ms and at least 10 times; a slow workload stops after 20 s, once it ran 3 times.
 */

/** Milliseconds. */
export interface Measured {
  readonly median: number;
  readonly min: number;
  readonly reps: number;
}

export interface Protocol {
  readonly warmMs: number;
  readonly warmReps: number;
  /** No more warming up than this. */
  readonly warmMaxMs: number;
  readonly minMs: number;
  readonly minReps: number;
  /** After this time, `enoughReps` will do. */
  readonly maxMs: number;
  readonly enoughReps: number;
  readonly maxReps: number;
}

export const FULL: Protocol = {
  warmMs: 300,
  warmReps: 2,
  warmMaxMs: 10_000,
  minMs: 700,
  minReps: 10,
  maxMs: 20_000,
  enoughReps: 3,
  maxReps: 2000,
};

/** One repetition, cold. */
export const ONCE: Protocol = { ...FULL, warmMs: 0, warmReps: 0, minMs: 0, minReps: 1 };

/** Times `run`, which may return a promise. */
export async function measure(run: () => unknown, protocol: Protocol = FULL): Promise<Measured> {
  const { warmMs, warmReps, warmMaxMs, minMs, minReps, maxMs, enoughReps, maxReps } = protocol;
  let start = performance.now();
  const since = () => performance.now() - start;
  for (let n = 0; (n < warmReps || since() < warmMs) && since() < warmMaxMs; n++) {
    const result = run();
    if (result instanceof Promise) await result; // no await where there is nothing to wait for: it costs time
  }
  const times: number[] = [];
  start = performance.now();
  for (;;) {
    const before = performance.now();
    const result = run();
    if (result instanceof Promise) await result;
    times.push(performance.now() - before);
    const n = times.length;
    const passed = since();
    if ((n >= minReps && passed >= minMs) || (n >= enoughReps && passed > maxMs) || n >= maxReps) break;
  }
  return { median: median(times), min: Math.min(...times), reps: times.length };
}

/** The middle value; of an even number of values the upper one, as the peers' scripts do. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

/** What a measurement becomes: one line of JSON, in the form that the peers' scripts print, too. */
import type { Measured } from "./measure.js";

/** Who ran it, and how. */
export interface Contender {
  readonly library: string;
  readonly backend: string;
  /** That really ran. */
  readonly threads: number;
}

export interface Result extends Contender {
  readonly workload: string;
  readonly median_ms: number;
  readonly min_ms: number;
  readonly reps: number;
  /** What follows from the median: `gflops`, `GBs`, `samples_s`, `tokens_s`; and `startup_ms`. */
  readonly derived: Readonly<Record<string, number>>;
}

export interface Failure extends Contender {
  readonly workload: string;
  readonly error: string;
}

export function resultOf(
  { library, backend, threads }: Contender,
  workload: string,
  { median, min, reps }: Measured,
  derived: Readonly<Record<string, number>>,
): Result {
  return { library, backend, threads, workload, median_ms: round(median, 5), min_ms: round(min, 5), reps, derived };
}

export function failureOf({ library, backend, threads }: Contender, workload: string, error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error);
  return { library, backend, threads, workload, error: message.slice(0, 600) };
}

export function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

/** What a measurement becomes: one line of JSON, in the same form for all libraries. */
import type { Measured } from "./measure.js";

/** Where it ran. */
export interface Where {
  readonly where: "node" | "chromium" | "python";
  readonly where_version: string;
}

/** The GPU, as far as its driver or the browser says. */
export interface Adapter {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
}

export function adapterOf(info: Partial<Adapter> | undefined): Adapter {
  const { vendor = "", architecture = "", device = "", description = "" } = info ?? {};
  return { vendor, architecture, device, description };
}

/** Who ran it, and how. */
export interface Contender extends Where {
  readonly library: string;
  readonly backend: string;
  /** That really ran. */
  readonly threads: number;
  readonly adapter?: Adapter;
}

export interface Result extends Contender {
  readonly workload: string;
  readonly median_ms: number;
  readonly min_ms: number;
  readonly reps: number;
  /** What follows from the median: `gflops`, `peak_percent`, `GBs`, `samples_s`, `tokens_s`; and `startup_ms`. */
  readonly derived: Readonly<Record<string, number>>;
}

export interface Failure extends Contender {
  readonly workload: string;
  readonly error: string;
}

export type Line = Result | Failure;

export function resultOf(
  contender: Contender,
  workload: string,
  { median, min, reps }: Measured,
  derived: Readonly<Record<string, number>>,
): Result {
  return { ...contender, workload, median_ms: round(median, 5), min_ms: round(min, 5), reps, derived };
}

export function failureOf(contender: Contender, workload: string, error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error);
  return { ...contender, workload, error: message.slice(0, 600) };
}

export function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

/** Reading what a measuring process printed, and bringing the rounds together. */
import { median } from "../measure.js";
import type { Failure, Line, Result } from "../result.js";

/** The row of the start-up times, which the libraries give beside infer_cnn_b1. */
export const STARTUP = "startup";

/** The results in a process's output; what is not one is left out: notes, banners, a line that was cut off. */
export function parseLines(output: string): Line[] {
  return output.split("\n").flatMap((text): Line[] => {
    if (!text.startsWith("{")) return [];
    try {
      return [JSON.parse(text) as Line];
    } catch {
      return [];
    }
  });
}

/** The lines, and each `startup_ms` in them as a result of its own. */
export function withStartups(lines: readonly Line[]): Line[] {
  return lines.flatMap((line): Line[] => {
    const ms = "error" in line ? undefined : line.derived["startup_ms"];
    if (ms === undefined) return [line];
    return [line, { ...(line as Result), workload: STARTUP, median_ms: ms, min_ms: ms, reps: 1, derived: {} }];
  });
}

/** One result from those of several rounds. */
export interface Summary extends Result {
  readonly rounds: number;
}

/**
 * For each library, backend and workload the median of the rounds' medians, with the figures derived in that round, and
 * the least of all times. An error stands only where no round succeeded.
 */
export function summarize(lines: readonly Line[]): (Summary | Failure)[] {
  const key = ({ library, backend, workload }: Line) => JSON.stringify([library, backend, workload]);
  const groups = new Map<string, Line[]>();
  for (const line of lines) groups.set(key(line), [...(groups.get(key(line)) ?? []), line]);
  return [...groups.values()].map((group) => {
    const results = group.filter((line): line is Result => !("error" in line));
    if (results.length === 0) return group[0] as Failure;
    const middle = median(results.map((r) => r.median_ms));
    const found = results.find((r) => r.median_ms === middle)!;
    const min_ms = Math.min(...results.map((r) => r.min_ms));
    const reps = results.reduce((sum, r) => sum + r.reps, 0);
    return { ...found, min_ms, reps, rounds: results.length };
  });
}

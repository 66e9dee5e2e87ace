/** Reading what a measuring process printed, and bringing the rounds together. */
import { median } from "../measure.js";
import type { Failure, Result } from "../result.js";

export type Line = Result | Failure;

/** The row of the start-up times, which the libraries print beside infer_cnn_b1. */
export const STARTUP = "startup";

/**
 * The results in a process's output; what is not one is left out. A `startup_ms` becomes a result of its own, and so
 * does the line `STARTUP n`, which the peers' scripts print instead of all else when the environment has QUICK.
 *
 * @param asked whether a workload was asked for: some scripts measure all of theirs
 * @param library whose `STARTUP n` it would be
 */
export function parseLines(output: string, asked: (workload: string) => boolean, library: string): Line[] {
  return output.split("\n").flatMap((text): Line[] => {
    const quick = /^STARTUP (\d+)/.exec(text);
    if (quick) return [startup({ library, backend: "", threads: 1 }, Number(quick[1]))];
    const line = parseLine(text);
    if (line === null || !asked(line.workload)) return [];
    const ms = "error" in line ? null : (line.derived?.["startup_ms"] ?? null);
    return ms === null ? [line] : [line, startup(line, ms)];
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
    const { library, backend, threads, workload, derived } = results.find((r) => r.median_ms === middle)!;
    const min_ms = Math.min(...results.map((r) => r.min_ms));
    const reps = results.reduce((sum, r) => sum + r.reps, 0);
    return { library, backend, threads, workload, median_ms: middle, min_ms, reps, derived, rounds: results.length };
  });
}

// ---------------------------------------------------------------------------------------------

/** Null for what is no result: notes, banners, a line that was cut off. */
function parseLine(text: string): Line | null {
  if (!text.startsWith("{")) return null;
  try {
    return JSON.parse(text) as Line;
  } catch {
    return null;
  }
}

function startup({ library, backend, threads }: Omit<Line, "workload">, ms: number): Result {
  return { library, backend, threads, workload: STARTUP, median_ms: ms, min_ms: ms, reps: 1, derived: {} };
}

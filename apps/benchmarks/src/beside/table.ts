/** The table of a side-by-side run. */
import type { Failure } from "../result.js";
import type { Summary } from "./lines.js";

/** A column: who, and all that was measured of them. The first is ours. */
export interface Column {
  readonly title: string;
  readonly summaries: readonly (Summary | Failure)[];
}

/** Of several ways in which a library ran a workload, the fastest. */
export function best(column: Column, workload: string): Summary | null {
  const found = column.summaries.filter((s): s is Summary => s.workload === workload && !("error" in s));
  return found.sort((a, b) => a.median_ms - b.median_ms)[0] ?? null;
}

/** Markdown: a row per workload, our time first, then each peer's with ours divided by theirs in brackets. */
export function table(columns: readonly Column[], workloads: readonly string[]): string {
  const rows = workloads.map((workload) => {
    const own = best(columns[0], workload);
    const cells = columns.map((column) => {
      const theirs = best(column, workload);
      if (!theirs) return column.summaries.some((s) => s.workload === workload) ? "error" : "–";
      const ratio = own && column !== columns[0] ? ` (${figure(own.median_ms / theirs.median_ms)})` : "";
      return figure(theirs.median_ms) + ratio;
    });
    return [workload, ...cells];
  });
  const head = ["median, ms", ...columns.map(({ title }) => title)];
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), `|${"---|".repeat(head.length)}`, ...rows.map(line)].join("\n");
}

/** Three digits: 0.0785, 1.75, 123, 1230. */
export function figure(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

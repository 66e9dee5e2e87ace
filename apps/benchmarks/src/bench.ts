/** Measures workloads one after the other, in Node and in a page alike; ours, and with their scripts the peers'. */
import { FULL, measure, ONCE } from "./measure.js";
import { type Contender, failureOf, type Line, resultOf, round } from "./result.js";
import type { Workload } from "./workload.js";

/** Where results and notes go. */
export interface Sink {
  line(line: Line): void;
  /** For people. */
  note(text: string): void;
}

/** Looks where the time of a case goes; what it returns is added to what is derived. */
export type Look = (name: string, run: () => unknown) => Promise<Readonly<Record<string, number>>>;

export async function bench(
  contender: Contender,
  workloads: readonly Workload[],
  { line, note }: Sink,
  { quick, look }: { quick: boolean; look?: Look },
): Promise<void> {
  let peak = 0;
  for (const { name, make } of workloads) {
    try {
      const { run, derived } = await make();
      const measured = await measure(run, quick ? ONCE : FULL);
      const figures: Record<string, number> = { ...derived(measured.median), ...(await look?.(name, run)) };
      if (name === "fma_peak") peak = figures["gflops"];
      else if (peak > 0 && name.startsWith("gemm"))
        figures["peak_percent"] = round((100 * figures["gflops"]) / peak, 1);
      line(resultOf(contender, name, measured, figures));
    } catch (error) {
      note(`${name}: ${error instanceof Error ? error.stack : error}\n`);
      line(failureOf(contender, name, error));
    }
  }
}

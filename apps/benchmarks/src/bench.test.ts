import { expect, it } from "vitest";
import { bench } from "./bench.js";
import type { Line } from "./result.js";
import { gflops, type Workload } from "./workload.js";

const contender = { where: "node", where_version: "24", library: "@nn", backend: "webgpu", threads: 1 } as const;

async function run(workloads: readonly Workload[]) {
  const lines: Line[] = [];
  let notes = "";
  await bench(
    contender,
    workloads,
    { line: (line) => void lines.push(line), note: (text) => (notes += text) },
    { quick: true },
  );
  return { lines, notes };
}

/** So many milliseconds, or more. */
const takes = (name: string, ms: number, operations: number): Workload => ({
  name,
  make: () => ({ run: () => new Promise((resolve) => setTimeout(resolve, ms)), derived: gflops(operations) }),
});

it("gives products as a share of the peak that was measured before them", async () => {
  const { lines } = await run([
    takes("gemm1", 1, 1e6),
    takes("fma_peak", 5, 1e8),
    takes("gemm2", 5, 1e7),
    takes("conv_a", 1, 1e6),
  ]);
  const figures = lines.map((line) => ("derived" in line ? line.derived : {}));
  expect(figures.map((f) => Object.keys(f))).toEqual([["gflops"], ["gflops"], ["gflops", "peak_percent"], ["gflops"]]);
  expect(figures[2].peak_percent).toBeCloseTo((100 * figures[2].gflops) / figures[1].gflops, 1);
});

it("goes on after a failure, and says what it was", async () => {
  const broken: Workload = {
    name: "broken",
    make() {
      throw new Error("no memory");
    },
  };
  const { lines, notes } = await run([broken, takes("gemm1", 1, 1e6)]);
  expect(lines).toMatchObject([
    { ...contender, workload: "broken", error: "no memory" },
    { workload: "gemm1", reps: 1 },
  ]);
  expect(notes).toMatch(/^broken: Error: no memory\n {4}at /);
});

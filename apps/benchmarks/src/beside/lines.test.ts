import { expect, it } from "vitest";
import { type Line, parseLines, summarize } from "./lines.js";
import { best, table } from "./table.js";

const result = (library: string, workload: string, ms: number, more: object = {}): Line => ({
  library,
  backend: "cpu",
  threads: 1,
  workload,
  median_ms: ms,
  min_ms: ms - 1,
  reps: 10,
  derived: { gflops: 100 / ms },
  ...more,
});

it("reads results among other output, and start-up times as results of their own", () => {
  const infer = result("jax", "infer_cnn_b1", 4, { derived: { startup_ms: 250 } });
  const printed = [result("jax", "gemm128", 2), result("jax", "gemm256", 3), infer].map((line) => JSON.stringify(line));
  const output = ["# a note", ...printed, '{"library":"ja'].join("\n");
  const lines = parseLines(output, (workload) => workload !== "gemm128", "jax");
  expect(lines.map(({ workload }) => workload)).toEqual(["gemm256", "infer_cnn_b1", "startup"]);
  expect(lines[2]).toMatchObject({ library: "jax", median_ms: 250, derived: {} });
  expect(parseLines("STARTUP 123\n", () => true, "tfjs")).toMatchObject([{ library: "tfjs", median_ms: 123 }]);
});

it("takes the median of the rounds, and an error only where no round succeeded", () => {
  const error = { library: "a", backend: "cpu", threads: 1, workload: "y", error: "no kernel" };
  const rounds = [result("a", "x", 5), result("a", "x", 3), result("a", "x", 4), result("a", "y", 6), error];
  expect(summarize(rounds)).toEqual([
    { ...result("a", "x", 4), min_ms: 2, reps: 30, rounds: 3 },
    { ...result("a", "y", 6), rounds: 1 },
  ]);
  expect(summarize([error, error])).toEqual([error]);
});

it("sets ours beside the peers' best", () => {
  const ours = { title: "@nn", summaries: summarize([result("@nn", "x", 2), result("@nn", "y", 250)]) };
  const jitted = result("jax", "x", 4, { backend: "jit" });
  const failed = { library: "jax", backend: "jit", threads: 1, workload: "y", error: "no kernel" };
  const jax = { title: "jax", summaries: summarize([result("jax", "x", 8), jitted, failed]) };
  expect(best(jax, "x")?.backend).toBe("jit");
  expect(table(ours, [jax, { title: "tfjs", summaries: [] }], ["x", "y"])).toBe(
    [
      "| median, ms | @nn | jax | tfjs |",
      "|---|---|---|---|",
      "| x | 2.00 | 4.00 (0.500) | – |",
      "| y | 250 | error | – |",
    ].join("\n"),
  );
});

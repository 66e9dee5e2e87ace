import { expect, it } from "vitest";
import type { Failure, Result } from "../result.js";
import { parseLines, summarize, withStartups } from "./lines.js";
import { best, table } from "./table.js";

const node = { where: "node", where_version: "24" } as const;
const result = (library: string, workload: string, median_ms: number, more: Partial<Result> = {}): Result => ({
  ...node,
  library,
  backend: "wasm",
  threads: 1,
  workload,
  median_ms,
  min_ms: median_ms / 2,
  reps: 10,
  derived: { gflops: 1 / median_ms },
  ...more,
});
const failure = (library: string, workload: string): Failure => {
  return { ...node, library, backend: "jit", threads: 1, workload, error: "no kernel" };
};

it("takes lines of JSON, and nothing else", () => {
  const line = result("jax", "gemm128", 2);
  expect(parseLines(`# banner\n${JSON.stringify(line)}\n{"cut off\n`)).toEqual([line]);
});

it("makes start-up times results of their own", () => {
  const line = result("tfjs", "infer_cnn_b1", 2, { derived: { startup_ms: 300 } });
  const startup = { workload: "startup", median_ms: 300, min_ms: 300, reps: 1, derived: {} };
  expect(withStartups([line, failure("jax", "x")])).toEqual([line, { ...line, ...startup }, failure("jax", "x")]);
});

it("takes the median of the rounds, with its figures; an error only where no round succeeded", () => {
  const rounds = [3, 1, 2].map((ms) => result("@nn", "x", ms));
  const [x, y] = summarize(
    [...rounds, failure("@nn", "y"), failure("@nn", "x")].map((l) => ({ ...l, backend: "wasm" })),
  );
  expect(x).toEqual({ ...rounds[2], min_ms: 0.5, reps: 30, rounds: 3 });
  expect(y).toMatchObject({ workload: "y", error: "no kernel" });
});

it("writes a table of ours and the peers' best", () => {
  const ours = { title: "@nn", summaries: summarize([result("@nn", "x", 2), result("@nn", "y", 250)]) };
  const jitted = result("jax", "x", 4, { backend: "jit" });
  const jax = { title: "jax", summaries: summarize([result("jax", "x", 8), jitted, failure("jax", "y")]) };
  expect(best(jax, "x")?.backend).toBe("jit");
  expect(table([ours, jax, { title: "tfjs", summaries: [] }], ["x", "y"])).toBe(
    [
      "| median, ms | @nn | jax | tfjs |",
      "|---|---|---|---|",
      "| x | 2.00 | 4.00 (0.500) | – |",
      "| y | 250 | error | – |",
    ].join("\n"),
  );
});

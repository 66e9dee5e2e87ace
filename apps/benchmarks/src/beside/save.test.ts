import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { parseOptions } from "../options.js";
import type { Result } from "../result.js";
import { missing, wanted } from "./install.js";
import { summarize } from "./lines.js";
import { commandOf, save } from "./save.js";

const line = (library: string, median_ms: number): Result => ({
  where: "node",
  where_version: "24",
  library,
  backend: "wasm",
  threads: 1,
  workload: "gemm128",
  median_ms,
  min_ms: median_ms,
  reps: 1,
  derived: {},
});

it("writes results, table, chart and machine", async () => {
  const folder = mkdtempSync(join(tmpdir(), "nn-results-"));
  try {
    const columns = [
      { title: "@nn", summaries: summarize([line("@nn", 2)]) },
      { title: "jax", summaries: summarize([line("jax-js-1", 40)]) },
    ];
    const options = parseOptions(["--peers", "jax", "--quick", "--save", folder]);
    const results = columns.flatMap(({ summaries }) => summaries);
    expect(await save(options, { columns, results, rows: ["gemm128"] })).toContain(folder.split("/").at(-1));

    const text = (name: string) => readFileSync(join(folder, name), "utf8");
    expect(
      text("results.jsonl")
        .trimEnd()
        .split("\n")
        .map((json) => JSON.parse(json).median_ms),
    ).toEqual([2, 40]);
    expect(JSON.parse(text("machine.json"))).toMatchObject({
      command: "npm run bench -- --peers jax --quick --save",
      libraries: ["@nn (wasm, threads: 1)", "jax-js-1 (wasm, threads: 1)"],
      hosts: ["node 24"],
    });
    expect(text("README.md")).toContain("| gemm128 | 2.00 | 40.0 (0.0500) |");
    expect(text("README.md")).toContain("a smoke test");
    const widths = [...text("chart.svg").matchAll(/<rect [^>]*width="([\d.]+)"/g)].map(([, width]) => Number(width));
    expect(widths).toHaveLength(2);
    expect(widths[1]).toBeGreaterThan(widths[0]);
    expect(text("chart.svg").match(/--ours\)/g)).toHaveLength(1); // one bar in colour
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it("says the command that measures the same again", () => {
  const command = "npm run bench -- --peers --only gemm --backend webgpu --threads 2 --rounds 5 --page --save";
  expect(commandOf(parseOptions(command.split(" ").slice(4)))).toBe(command);
});

it("installs what is not there", () => {
  expect(missing(tmpdir(), ["@jax-js/jax"])).toEqual(["@jax-js/jax"]);
  expect(missing(tmpdir(), [])).toEqual([]);
  expect(Object.values(wanted).every((version) => /^\d/.test(version))).toBe(true); // no ranges
});

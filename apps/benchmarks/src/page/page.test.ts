import { afterAll, describe, expect, it } from "vitest";
import { cli } from "../cli.js";
import { findBrowser } from "./chromium.js";

const found = await findBrowser();
if ("missing" in found) console.log(`tests of --page skipped: ${found.missing}`);

describe.skipIf("missing" in found)("in a page", () => {
  it("measures with threads, and says where", async () => {
    const { code, lines, stderr } = await run("--threads", "2", "--only", "gemm128,infer_cnn_b1");
    expect([code, stderr]).toEqual([0, ""]);
    expect(lines).toMatchObject([
      { where: "chromium", library: "@nn", backend: "wasm", threads: 2, workload: "infer_cnn_b1", reps: 1 },
      { where: "chromium", threads: 2, workload: "gemm128", derived: { gflops: expect.any(Number) } },
    ]);
    for (const { where_version } of lines) expect(where_version).toMatch(/^\d+\.\d/);
    expect(lines[0].derived.startup_ms).toBeGreaterThan(0);
  });

  it("measures on WebGPU, names the adapter, and gives products as a share of its peak", async () => {
    const { code, lines, stderr } = await run("--backend", "webgpu", "--software", "--only", "gemm128");
    expect([code, stderr]).toEqual([0, ""]);
    expect(lines.map(({ workload }) => workload)).toEqual(["fma_peak", "gemm128"]);
    for (const { adapter } of lines) expect(adapter).toMatchObject({ vendor: "google", architecture: "swiftshader" });
    expect(lines[0].derived.gflops).toBeGreaterThan(0);
    expect(lines[1].derived.peak_percent).toBeGreaterThanOrEqual(0);
  });
});

it("says that there is no Chromium", async () => {
  const { NN_CHROMIUM } = process.env;
  afterAll(() => {
    if (NN_CHROMIUM === undefined) delete process.env["NN_CHROMIUM"];
    else process.env["NN_CHROMIUM"] = NN_CHROMIUM;
  });
  process.env["NN_CHROMIUM"] = "/nowhere";
  const { code, stderr } = await run("--only", "gemm128");
  expect([code, stderr]).toEqual([1, "--page needs Chromium: apt-get install chromium, or set NN_CHROMIUM.\n"]);
});

// ---------------------------------------------------------------------------------------------

async function run(...args: string[]) {
  const written = { stdout: "", stderr: "" };
  const output = (name: "stdout" | "stderr") => ({ write: (text: string) => (written[name] += text) });
  const code = await cli(["--page", "--quick", ...args], { stdout: output("stdout"), stderr: output("stderr") });
  const lines = written.stdout.split("\n").filter(Boolean);
  return { code, lines: lines.map((line) => JSON.parse(line)), stderr: written.stderr };
}

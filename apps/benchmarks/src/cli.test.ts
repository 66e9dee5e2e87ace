import { expect, it } from "vitest";
import { cli } from "./cli.js";
import { groups, select } from "./workloads/index.js";

async function run(...args: string[]) {
  const written = { stdout: "", stderr: "" };
  const output = (name: "stdout" | "stderr") => ({ write: (text: string) => (written[name] += text) });
  const code = await cli(args, { stdout: output("stdout"), stderr: output("stderr") });
  return { code, ...written };
}

it("prints one line of JSON per workload, and nothing else", async () => {
  const only = ["--only", "gemm128,gemv1024_t"];
  const { code, stdout, stderr } = await run("--backend", "reference", "--threads", "2", "--quick", ...only);
  expect(code).toBe(0);
  expect(stderr).toBe("");
  const lines = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  const number = expect.any(Number);
  const where = { where: "node", where_version: process.versions.node };
  const common = {
    ...where,
    library: "@nn",
    backend: "reference",
    threads: 1,
    median_ms: number,
    min_ms: number,
    reps: 1,
  };
  expect(lines).toEqual([
    { ...common, workload: "gemm128", derived: { gflops: number } },
    { ...common, workload: "gemv1024_t", derived: { gflops: number, GBs: number } },
  ]);
});

it("trains, and gives the start-up time of the inference", async () => {
  const { stdout } = await run("--backend", "reference", "--quick", "--only", "infer_cnn_b1,train_mlp");
  const lines = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines.map((line) => line.workload)).toEqual(["infer_cnn_b1", "train_mlp"]);
  expect(lines.map((line) => line.derived)).toEqual([
    { startup_ms: expect.any(Number) },
    { samples_s: expect.any(Number) },
  ]);
});

it("lists the workloads", async () => {
  expect(await run("--list", "--only", "gru,conv_a")).toEqual({
    code: 0,
    stdout: "conv_a\ngru_b1\ngru_b32\n",
    stderr: "",
  });
});

it("says what is wrong, with exit code 1", async () => {
  const { code, stdout, stderr } = await run("--only", "sgemm,mm");
  expect([code, stdout]).toEqual([1, ""]);
  expect(stderr).toBe("--only sgemm,mm fits no workload of wasm. See npm run bench -- --list.\n");
});

it("names every workload once, as its group says", async () => {
  const names: string[] = [];
  for (const { beginnings, load } of groups) {
    for (const { name } of (await load()).workloads) {
      expect(
        beginnings.some((beginning) => name.startsWith(beginning)),
        name,
      ).toBe(true);
      names.push(name);
    }
  }
  expect(new Set(names).size).toBe(names.length);
  expect((await select([])).map(({ name }) => name)).toEqual(names);
});

it("runs on a backend what makes sense there", async () => {
  const names = async (...given: Parameters<typeof select>) => (await select(...given)).map(({ name }) => name);
  const small = ["gemm128", "gemm256", "gemm512", "gemm1024"];
  expect(await names(["gemm"], { backend: "reference" })).toEqual(small);
  expect(await names(["gemm"], { backend: "wasm" })).toEqual(["gemm_peak", ...small]);
  expect(await names(["gemm"], { backend: "webgpu", software: true })).toEqual(["fma_peak", ...small]);
  const large = ["gemm2048", "gemm2048_queued", "gemm4096", "gemm4096_queued"];
  expect(await names(["gemm"], { backend: "webgpu" })).toEqual(["fma_peak", ...small, ...large]);
  expect(await names(["gemm2048_queued"], { backend: "webgpu", software: true })).toEqual([
    "fma_peak",
    "gemm2048_queued",
  ]);
});

// Streams on WebAssembly: the bits of the whole sequence, with these kernels and without, fused multiply-add or not; and no garbage.

import { PerformanceObserver } from "node:perf_hooks";
import { type WasmBackend, wasm } from "@nn/backend-wasm";
import { Linear } from "@nn/layers";
import { compile, getBackend, manualSeed, setBackend, type Tensor, tensor, zeros } from "@nn/tensor";
import { afterAll, beforeAll, expect, it } from "vitest";
import { GRU, LSTM, stream } from "../index.js";
import { Model, outputOf, randomStream, stepsOf } from "../stream-cases.js";
import { recurrentKernels } from "./index.js";

const before = getBackend();
const backends: Record<string, WasmBackend> = {};
beforeAll(async () => {
  backends["kernels"] = await wasm({ threads: 1, kernels: recurrentKernels });
  backends["kernels, plain"] = await wasm({ threads: 1, relaxed: false, kernels: recurrentKernels });
  backends["no kernels"] = await wasm({ threads: 1 });
  backends["no kernels, plain"] = await wasm({ threads: 1, relaxed: false });
});
afterAll(() => setBackend(before));

it.each(["kernels", "kernels, plain", "no kernels", "no kernels, plain"])(
  "gives what the whole sequence gives, to the last bit, in 60 random cases: %s",
  (name) => {
    setBackend(backends[name]!);
    for (let i = 0; i < 60; i++) {
      const { model, x, rows, batchFirst, text } = randomStream(i);
      const live = stream(model, { rows });
      const want = outputOf(i % 2 ? compile(model.run) : model.run, x, batchFirst);
      expect(stepsOf(live, x, batchFirst), text).toEqual(want);
      live.dispose();
    }
  },
);

it("does so for sums in several blocks of k", () => {
  setBackend(backends["kernels"]!);
  manualSeed(1);
  const model = new Model(new GRU(800, 400), new Linear(400, 33));
  const x = tensor(
    Float32Array.from({ length: 4 * 800 }, (_, i) => Math.sin(i)),
    { shape: [4, 1, 800] },
  );
  expect(stepsOf(stream(model), x, false)).toEqual(outputOf(model.run, x, false));
});

it.each(["kernels", "no kernels"])("makes no garbage in 200,000 steps: %s", { timeout: 120_000 }, async (name) => {
  const { gc } = globalThis as { gc?: () => void };
  setBackend(backends[name]!);
  const live = stream(new Model(new LSTM(8, 12, { numLayers: 2 }), new Linear(12, 3)));
  const x = new Float32Array(8).fill(0.1);
  const run = (steps: number) => {
    for (let i = 0; i < steps; i++) live.step(x);
  };
  run(20_000);
  let collections = 0;
  const observer = new PerformanceObserver((list) => {
    collections += list.getEntries().length;
  });
  gc?.();
  await new Promise((resolve) => setTimeout(resolve, 50));
  observer.observe({ entryTypes: ["gc"] });
  const { heapUsed } = process.memoryUsage();
  run(200_000);
  const grown = process.memoryUsage().heapUsed - heapUsed;
  await new Promise((resolve) => setTimeout(resolve, 20));
  observer.disconnect();
  // One object of 16 bytes in each step would be 3.2 MB.
  expect(grown).toBeLessThan(200_000);
  expect(collections).toBeLessThanOrEqual(1);
});

it("goes on when the memory grows and is somewhere else", () => {
  const backend = backends["kernels"]!;
  setBackend(backend);
  const live = new GRU(3, 4).stream();
  const x = Float32Array.of(1, -1, 2);
  const want = [1, 2, 3, 4].map(() => [...live.step(x)]);
  live.reset();
  const got: number[][] = [];
  const held: Tensor[] = [];
  const { buffer } = backend.memory;
  for (let i = 0; i < 4; i++) {
    got.push([...live.step(x)]);
    while (i === 1 && backend.memory.buffer === buffer) held.push(zeros([1 << 18]));
  }
  for (const t of held) t.dispose();
  expect(got).toEqual(want);
});

it("sees weights that change: what is packed is packed anew", () => {
  setBackend(backends["kernels"]!);
  const gru = new GRU(3, 4);
  const live = gru.stream();
  const x = tensor([[[1, -1, 2]]]);
  for (const factor of [1, 2, 0.5]) {
    for (const v of gru.parameters()) v.value = v.value.mul(factor);
    live.reset();
    expect(stepsOf(live, x, false)).toEqual(outputOf((x) => gru.forward(x).output, x, false));
  }
});

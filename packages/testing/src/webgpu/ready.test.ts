// A step that was made ready compiles nothing when it runs; batches are uploaded while steps run; reads reuse their buffers.

import type { CompileProgress, WebgpuBackend } from "@nn/backend-webgpu";
import { crossEntropy, Linear } from "@nn/layers";
import { Adam } from "@nn/optim";
import { compile, Module, manualSeed, reference, setBackend, type Tensor, tensor } from "@nn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { webgpuHere, whyNoWebgpu } from "../webgpu.js";

class Net extends Module {
  readonly first = new Linear(6, 8);
  readonly second = new Linear(8, 3);
  override forward(x: Tensor): Tensor {
    return this.second.forward(this.first.forward(x).relu());
  }
}

function training() {
  manualSeed(1);
  const net = new Net();
  const optimizer = new Adam(net.parameters(), { lr: 0.01 });
  return compile((x: Tensor, y: Tensor) => optimizer.minimize(() => crossEntropy(net.forward(x), y)));
}

const batch = (i: number) => {
  const x = tensor(
    Float32Array.from({ length: 24 }, (_, k) => Math.sin(k * (i + 1))),
    { shape: [4, 6] },
  );
  return [x, tensor([i % 3, (i + 1) % 3, 2, 0], { dtype: "i32" })] as const;
};

const missing = await whyNoWebgpu();
describe.skipIf(missing)(`readiness${missing ? ` (${missing})` : ""}`, () => {
  let backend: WebgpuBackend;
  const progress: CompileProgress[] = [];
  beforeAll(async () => {
    backend = await webgpuHere({ onCompile: (p) => progress.push(p) });
    setBackend(backend);
  });
  afterAll(() => {
    setBackend(reference());
    backend.dispose();
  });

  /** How often a method of the device is called meanwhile. */
  const countOf = async (method: "createBuffer" | "createComputePipeline", body: () => unknown): Promise<number> => {
    const { device } = backend;
    const known = device[method].bind(device) as (...args: unknown[]) => unknown;
    let count = 0;
    Object.assign(device, {
      [method]: (...args: unknown[]) => {
        count++;
        return known(...args);
      },
    });
    await body();
    Object.assign(device, { [method]: known });
    return count;
  };

  it("compiles all of a step in the background, and tells how far it is", async () => {
    const step = training();
    const [x, y] = batch(0);
    progress.length = 0;
    const inBackground = await countOf("createComputePipeline", () => step.ready(x, y));
    const total = progress.length;
    expect(total).toBeGreaterThan(5);
    expect(progress.map(({ done, total }) => [done, total])).toEqual(progress.map((_, i) => [i + 1, total]));
    expect(progress.map(({ name }) => name)).toContain("matmul");
    expect(inBackground).toBe(0);
    // Neither at the first step, whose updates lie over the old values.
    const atFirst = await countOf("createComputePipeline", async () => {
      for (let i = 0; i < 3; i++) await step(x, y).item();
    });
    expect(atFirst).toBe(0);
  });

  it("uploads the next batch while a step runs, also into a buffer that it reads", async () => {
    const losses = async (waits: boolean) => {
      const step = training();
      const results: Tensor[] = [];
      for (let i = 0; i < 6; i++) {
        const [x, y] = batch(i);
        const loss = step(x, y);
        x.dispose(); // its buffer is the next batch's
        y.dispose();
        results.push(loss);
        if (waits) await loss.read();
      }
      return Promise.all(results.map((t) => t.item()));
    };
    const want = await losses(true);
    expect(new Set(want).size).toBe(6);
    expect(await losses(false)).toEqual(want);
  });

  it("reads through buffers that it keeps", async () => {
    const list = [batch(0)[0], batch(1)[0], batch(2)[1]];
    const all = () => Promise.all(list.map((t) => t.read()));
    const want = await all();
    const made = await countOf("createBuffer", async () => {
      for (let i = 0; i < 3; i++) expect(await all()).toEqual(want);
    });
    expect(made).toBe(0);
  });
});

// A compiled training step is one submission, and from the third on makes nothing on the device: of the backend alone, and
// with the kernel packs, which make it of far fewer dispatches.

import type { WgslKernel } from "@nn/backend-webgpu";
import { crossEntropy } from "@nn/layers";
import { Adam, SGD } from "@nn/optim";
import { compile, manualSeed, memory, reference, setBackend, sizeOf, type Tensor, tensor } from "@nn/tensor";
import { afterAll, describe, expect, it } from "vitest";
import { webgpuPacks } from "../backends.js";
import { webgpuHere, whyNoWebgpu } from "../webgpu.js";
import { Classifier, LeNet } from "./nets.js";

const programs = {
  LeNet: () => {
    const net = new LeNet();
    const optimizer = new SGD(net.parameters(), { lr: 0.05, momentum: 0.9 });
    const step = compile((x: Tensor, y: Tensor) => optimizer.minimize(() => crossEntropy(net.forward(x), y)));
    return { step, x: [2, 1, 28, 28], classes: 10 };
  },
  LSTM: () => {
    const net = new Classifier();
    const optimizer = new Adam(net.parameters(), { lr: 1e-3 });
    const step = compile((x: Tensor, y: Tensor) => optimizer.minimize(() => crossEntropy(net.forward(x), y)));
    return { step, x: [4, 6, 5], classes: 4 };
  },
};

const missing = await whyNoWebgpu();
describe.skipIf(missing)(`compiled steps${missing ? ` (${missing})` : ""}`, () => {
  afterAll(() => setBackend(reference()));

  it.each(Object.keys(programs))("%s", { timeout: 240_000 }, async (name) => {
    const alone = await trace(name, []);
    const packed = await trace(name, webgpuPacks);
    console.log(`${name}: a step is ${alone} dispatches, with the packs ${packed}`);
    expect(packed).toBeLessThan(alone);
  });

  /** Runs five steps, and returns the number of dispatches of one. */
  async function trace(name: string, kernels: readonly WgslKernel[]): Promise<number> {
    const losses = async (count: (step: number) => void) => {
      manualSeed(1);
      const { step, x: shape, classes } = programs[name as keyof typeof programs]();
      const list: number[] = [];
      for (let i = 0; i < 5; i++) {
        const x = tensor(
          Float32Array.from({ length: sizeOf(shape) }, (_, k) => Math.sin(k * (i + 1))),
          { shape },
        );
        const y = tensor(Int32Array.from({ length: shape[0]! }, (_, k) => (k * (i + 1)) % classes));
        const loss = step(x, y);
        count(i);
        list.push(await loss.item());
        for (const t of [x, y, loss]) t.dispose();
      }
      return list;
    };
    setBackend(reference());
    const want = await losses(() => undefined);

    const backend = await webgpuHere({ kernels });
    setBackend(backend);
    const { device } = backend;
    const calls = new Map<string, number>();
    const wrap = (on: object, method: string) => {
      const known = (on as Record<string, (...args: unknown[]) => unknown>)[method]!.bind(on);
      Object.assign(on, {
        [method]: (...args: unknown[]) => {
          calls.set(method, (calls.get(method) ?? 0) + 1);
          return known(...args);
        },
      });
    };
    for (const method of ["createBuffer", "createBindGroup", "createComputePipeline", "createShaderModule"])
      wrap(device, method);
    wrap(device.queue, "submit");
    let dispatches = 0;
    const createCommandEncoder = device.createCommandEncoder.bind(device);
    device.createCommandEncoder = (given) => {
      const encoder = createCommandEncoder(given);
      const beginComputePass = encoder.beginComputePass.bind(encoder);
      encoder.beginComputePass = (given) => {
        const pass = beginComputePass(given);
        const dispatch = pass.dispatchWorkgroups.bind(pass);
        pass.dispatchWorkgroups = (...size) => {
          dispatches++;
          dispatch(...size);
        };
        return pass;
      };
      return encoder;
    };
    const counts: number[] = [];
    const seen: Record<string, number>[] = [];
    const bytes: number[] = [];
    const got = await losses(() => {
      seen.push(Object.fromEntries(calls));
      counts.push(dispatches);
      bytes.push(memory().bytes + memory().plans);
    });
    got.forEach((loss, i) => {
      expect(Math.abs(loss - want[i]!), `loss ${i}`).toBeLessThan(1e-4);
    });
    // Between the second step and the last: a submission for each step, and one for each loss that was read.
    for (const i of [2, 3, 4]) expect(seen[i]).toEqual({ ...seen[1], submit: seen[1]!["submit"]! + 2 * (i - 1) });
    for (const n of bytes.slice(2)) expect(n).toBeLessThanOrEqual(bytes[1]!); // less where the collector has found something
    backend.dispose();
    return counts[4]! - counts[3]!;
  }
});

// Programs with f16, and all other optional features, on Dawn's null device, which has them: it compiles every shader and checks every call, and
// computes nothing. What f16 computes is tested in f16-values.test.ts, and beside the backend (variants.test.ts).

import {
  f16,
  moduleText,
  type WebgpuBackend,
  type WebgpuOptions,
  type WgslKernel,
  type WgslPass,
  webgpu,
  webgpuKernels,
  withF16,
} from "@nn/backend-webgpu";
import { AvgPool2d, Conv2d, MaxPool2d } from "@nn/conv";
import { BatchNorm2d, crossEntropy, Linear } from "@nn/layers";
import { Adam, GradScaler } from "@nn/optim";
import { GRU, LSTM, RNN } from "@nn/recurrent";
import { compile, cumsum, Module, memory, randn, reference, setBackend, type Tensor, tensor } from "@nn/tensor";
import { afterAll, describe, expect, it } from "vitest";
import { webgpuPacks } from "../backends.js";

class Net extends Module {
  readonly conv = new Conv2d(1, 6, 5);
  readonly depthwise = new Conv2d(6, 6, 3, { groups: 6, padding: 1 });
  readonly norm = new BatchNorm2d(6);
  readonly pool = new MaxPool2d(2);
  readonly rnn = new GRU(36, 16, { batchFirst: true });
  readonly last = new Linear(16, 3);
  override forward(x: Tensor): Tensor {
    x = this.pool.forward(this.norm.forward(this.depthwise.forward(this.conv.forward(x))).relu()); // (N, 6, 6, 6)
    return this.last.forward(this.rnn.forward(x.reshape([x.shape[0]!, 6, 36])).output.select(1, -1));
  }
}

const gpu = await nullGpu(); // what it gives lives no longer than itself
describe.skipIf(!gpu)(`f16 on a device that computes nothing${gpu ? "" : " (no package webgpu here)"}`, () => {
  const open: WebgpuBackend[] = [];
  afterAll(() => {
    setBackend(reference());
    for (const backend of open) backend.dispose();
  });

  it.each([true, false])("all of a training step compiles and is accepted, with packs: %s", async (packed) => {
    const backend = await webgpu({
      adapter: (await gpu!.requestAdapter())!,
      f16,
      kernels: packed ? webgpuPacks : [],
    });
    open.push(backend);
    setBackend(backend);
    const uses = { f16: 0, stores: 0, subgroups: 0 };
    const { createShaderModule } = backend.device;
    backend.device.createShaderModule = (given) => {
      if (given.code.startsWith("enable f16;")) uses.f16++;
      if (STORES.test(given.code)) uses.stores++;
      if (given.code.startsWith("enable subgroups;")) uses.subgroups++;
      return createShaderModule.call(backend.device, given);
    };
    const net = new Net();
    const optimizer = new Adam(net.parameters());
    const scaler = new GradScaler();
    const step = compile((x: Tensor, y: Tensor) =>
      scaler.minimize(optimizer, () => crossEntropy(net.forward(x), y), { transform: (g) => g }),
    );
    const [x, y] = [randn([64, 1, 16, 16]), tensor(new Int32Array(64))];
    await step.ready(x, y);
    for (let i = 0; i < 2; i++) await step(x, y).read(); // throws what the device has found wrong
    expect(uses.f16).toBeGreaterThan(packed ? 6 : 3);
    expect(uses.stores).toBeGreaterThan(packed ? 12 : 3);
    expect(uses.subgroups).toBeGreaterThan(0);
  });

  it("every text is accepted with all its numbers as f16, though not all of them are that large", async () => {
    const passes: WgslPass[] = [];
    const kernels = [...webgpuPacks, ...webgpuKernels].map((kernel: WgslKernel) => ({
      ...kernel,
      emit(signature: never) {
        const code = kernel.emit(signature);
        passes.push(...code.passes);
        return code;
      },
    }));
    const backend = await webgpu({ adapter: (await gpu!.requestAdapter())!, f16, kernels });
    open.push(backend);
    setBackend(backend);
    const net = new Other();
    const optimizer = new Adam(net.parameters());
    const step = compile((x: Tensor) => optimizer.minimize(() => net.forward(x).softmax(1).square().sum()));
    await step(randn([6, 3, 8, 8])).read();
    const { device } = backend;
    let texts = 0;
    for (const pass of new Set(passes)) {
      const half = pass.bindings.filter(
        ({ name, type, half }) => name !== "scratch" && half !== false && (type === "f32" || type === "vec4f"),
      );
      for (const text of [pass.text, pass.withSubgroups]) {
        if (!text) continue;
        const code = moduleText(withF16({ ...pass, text }, [...(pass.tiles ?? []), ...half.map(({ name }) => name)]));
        device.pushErrorScope("validation");
        const module = device.createShaderModule({ code });
        device.createComputePipeline({ layout: "auto", compute: { module } });
        expect((await device.popErrorScope())?.message, code).toBeUndefined();
        if (STORES.test(code)) texts++;
      }
    }
    expect(texts).toBeGreaterThan(60);
  });

  it("a step of LeNet takes less memory", async () => {
    const bytes = async (options: WebgpuOptions) => {
      const backend = await webgpu({ adapter: (await gpu!.requestAdapter())!, kernels: webgpuPacks, ...options });
      open.push(backend);
      setBackend(backend);
      const net = new LeNet();
      const optimizer = new Adam(net.parameters());
      const step = compile((x: Tensor, y: Tensor) => optimizer.minimize(() => crossEntropy(net.forward(x), y)));
      const before = memory().plans;
      step(randn([64, 1, 28, 28]), tensor(new Int32Array(64)));
      return memory().plans - before;
    };
    const [without, withIt] = [await bytes({}), await bytes({ f16 })];
    console.log(`LeNet, 64 images: temporary values of a step ${without} bytes, with f16 ${withIt}`);
    expect(withIt).toBeLessThan(0.65 * without);
  });
});

/** What {@link Net} has not. */
class Other extends Module {
  readonly conv = new Conv2d(3, 6, 3, { padding: 1 });
  readonly depthwise = new Conv2d(6, 6, 3, { groups: 6 });
  readonly mean = new AvgPool2d(2);
  readonly pool = new MaxPool2d(3, { stride: 1, padding: 1 });
  readonly lstm = new LSTM(3, 5);
  readonly rnn = new RNN(5, 400);
  readonly gru = new GRU(400, 4);
  readonly last = new Linear(4, 4);
  override forward(x: Tensor): Tensor {
    x = this.conv
      .forward(x)
      .relu()
      .add(this.pool.forward(this.conv.forward(x)));
    x = this.mean.forward(this.depthwise.forward(x)).reshape([-1, 6, 3]);
    x = this.gru.forward(this.rnn.forward(this.lstm.forward(x).output).output).output;
    return this.last.forward(cumsum(x, 0).max(0));
  }
}

class LeNet extends Module {
  readonly conv1 = new Conv2d(1, 6, 5, { padding: 2 });
  readonly conv2 = new Conv2d(6, 16, 5);
  readonly pool = new MaxPool2d(2);
  readonly last = [new Linear(400, 120), new Linear(120, 84), new Linear(84, 10)];
  override forward(x: Tensor): Tensor {
    x = this.pool.forward(this.conv1.forward(x).relu());
    x = this.pool.forward(this.conv2.forward(x).relu()).flatten(1);
    return this.last.reduce((x, layer, i) => layer.forward(i === 0 ? x : x.relu()), x);
  }
}

/** Arrays of f16 among the bindings. */
const STORES = /> (in|out)\d+: array<(f16|vec4h)>/;

/** Of Node's package: no driver is needed. */
async function nullGpu(): Promise<GPU | null> {
  const name = "webgpu";
  try {
    return (await import(name)).create(["backend=null"]);
  } catch {
    return null;
  }
}

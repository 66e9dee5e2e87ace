// Programs with f16, and all other optional features, on Dawn's null device, which has them: it compiles every shader and checks every call, and
// computes nothing. What f16 computes is tested beside the backend (variants.test.ts).

import { type WebgpuBackend, webgpu } from "@nn/backend-webgpu";
import { Conv2d, MaxPool2d } from "@nn/conv";
import { BatchNorm2d, crossEntropy, Linear } from "@nn/layers";
import { Adam, GradScaler } from "@nn/optim";
import { GRU } from "@nn/recurrent";
import { compile, Module, randn, reference, setBackend, type Tensor, tensor } from "@nn/tensor";
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
describe.skipIf(!gpu)("f16 on a device that computes nothing", () => {
  const open: WebgpuBackend[] = [];
  afterAll(() => {
    setBackend(reference());
    for (const backend of open) backend.dispose();
  });

  it.each([true, false])("all of a training step compiles and is accepted, with packs: %s", async (packed) => {
    const backend = await webgpu({
      adapter: (await gpu!.requestAdapter())!,
      f16: true,
      kernels: packed ? webgpuPacks : [],
    });
    open.push(backend);
    setBackend(backend);
    const uses = { f16: 0, subgroups: 0 };
    const { createShaderModule } = backend.device;
    backend.device.createShaderModule = (given) => {
      if (given.code.startsWith("enable f16;")) uses.f16++;
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
    expect(uses.subgroups).toBeGreaterThan(0);
  });
});

/** Of Node's package: no driver is needed. */
async function nullGpu(): Promise<GPU | null> {
  const name = "webgpu";
  try {
    return (await import(name)).create(["backend=null"]);
  } catch {
    return null;
  }
}

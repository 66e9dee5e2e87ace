// What goes wrong on the device ends in one clear error, and leaves a library that works.

import {
  eachElement,
  gpuBufferOf,
  hostCopy,
  type WebgpuBackend,
  type WgslKernel,
  webgpu,
  writes,
} from "@nn/backend-webgpu";
import { Dropout, Linear, mse } from "@nn/layers";
import { Adam, SGD } from "@nn/optim";
import {
  compile,
  grad,
  Module,
  manualSeed,
  NNError,
  ones,
  rand,
  reference,
  setBackend,
  sizeOf,
  type Tensor,
  tensor,
} from "@nn/tensor";
import { dataset, fit, loadCheckpoint, loader, memoryStore, type Store, saveLast } from "@nn/train";
import { afterEach, describe, expect, it } from "vitest";
import { webgpuHere, whyNoWebgpu } from "../webgpu.js";

class Net extends Module {
  readonly first = new Linear(3, 8);
  override forward(x: Tensor): Tensor {
    return this.first.forward(x).tanh();
  }
}

function training(): () => Promise<number> {
  manualSeed(1);
  const net = new Net();
  const optimizer = new SGD(net.parameters(), { lr: 0.1 });
  const [x, y] = [rand([4, 3]), rand([4, 8])];
  const step = compile((a: Tensor, b: Tensor) => optimizer.minimize(() => mse(net.forward(a), b)));
  return async () => await step(x, y).item();
}

const failure = async (body: () => unknown): Promise<NNError> => {
  try {
    await body();
  } catch (e) {
    expect(e).toBeInstanceOf(NNError);
    return e as NNError;
  }
  throw new Error("nothing was thrown");
};

const missing = await whyNoWebgpu();
describe.skipIf(missing)(`when the device fails${missing ? ` (${missing})` : ""}`, () => {
  afterEach(() => setBackend(reference()));

  it("says that the device was lost, and trains on a new one", async () => {
    const lost = await webgpuHere();
    setBackend(lost);
    const step = training();
    const before = [await step(), await step()];
    const kept = ones([2]);
    const reading = kept.add(1).read();
    lost.device.destroy();
    expect((await failure(() => reading)).message).toMatch(/read: expected a working device, got one that was lost/);
    for (const use of [step, () => kept.read(), () => kept.add(1), () => ones([3]), () => tensor([1])])
      expect((await failure(use)).message).toMatch(/lost \(destroyed.*await webgpu\(\)/);
    kept.dispose();

    setBackend(reference());
    expect(await ones([2]).sum().item()).toBe(2);
    const again = await webgpuHere();
    setBackend(again);
    const anew = training();
    expect([await anew(), await anew()]).toEqual(before);
    again.dispose();
  });

  it("goes on from the last copy on the host, with the same objects and the same bits", async () => {
    const train = async (first: WebgpuBackend, losesAt = -1) => {
      let backend = first;
      setBackend(backend);
      manualSeed(1);
      const net = new Net();
      const optimizer = new Adam(net.parameters(), { lr: 0.01 });
      const dropout = new Dropout(0.5);
      const [x, y] = [await rand([4, 3]).read(), await rand([4, 8]).read()];
      const step = compile((a: Tensor, b: Tensor) => optimizer.minimize(() => mse(dropout.forward(net.forward(a)), b)));
      const losses: number[] = [];
      let copy = { of: 0, copy: await hostCopy(net, optimizer) };
      for (let i = 0; i < 8; ) {
        if (i === 4) optimizer.lr = 0.02;
        try {
          if (i === losesAt) backend.device.destroy();
          const saving = i % 3 === 0 ? hostCopy(net, optimizer) : null; // while the next step runs
          saving?.catch(() => undefined); // the step tells it, too
          const loss = step(tensor(x, { shape: [4, 3] }), tensor(y, { shape: [4, 8] }));
          if (saving) copy = { of: i, copy: await saving };
          losses[i] = await loss.item();
          i++;
        } catch (e) {
          expect((e as Error).message).toMatch(/lost/);
          expect(backend.isLost).toBe(true);
          losesAt = -1;
          backend = await webgpuHere();
          setBackend(backend);
          copy.copy.restore();
          i = copy.of;
        }
      }
      const { lr } = optimizer;
      const weights = [...(await net.first.weight.value.read())];
      backend.dispose();
      return { losses, weights, lr };
    };
    const want = await train(await webgpuHere());
    expect(await train(await webgpuHere(), 5)).toEqual(want); // copied before step 3
    expect(await train(await webgpuHere(), 6)).toEqual(want);
  });

  it("goes on from the last checkpoint in memory, on a new device, with the same bits", async () => {
    const train = async (backend: WebgpuBackend, store: Store, losesAt = -1): Promise<number[]> => {
      setBackend(backend);
      manualSeed(1);
      const net = new Net();
      const data = dataset(rand([24, 3]), rand([24, 8]));
      await fit(net, {
        loss: mse,
        optimizer: new Adam(net.parameters(), { lr: 0.01 }),
        data: loader(data, { batchSize: 4, shuffle: true, seed: 1 }),
        epochs: 3,
        callbacks: [
          saveLast(store, { everySteps: 2 }),
          (event) => {
            if (event.type === "step" && event.step === losesAt) backend.device.destroy();
          },
        ],
        resume: await loadCheckpoint(store, "last"),
      });
      return [...(await net.first.weight.value.read())];
    };
    const one = await webgpuHere();
    const want = await train(one, memoryStore());
    const store = memoryStore();
    expect((await failure(() => train(one, store, 9))).message).toMatch(/lost/);
    const again = await webgpuHere();
    expect(await train(again, store)).toEqual(want);
    again.dispose();
  });

  it("says which kernel the device does not compile", async () => {
    const wrong: WgslKernel<object> = {
      op: "matmul",
      emit: ({ outs: [out] }) => ({
        name: "matmul",
        passes: [
          {
            text: eachElement(sizeOf(out!.shape), ["out0[i] = nonsense;"]),
            bindings: [writes("out0", "f32")],
            groups: 1,
          },
        ],
      }),
    };
    const { device } = await webgpuHere();
    const backend = await webgpu({ device, kernels: [wrong] });
    setBackend(backend);
    class Product extends Module {
      override forward(x: Tensor): Tensor {
        return x.matmul(x);
      }
    }
    class Outer extends Module {
      readonly inner = new Product();
      override forward(x: Tensor): Tensor {
        return this.inner.forward(x);
      }
    }
    const { message } = await failure(() => new Outer().forward(ones([2, 2])).read());
    expect(message).toMatch(/Product "inner": matmul: expected a kernel that this device compiles, got .*nonsense/);
    const compiled = compile((x: Tensor) => x.matmul(x));
    expect((await failure(() => compiled.ready(ones([2, 2])))).message).toMatch(/^matmul: expected a kernel/);
    // A compiled step knows the module, too, whoever calls it, and on the way back.
    const outer = new Outer();
    const inside = compile((x: Tensor) => outer.forward(x.mul(2)).exp());
    const { op, module } = await failure(() => inside.ready(ones([3, 3])));
    expect([op, module]).toEqual(["matmul", 'Product "inner"']);
    expect((await failure(() => inside(ones([4, 4])).read())).module).toBe('Product "inner"');
    const back = compile((x: Tensor) => grad(() => outer.forward(x).sum(), [x]));
    expect((await failure(() => back(ones([5, 5]))[0]!.read())).module).toBe('Product "inner"');
    expect(await ones([2]).add(1).toArray()).toEqual([2, 2]); // and goes on
    device.destroy();
  });

  it("says for what there was no memory", async () => {
    const backend = await webgpuHere();
    setBackend(backend);
    const { maxStorageBufferBindingSize } = backend.device.limits;
    const { message } = await failure(() => ones([maxStorageBufferBindingSize]));
    expect(message).toMatch(/expected buffers of up to \d+ bytes.*got \d+ bytes for a tensor \(\d+\) f32/);

    // A device that has no more: its answers come later.
    const { popErrorScope } = backend.device;
    let answers = 0;
    backend.device.popErrorScope = async () => {
      await popErrorScope.call(backend.device);
      return answers++ === 1 ? ({ message: "Out of memory" } as GPUError) : null;
    };
    const x = ones([1234]);
    const { buffer } = gpuBufferOf(x);
    const later = await failure(() => x.read());
    expect(later.message).toMatch(/expected memory for a tensor \(1234\) f32, got Out of memory. .*smaller batches/);
    const m = ones([33, 33]);
    await m.read();
    answers = 0;
    class Softmax extends Module {
      override forward(x: Tensor): Tensor {
        return x.softmax(0);
      }
    }
    const softmax = new Softmax();
    const step = compile((x: Tensor) => softmax.forward(x).matmul(x)); // which has a temporary value
    const inside = await failure(() => step.ready(m).then(() => ones([1]).read()));
    expect(inside.message).toMatch(
      /^Softmax: webgpu: expected memory for a temporary value of softmax, got Out of memory/,
    );
    x.dispose();
    expect(gpuBufferOf(ones([1234])).buffer).not.toBe(buffer); // is not used again
    expect(await ones([1234]).sum().item()).toBe(1234);
    backend.dispose();
  });

  it("tells of work that the device refuses", async () => {
    const backend = await webgpuHere();
    setBackend(backend);
    const { createBindGroup } = backend.device;
    const labels: (string | undefined)[] = [];
    backend.device.createBindGroup = (given) => {
      labels.push(given.label);
      return createBindGroup.call(backend.device, given);
    };
    const net = new Net();
    compile((x: Tensor) => net.forward(x))(rand([2, 3]));
    expect(labels).toContain('Linear "first": matmul'); // which it then says
    backend.device.queue.writeBuffer(gpuBufferOf(ones([2])).buffer, 1 << 20, new Uint8Array(4));
    // A browser tells of what was done past the library when it has time to.
    const soon = async () => {
      for (let i = 0; i < 200; i++) {
        await ones([2]).read();
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    };
    expect((await failure(soon)).message).toMatch(/expected work that the device accepts, got/);
    expect(await ones([2]).toArray()).toEqual([1, 1]);
    backend.dispose();
  });

  it("reads only later", async () => {
    const backend = await webgpuHere();
    setBackend(backend);
    expect(() => ones([2]).readSync()).toThrow(/readSync: expected a backend whose memory is the host's own.*await/);
    backend.dispose();
  });
});

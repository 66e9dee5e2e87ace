// What programs compute with f16: activations are stored in it. No device of tests has it, so one that has none stands in, which is handed
// shaders whose f16 are f32 that are rounded to it. Beside the same programs in f32.

import { f16 as mixed, type WebgpuBackend, type WgslKernel, webgpu } from "@nn/backend-webgpu";
import { AvgPool2d, Conv2d, MaxPool2d } from "@nn/conv";
import { BatchNorm2d, crossEntropy, Linear } from "@nn/layers";
import { Adam, GradScaler, SGD } from "@nn/optim";
import { GRU, LSTM, RNN } from "@nn/recurrent";
import {
  compile,
  Module,
  manualSeed,
  randn,
  reference,
  setBackend,
  sizeOf,
  type Tensor,
  tensor,
  Variable,
  valueAndGrad,
  zeros,
} from "@nn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { webgpuPacks } from "../backends.js";
import { casesOf, webgpuHere, whyNoWebgpu } from "../webgpu.js";
import { Classifier, LeNet } from "./nets.js";

/** Of a training; `NN_CASES=30` tries as many. */
const STEPS = Math.min(30, casesOf(4));

const missing = await whyNoWebgpu();
describe.skipIf(missing)(`f16, stood in for by rounded f32${missing ? ` (${missing})` : ""}`, () => {
  const open: WebgpuBackend[] = [];
  let f32: WebgpuBackend;
  let f16: WebgpuBackend;
  /** Without packs. */
  let f16Alone: WebgpuBackend;
  /** Shaders with arrays of f16. */
  let stores = 0;
  beforeAll(async () => {
    const withF16 = async (kernels: readonly WgslKernel[]) => {
      const own = await webgpuHere();
      const { device } = own;
      open.push(own);
      standIn(device, () => stores++);
      return await webgpu({ device, f16: mixed, kernels });
    };
    f32 = await webgpuHere({ kernels: webgpuPacks });
    [f16, f16Alone] = [await withF16(webgpuPacks), await withF16([])];
    open.push(f32, f16, f16Alone);
  });
  afterAll(() => {
    setBackend(reference());
    for (const backend of open) backend.dispose();
  });

  interface Program {
    readonly shapes: readonly (readonly number[])[];
    readonly variables?: readonly Variable[];
    run(...xs: Tensor[]): Tensor;
  }

  /** The result and all gradients, on some backend. */
  const readings = async (backend: WebgpuBackend, make: () => Program) => {
    setBackend(backend);
    manualSeed(3);
    const { shapes, variables = [], run } = make();
    const xs = shapes.map((shape) => randn(shape));
    const step = compile((...given: Tensor[]): Tensor[] => {
      let y: Tensor;
      const loss = () => {
        y = run(...given);
        return y.square().sum();
      };
      const [, grads] = valueAndGrad(loss, [...given, ...variables]);
      return [loss(), ...grads];
    });
    return await Promise.all(step(...xs).map((t) => t.read()));
  };

  class Attention extends Module {
    readonly heads = new Linear(24, 24);
    override forward(x: Tensor): Tensor {
      const q = this.heads.forward(x);
      return q.matmul(q.transpose(-1, -2)).mul(0.2).softmax(-1).matmul(x);
    }
  }
  class Net extends Module {
    readonly conv = new Conv2d(3, 8, 3, { padding: 1, bias: false });
    readonly norm = new BatchNorm2d(8);
    readonly pool = new MaxPool2d(3, { stride: 1, padding: 1 });
    readonly deep = new Conv2d(8, 8, 3, { padding: 1, groups: 8 });
    readonly mean = new AvgPool2d(2);
    readonly last = new Conv2d(8, 4, 3);
    override forward(x: Tensor): Tensor {
      x = this.pool.forward(this.norm.forward(this.conv.forward(x)).relu());
      return this.last.forward(this.mean.forward(this.deep.forward(x).relu()));
    }
  }
  /** `least`: shaders that store f16, at least; `within`: how far from f32. */
  const programs: Record<string, { least: number; within: number; make: () => Program }> = {
    "products, maps and reductions": {
      least: 3,
      within: 0.01,
      make() {
        const [a, b, c] = [new Linear(40, 160), new Linear(160, 160), new Linear(160, 8)];
        const run = (x: Tensor) => {
          const h = a.forward(x).tanh();
          const k = b.forward(h).relu();
          const sums = k
            .sum(0, { keepDims: true })
            .mul(0.01)
            .add(h.max(1, { keepDims: true }));
          return c.forward(k.mul(sums.sigmoid()));
        };
        return { shapes: [[128, 40]], variables: [a, b, c].flatMap((l) => l.parameters()), run };
      },
    },
    "softmax between products": {
      least: 2,
      within: 0.01,
      make() {
        const net = new Attention();
        return { shapes: [[2, 100, 24]], variables: net.parameters(), run: (x) => net.forward(x) };
      },
    },
    "convolutions, pooling and BatchNorm": {
      least: 5,
      within: 0.05, // where two of a window are nearly equal, rounding chooses
      make() {
        const net = new Net();
        return { shapes: [[4, 3, 24, 24]], variables: net.parameters(), run: (x) => net.forward(x) };
      },
    },
    "recurrent loops": {
      least: 4,
      within: 0.01,
      make() {
        const [first, second] = [new LSTM(10, 16), new GRU(16, 16)];
        const run = (x: Tensor) => second.forward(first.forward(x).output).output;
        return { shapes: [[32, 32, 10]], variables: [...first.parameters(), ...second.parameters()], run };
      },
    },
    "a loop of a dispatch per step": {
      least: 3,
      within: 0.01,
      make() {
        const net = new RNN(10, 368);
        const run = (x: Tensor) => net.forward(x).output;
        return { shapes: [[4, 12, 10]], variables: net.parameters(), run };
      },
    },
  };

  it.each(Object.keys(programs))("%s", { timeout: 240_000 }, async (name) => {
    const { least, within, make } = programs[name]!;
    const want = await readings(f32, make);
    stores = 0;
    const got = await readings(f16, make);
    expect(stores).toBeGreaterThanOrEqual(least);
    got.forEach((data, k) => {
      const off = distance(data, want[k]!);
      expect(off, k === 0 ? "the loss" : `gradient ${k - 1}`).toBeLessThan(within);
      if (k > 0) expect(off, `gradient ${k - 1}`).toBeGreaterThan(0); // it was rounded
    });
  });

  // A maximum that was rounded is no element of its window any more, and its gradient would be lost.
  it.each([true, false])("each window's gradient arrives, with packs: %s", { timeout: 240_000 }, async (packed) => {
    setBackend(packed ? f16 : f16Alone);
    manualSeed(5);
    const pool = new MaxPool2d(3, { stride: 1, padding: 1 });
    const weight = new Variable(randn([8, 1, 1, 1]).mul(0.2).add(1));
    const conv = new Conv2d(8, 8, 1);
    // x is wanted, and so stays f32; what is pooled of it is multiplied.
    const step = compile((x: Tensor) => {
      const z = x.mul(weight.value.reshape([1, 8, 1, 1])).tanh();
      let product: Tensor;
      const [, [g]] = valueAndGrad(() => {
        const y = pool.forward(z);
        product = conv.forward(y);
        return y.sum();
      }, [z]);
      return [z, product!, g!];
    });
    const [, , g] = step(randn([4, 8, 24, 24]));
    expect(await g!.sum().item()).toBe(4 * 8 * 24 * 24);
  });

  const networks = {
    LeNet: { make: () => new LeNet(), shape: [4, 1, 28, 28], classes: 4 },
    LSTM: { make: () => new Classifier(), shape: [32, 12, 5], classes: 4 },
  };

  it.each(["LeNet", "LSTM"] as const)("%s trains as in f32", { timeout: 240_000 }, async (name) => {
    const { make, shape, classes } = networks[name];
    const train = async (backend: WebgpuBackend) => {
      setBackend(backend);
      manualSeed(1);
      const net = make();
      const optimizer =
        name === "LeNet"
          ? new SGD(net.parameters(), { lr: 0.02, momentum: 0.9 })
          : new Adam(net.parameters(), { lr: 0.01 });
      const scaler = new GradScaler();
      const step = compile((x: Tensor, y: Tensor) => scaler.minimize(optimizer, () => crossEntropy(net.forward(x), y)));
      const losses: number[] = [];
      for (let i = 0; i < STEPS; i++) {
        // A pattern for each class, and noise.
        const own = sizeOf(shape) / shape[0]!;
        const y = Int32Array.from({ length: shape[0]! }, (_, k) => (k * 7 + i) % classes);
        const x = Float32Array.from(
          { length: sizeOf(shape) },
          (_, k) => Math.sin((k % own) * (1 + y[Math.floor(k / own)]!)) + Math.sin(k * (i + 2) * 1.7),
        );
        const given = [tensor(x, { shape }), tensor(y)] as const;
        const loss = step(...given);
        losses.push(await loss.item());
        for (const t of [...given, loss]) t.dispose();
      }
      expect(await scaler.getScale().item()).toBe(65536); // no step was passed over
      return losses;
    };
    const want = await train(f32);
    stores = 0;
    const got = await train(f16);
    expect(stores).toBeGreaterThan(3);
    const at = (i: number) => `${want[i]!.toFixed(4)} and ${got[i]!.toFixed(4)}`;
    console.log(`${name}: losses of f32 and f16 ${at(0)}, after ${STEPS} steps ${at(STEPS - 1)}`);
    expect(want.at(-1)!).toBeLessThan(want[0]!);
    got.forEach((loss, i) => {
      expect(Math.abs(loss / want[i]! - 1), `loss ${i}`).toBeLessThan(0.002 * (i + 1));
    });
  });

  it("gradients of parameters keep their digits where GradScaler divides them again", async () => {
    const update = async (backend: WebgpuBackend) => {
      setBackend(backend);
      manualSeed(4);
      const w = new Variable(zeros([128, 160]));
      const optimizer = new SGD([w], { lr: 1 });
      const scaler = new GradScaler();
      const step = compile((x: Tensor, t: Tensor) =>
        scaler.minimize(optimizer, () => x.matmul(w.value).mul(t).sum().mul(1e-8)),
      );
      step(randn([256, 128]), randn([256, 160])).dispose();
      return await w.value.read();
    };
    const want = await update(f32);
    stores = 0;
    const got = await update(f16);
    expect(stores).toBeGreaterThan(0);
    expect(distance(got, want)).toBeLessThan(0.002); // as f16 they would be whole multiples of 6e-8
  });

  it("a value that is too large becomes infinite, and GradScaler passes over the step", async () => {
    setBackend(f16);
    manualSeed(2);
    const [first, last] = [new Linear(16, 128), new Linear(128, 4)];
    const weights = [...first.parameters(), ...last.parameters()];
    const scaler = new GradScaler({ initScale: 2 ** 30, backoffFactor: 2 ** -12 });
    const optimizer = new SGD(weights, { lr: 0.1 });
    const step = compile((x: Tensor, y: Tensor) =>
      scaler.minimize(optimizer, () => crossEntropy(last.forward(first.forward(x).tanh()), y).mul(1000)),
    );
    const [x, y] = [randn([160, 16]), tensor(Int32Array.from({ length: 160 }, (_, k) => k % 4))];
    const before = await last.weight.value.read();
    step(x, y).dispose();
    expect([await scaler.getScale().item(), await last.weight.value.read()]).toEqual([2 ** 18, before]);
    for (let i = 0; i < 2; i++) step(x, y).dispose();
    const after = await last.weight.value.read();
    expect(after.every(Number.isFinite) && after.some((v, i) => v !== before[i])).toBe(true);
  });
});

/** Relative to the length. Not the worst number: where rounding changes a sign, relu's gradient is another. */
function distance(got: ArrayLike<number>, want: ArrayLike<number>): number {
  let [length, off] = [1e-30, 0];
  for (let i = 0; i < want.length; i++) {
    length += want[i]! ** 2;
    off += (got[i]! - want[i]!) ** 2;
  }
  return Math.sqrt(off / length);
}

/** Makes a device pass for one with f16, whose numbers take four bytes; `stored` is told of each shader with arrays of them. */
function standIn(device: GPUDevice, stored: () => void): void {
  Object.defineProperty(device, "features", { value: new Set([...device.features, "shader-f16"]) });
  const { createShaderModule, createBuffer } = device;
  device.createBuffer = (given) => createBuffer.call(device, { ...given, size: 2 * given.size });
  device.createShaderModule = (given) => {
    if (/> (in|out)\d+: array<(f16|vec4h)>/.test(given.code)) stored();
    const code = given.code
      .replace("enable f16;\n", "")
      .replace(/array<f16/g, "array<f32")
      .replace(/array<vec4h/g, "array<vec4f")
      .replace(/\b(f16|vec4h)\(/g, "as_$1(");
    return createShaderModule.call(device, { ...given, code: `${code}${code === given.code ? "" : ROUNDED}` });
  };
}

/** To the nearest, of two the even one, as GPUs do it. */
const ROUNDED = `
fn as_f16(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  let size = bits & 0x7fffffffu;
  if (size >= 0x7f800000u) { return x; }
  if (size >= 0x477ff000u) { return bitcast<f32>((bits & 0x80000000u) | 0x7f800000u); }
  if (size < 0x38800000u) { return round(x * 16777216.0) / 16777216.0; }
  return bitcast<f32>((bits + 0xfffu + ((bits >> 13u) & 1u)) & 0xffffe000u);
}
fn as_vec4h(v: vec4f) -> vec4f { return vec4f(as_f16(v.x), as_f16(v.y), as_f16(v.z), as_f16(v.w)); }
`;

import { wasm } from "@nn/backend-wasm";
import { Conv2d, ConvTranspose2d } from "@nn/conv";
import { Dropout, Embedding, Linear } from "@nn/layers";
import { LSTM } from "@nn/recurrent";
import {
  compile,
  countParameters,
  freeze,
  grad,
  Module,
  manualSeed,
  memory,
  ones,
  rand,
  setBackend,
  type Tensor,
  unfreeze,
  Variable,
  zeros,
} from "@nn/tensor";
import { beforeAll, describe, expect, it } from "vitest";
import { lenet5, mobileNetV2, resnet18, resnetCifar, summary } from "./index.js";

beforeAll(async () => setBackend(await wasm({ threads: 1 })));

describe("summary", () => {
  // Multiply-adds as torchvision counts them (resnet18 1.814 G, mobilenet_v2 0.301 G).
  it.each<[string, () => Module, number[], number, number]>([
    ["resnet18", () => resnet18(), [1, 3, 224, 224], 11_689_512, 1_814_073_344],
    ["mobileNetV2", () => mobileNetV2(), [1, 3, 224, 224], 3_504_872, 300_774_272],
    ["resnetCifar A", () => resnetCifar(), [1, 3, 32, 32], 269_722, 40_551_040],
    ["resnetCifar B", () => resnetCifar({ shortcut: "B" }), [1, 3, 32, 32], 272_474, 40_813_184],
    ["lenet5", () => lenet5(), [2, 1, 28, 28], 61_706, 2 * (117_600 + 240_000 + 48_000 + 10_080 + 840)],
  ])("has the published figures of %s", (_, make, shape, parameters, multiplyAdds) => {
    const s = summary(make(), shape);
    expect(s).toMatchObject({ parameters, multiplyAdds });
    const total = (of: "parameters" | "multiplyAdds") => s.rows.reduce((sum, row) => sum + row[of], 0);
    expect([total("parameters"), total("multiplyAdds")]).toEqual([parameters, multiplyAdds]);
  });

  it("tells each layer's share", () => {
    const { rows, buffers } = summary(resnetCifar({ depth: 8, shortcut: "B" }), [4, 3, 8, 8]);
    const row = (name: string) => rows.find((r) => r.name === name);
    expect(row("")).toEqual({
      name: "",
      type: "ResNetCifar",
      depth: 0,
      outputShape: [4, 10],
      parameters: 0,
      frozen: 0,
      multiplyAdds: 0,
      runs: 1,
    });
    expect(row("layer2.0.downsample.0")).toEqual({
      name: "layer2.0.downsample.0",
      type: "Conv2d",
      depth: 4,
      outputShape: [4, 32, 4, 4],
      parameters: 512,
      frozen: 0,
      multiplyAdds: 4 * 512 * 16,
      runs: 1,
    });
    expect(row("layer3")).toMatchObject({ depth: 1, type: "Sequential", outputShape: [4, 64, 2, 2], parameters: 0 });
    expect(buffers).toBe(9 * 1 + 2 * (3 * 16 + 3 * 32 + 3 * 64));
  });

  it("counts what runs, whoever calls it, and shared parts once", () => {
    class Odd extends Module {
      own = new Variable(ones([5, 6]));
      list = [new Linear(6, 6, { bias: false }), new Linear(6, 6)];
      again = this.list[0]!;
      unused = new Linear(3, 3);
      frozen = new Variable(zeros([7]), { trainable: false });
      override forward(x: Tensor): Tensor {
        x = this.own.value.matmul(x); // (N, 5, 6)
        return this.again.forward(this.list[0]!.forward(x));
      }
    }
    const s = summary(new Odd(), [3, 6, 6]);
    expect(s).toMatchObject({ parameters: 30 + 36 + 42 + 12, buffers: 7, multiplyAdds: 3 * 5 * 36 * 3 });
    expect(s.rows.map(({ name, parameters, multiplyAdds, runs }) => [name, parameters, multiplyAdds, runs])).toEqual([
      ["", 30, 540, 1],
      ["list.0", 36, 1080, 2],
      ["list.1", 42, 0, 0],
      ["unused", 12, 0, 0],
    ]);
    expect(s.rows[3]!.outputShape).toBeNull();
  });

  it("counts recurrences, transposed and grouped convolutions, and takes whole numbers", () => {
    class Reader extends Module {
      embedding = new Embedding(11, 4);
      lstm = new LSTM(4, 5, { batchFirst: true });
      override forward(x: Tensor): Tensor {
        return this.lstm.forward(this.embedding.forward(x)).output;
      }
    }
    const reader = summary(new Reader(), [3, 7], { dtype: "i32" });
    expect(reader.rows.at(-1)).toMatchObject({
      name: "lstm",
      outputShape: [3, 7, 5],
      multiplyAdds: 3 * 7 * 20 * (4 + 5),
    });
    expect(summary(new ConvTranspose2d(4, 6, 2, { stride: 2 }), [1, 4, 5, 5]).multiplyAdds).toBe(25 * 4 * 6 * 4);
    expect(summary(new Conv2d(4, 8, 3, { groups: 4, padding: 1 }), [1, 4, 5, 5]).multiplyAdds).toBe(25 * 8 * 9);
  });

  it("changes nothing and computes nothing", () => {
    class Net extends Module {
      net = resnetCifar({ depth: 8 });
      dropout = new Dropout(0.5);
      scale = ones([10]); // a constant
      override forward(x: Tensor): Tensor {
        return this.dropout.forward(this.net.forward(x)).mul(this.scale);
      }
    }
    manualSeed(5);
    const [want] = rand([1]).readSync();
    const model = new Net();
    model.net.layer1.eval();
    const modes = () => [...model.namedModules().values()].map((m) => m.training);
    const values = () => Object.values(model.stateDict()).map((t) => [...t.readSync()]);
    const before = { modes: modes(), values: values(), forward: model.net.forward, memory: memory() };
    manualSeed(5);
    summary(model, [1, 3, 512, 512]); // 16 M numbers in each of the first layers' outputs
    expect(rand([1]).readSync()[0]).toBe(want);
    expect(modes()).toEqual(before.modes);
    expect(model.net.forward).toBe(before.forward);
    expect(values()).toEqual(before.values);
    expect(memory().bytes - before.memory.bytes).toBeLessThan(2e6);
  });

  it("works inside of compile and gradients, too", () => {
    const model = lenet5();
    let inside = 0;
    const step = compile((x: Tensor) => {
      inside = summary(model, [1, 1, 28, 28]).multiplyAdds;
      return x.mul(2);
    });
    expect([...step(ones([2])).readSync()]).toEqual([2, 2]);
    expect(inside).toBe(416_520);
    const x = ones([1]);
    grad(() => x.mul(summary(model, [1, 1, 28, 28]).parameters).sum(), [x]);
  });

  it("prints a table", () => {
    expect(`${summary(lenet5(), [1, 1, 28, 28])}`).toMatchInlineSnapshot(`
      "layer       type       output           parameters  multiply-adds
      ─────────────────────────────────────────────────────────────────
      (model)     LeNet5     (1, 10)                   —              —
      conv1       Conv2d     (1, 6, 28, 28)          156        117,600
      conv2       Conv2d     (1, 16, 10, 10)       2,416        240,000
      fc1         Linear     (1, 120)             48,120         48,000
      fc2         Linear     (1, 84)              10,164         10,080
      fc3         Linear     (1, 10)                 850            840
      pool        MaxPool2d  (1, 16, 5, 5)             —              —
      activation  ReLU       (1, 84)                   —              —
      ─────────────────────────────────────────────────────────────────
      total                                       61,706        416,520
      buffers: —"
    `);
  });

  it("tells frozen parameters from those in training and from buffers", () => {
    const model = resnetCifar({ depth: 8 });
    const all = countParameters(model);
    freeze(model);
    unfreeze(model.namedModules().get("fc")!);
    const s = summary(model, [1, 3, 8, 8]);
    expect(s).toMatchObject({
      parameters: 650,
      frozen: all - 650,
      buffers: summary(unfreeze(model), [1, 3, 8, 8]).buffers,
    });
    expect(s.rows.find((r) => r.name === "conv1")).toMatchObject({ parameters: 0, frozen: 3 * 9 * 16 });
    expect(`${s}`).toMatch(/^conv1 .* 432 frozen .*$/m);
    expect(`${s}`).toMatch(/^total .* 650 \+ [\d,]+ frozen .*$/m);
  });

  it("names the fault", () => {
    expect(() => summary(lenet5(), [1, 3, 28, 28])).toThrow(/^Conv2d "conv1": expected x \(N, 1, H, W\)/);
    expect(() => summary(lenet5(), [1, 0, 28])).toThrow(/^summary: expected inputShape of whole numbers ≥ 1/);
    const model = lenet5();
    const { forward } = model;
    expect(() => summary(model, [1, 1, 5, 5])).toThrow();
    expect(model.forward).toBe(forward);
    expect(model.training).toBe(true);
  });
});

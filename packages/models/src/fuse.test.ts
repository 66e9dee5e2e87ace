import { Conv1d, Conv2d, Conv3d, DepthwiseConv2d, MaxPool2d } from "@nn/conv";
import { BatchNorm1d, BatchNorm2d, BatchNorm3d, ReLU, Sequential } from "@nn/layers";
import { Module, manualSeed, rand, randn, type Tensor } from "@nn/tensor";
import { beforeEach, describe, expect, it } from "vitest";
import { fcn, foldBatchNorm, fuseConvBatchNorm, mobileNetV2, resnetCifar, unet } from "./index.js";

beforeEach(() => manualSeed(1));

/** Statistics, scales and shifts as after training; as they begin, a wrong fusion would look right. */
function unsettle(model: Module): void {
  for (const [key, v] of model.namedVariables()) {
    if (/running_mean|bias$/.test(key)) v.value = randn(v.shape).mul(0.5);
    else if (/running_var/.test(key) || v.shape.length === 1) v.value = rand(v.shape).add(0.5);
  }
}

function expectClose(got: Tensor, want: Tensor): void {
  expect(got.shape).toEqual(want.shape);
  const scale = Math.max(1, ...want.readSync().map(Math.abs));
  const difference = Math.max(...got.sub(want).readSync().map(Math.abs));
  expect(difference).toBeLessThan(1e-5 * scale);
}

describe("fuseConvBatchNorm", () => {
  it.each<[string, () => Conv1d | Conv2d | Conv3d, () => BatchNorm1d | BatchNorm2d | BatchNorm3d, number[]]>([
    ["1d", () => new Conv1d(3, 4, 3, { padding: "same" }), () => new BatchNorm1d(4), [2, 3, 9]],
    ["2d without bias", () => new Conv2d(3, 4, 3, { bias: false, stride: 2 }), () => new BatchNorm2d(4), [2, 3, 7, 6]],
    ["not affine", () => new Conv2d(2, 4, 3), () => new BatchNorm2d(4, { affine: false, eps: 0.1 }), [2, 2, 5, 5]],
    [
      "groups, dilation, reflect",
      () => new Conv2d(4, 6, 3, { groups: 2, dilation: 2, padding: 2, paddingMode: "reflect" }),
      () => new BatchNorm2d(6),
      [2, 4, 6, 6],
    ],
    [
      "same with a stride",
      () => new Conv2d(2, 3, 4, { padding: "same", stride: 2 }),
      () => new BatchNorm2d(3),
      [1, 2, 7, 5],
    ],
    ["depthwise", () => new DepthwiseConv2d(3, 3, { multiplier: 2 }), () => new BatchNorm2d(6), [1, 3, 5, 5]],
    ["3d", () => new Conv3d(2, 3, 2), () => new BatchNorm3d(3), [1, 2, 3, 4, 3]],
  ])("is one layer that does the work of two: %s", (_, makeConv, makeNorm, shape) => {
    const [conv, norm] = [makeConv().eval(), makeNorm().eval()];
    unsettle(norm);
    const x = randn(shape);
    const before = conv.forward(x);
    expectClose(fuseConvBatchNorm(conv, norm).forward(x), norm.forward(before));
    expectClose(conv.forward(x), before);
  });

  it.each<[string, () => unknown, RegExp]>([
    [
      "training",
      () => fuseConvBatchNorm(new Conv2d(1, 2, 3), new BatchNorm2d(2)),
      /^fuseConvBatchNorm: expected layers in evaluation/,
    ],
    [
      "no statistics",
      () => fuseConvBatchNorm(new Conv2d(1, 2, 3).eval(), new BatchNorm2d(2, { trackRunningStats: false }).eval()),
      /^fuseConvBatchNorm: expected running statistics/,
    ],
    [
      "channels",
      () => fuseConvBatchNorm(new Conv2d(1, 2, 3).eval(), new BatchNorm2d(3).eval()),
      /^fuseConvBatchNorm: expected BatchNorm of 2 channels, got 3/,
    ],
  ])("names the fault: %s", (_, f, message) => {
    expect(f).toThrow(message);
  });
});

describe("foldBatchNorm", () => {
  it("leaves layers and containers with a forward of their own alone", () => {
    class Rectified extends Conv2d {
      override forward(x: Tensor): Tensor {
        return super.forward(x).relu();
      }
    }
    class Around extends Sequential {
      override forward(x: Tensor): Tensor {
        return super.forward(x).add(x);
      }
    }
    const pair = () => [new Conv2d(3, 3, 3, { padding: 1 }), new BatchNorm2d(3)] as const;
    class Twice extends Around {
      override forward(x: Tensor): Tensor {
        return this.layers.reduceRight((y, layer) => layer.forward(y) as Tensor, x);
      }
    }
    const x = randn([2, 3, 6, 6]);
    for (const model of [
      new Sequential(new Rectified(3, 3, 3, { padding: 1 }), new BatchNorm2d(3)),
      new Around(...pair()),
      new Twice(...pair()),
    ]) {
      unsettle(model.eval());
      const want = model.forward(x);
      expectClose(foldBatchNorm(model).forward(x), want);
    }
  });

  it.each<[string, () => Module & { forward(x: Tensor): Tensor }, number[]]>([
    ["resnetCifar A", () => resnetCifar({ depth: 8 }), [2, 3, 8, 8]],
    ["resnetCifar B", () => resnetCifar({ depth: 8, shortcut: "B" }), [2, 3, 8, 8]],
    ["mobileNetV2", () => mobileNetV2({ widthMult: 0.1, numClasses: 5 }), [1, 3, 32, 32]],
    ["unet", () => unet({ inChannels: 1, numClasses: 2, baseChannels: 4, depth: 2 }), [1, 1, 9, 8]],
    ["fcn", () => fcn({ numClasses: 2 }), [2, 1, 10]],
  ])("leaves no BatchNorm in %s, and the same outputs", (_, make, shape) => {
    const model = make().eval();
    unsettle(model);
    const x = randn(shape);
    const want = model.forward(x);
    expectClose(foldBatchNorm(model).forward(x), want);
    expect(Object.keys(model.stateDict()).filter((key) => key.includes("running"))).toEqual([]);
    expect([...model.namedModules().values()].filter((m) => /^BatchNorm/.test(m.constructor.name))).toEqual([]);
    expect([...model.namedModules().values()].every((m) => !m.training)).toBe(true);
  });

  it("folds only what is certain", () => {
    const shared = new Conv2d(2, 2, 1);
    class Net extends Module {
      a = new Sequential(shared, new BatchNorm2d(2));
      b = new Sequential(shared, new BatchNorm2d(2));
      c = new Sequential(new Conv2d(2, 2, 1), new ReLU(), new BatchNorm2d(2));
      d = new Sequential(new MaxPool2d(1), new BatchNorm2d(2));
      e = new Sequential(new Conv2d(2, 2, 1), new BatchNorm2d(2, { trackRunningStats: false }));
      // Fields in this order may run in any.
      conv = new Conv2d(2, 2, 1);
      norm = new BatchNorm2d(2);
      override forward(x: Tensor): Tensor {
        for (const m of [this.a, this.b, this.c, this.d, this.e, this.norm, this.conv]) x = m.forward(x);
        return x;
      }
    }
    const net = new Net().eval();
    unsettle(net);
    const x = randn([2, 2, 3, 3]);
    const [keys, want] = [Object.keys(net.stateDict()), net.forward(x)];
    expectClose(foldBatchNorm(net).forward(x), want);
    expect(Object.keys(net.stateDict())).toEqual(keys);
  });

  it("refuses a model in training", () => {
    expect(() => foldBatchNorm(resnetCifar({ depth: 8 }))).toThrow(/^fuseConvBatchNorm: expected layers in evaluation/);
  });
});

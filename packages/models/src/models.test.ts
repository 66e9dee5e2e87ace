import { wasm } from "@nn/backend-wasm";
import { crossEntropy } from "@nn/layers";
import { Adam } from "@nn/optim";
import { compile, Module, manualSeed, memory, randn, scope, setBackend, type Tensor, tensor } from "@nn/tensor";
import { beforeAll, describe, expect, it } from "vitest";
import { fcn, lenet5, mobileNetV2, resnet18, resnetCifar, unet } from "./index.js";

beforeAll(async () => setBackend(await wasm({ threads: 1 })));

type Net = Module & { forward(x: Tensor): Tensor };

const count = (m: Module) => m.parameters().reduce((n, { shape }) => n + shape.reduce((a, b) => a * b, 1), 0);

/** Model, published parameters, input that is quick to run, its output, and some of its keys. */
const models: [string, () => Net, number, number[], number[], string[]][] = [
  ["lenet5", () => lenet5(), 61_706, [2, 1, 28, 28], [2, 10], ["conv1.weight", "conv2.bias", "fc3.bias"]],
  [
    "lenet5 of 1998",
    () => lenet5({ activation: "tanh", pool: "avg", inChannels: 3, numClasses: 7 }),
    61_706 + 6 * 2 * 25 - 3 * 85,
    [2, 3, 28, 28],
    [2, 7],
    ["conv1.weight"],
  ],
  [
    "resnetCifar",
    () => resnetCifar(),
    269_722,
    [2, 3, 8, 8],
    [2, 10],
    ["conv1.weight", "bn1.num_batches_tracked", "layer2.0.bn1.running_var", "layer3.2.conv2.weight", "fc.bias"],
  ],
  [
    "resnetCifar with shortcuts B",
    () => resnetCifar({ shortcut: "B" }),
    272_474,
    [2, 3, 9, 9],
    [2, 10],
    ["layer2.0.downsample.0.weight", "layer3.0.downsample.1.bias"],
  ],
  [
    "resnetCifar of depth 56",
    () => resnetCifar({ depth: 56 }),
    853_018,
    [1, 3, 4, 4],
    [1, 10],
    ["layer1.8.bn2.weight"],
  ],
  [
    "resnet18",
    () => resnet18(),
    11_689_512,
    [1, 3, 32, 32],
    [1, 1000],
    ["conv1.weight", "layer1.0.conv1.weight", "layer2.0.downsample.0.weight", "layer4.1.bn2.running_mean", "fc.weight"],
  ],
  [
    "mobileNetV2",
    () => mobileNetV2(),
    3_504_872,
    [1, 3, 32, 32],
    [1, 1000],
    [
      "features.0.0.weight",
      "features.0.1.running_var",
      "features.1.conv.0.0.weight",
      "features.1.conv.2.bias",
      "features.2.conv.1.0.weight",
      "features.17.conv.3.weight",
      "features.18.0.weight",
      "classifier.1.weight",
    ],
  ],
  [
    "mobileNetV2 of half the width",
    () => mobileNetV2({ widthMult: 0.5 }),
    1_968_680,
    [1, 3, 32, 32],
    [1, 1000],
    ["classifier.1.bias"],
  ],
  [
    "unet",
    () => unet({ inChannels: 3, numClasses: 2 }),
    31_037_698,
    [1, 3, 16, 16],
    [1, 2, 16, 16],
    [
      "inc.double_conv.0.weight",
      "down1.maxpool_conv.1.double_conv.4.running_mean",
      "down4.maxpool_conv.1.double_conv.0.weight",
      "up1.up.weight",
      "up4.conv.double_conv.3.weight",
      "outc.conv.bias",
    ],
  ],
  [
    "a small unet of odd size",
    () => unet({ inChannels: 1, numClasses: 3, baseChannels: 4, depth: 2, batchNorm: false }),
    40 + 148 + 296 + 584 + 1168 + 2320 + 520 + 1160 + 584 + 132 + 292 + 148 + 15,
    [2, 1, 11, 13],
    [2, 3, 11, 13],
    ["down2.maxpool_conv.1.double_conv.2.bias", "up2.conv.double_conv.0.weight"],
  ],
  [
    "fcn",
    () => fcn({ numClasses: 2 }),
    264_962,
    [3, 1, 24],
    [3, 2],
    ["conv1.weight", "bn2.running_mean", "conv3.bias", "fc.weight"],
  ],
];

describe.each(models)("%s", (_, make, parameters, input, output, keys) => {
  it("has the published size, the shapes and the keys it should", () => {
    const model = make().eval();
    expect(count(model)).toBe(parameters);
    expect(model.forward(randn(input)).shape).toEqual(output);
    expect(Object.keys(model.stateDict())).toEqual(expect.arrayContaining(keys));
    for (const v of model.namedVariables().values()) v.dispose();
  });
});

/** A class per image, from the classes of its pixels. */
class Mean extends Module {
  constructor(readonly net: Net) {
    super();
  }
  override forward(x: Tensor): Tensor {
    return this.net.forward(x).mean([2, 3]);
  }
}

it("the keys are as many as torchvision's", () => {
  expect(Object.keys(resnet18().stateDict())).toHaveLength(122);
  expect(Object.keys(mobileNetV2().stateDict())).toHaveLength(314);
});

describe("training", () => {
  const labels = () => tensor([0, 1, 2, 1], { dtype: "i32" });
  it.each<[string, () => Net, number[]]>([
    ["lenet5", () => lenet5({ numClasses: 3 }), [4, 1, 28, 28]],
    ["resnetCifar A", () => resnetCifar({ depth: 8, numClasses: 3 }), [4, 3, 8, 8]],
    ["resnetCifar B", () => resnetCifar({ depth: 8, numClasses: 3, shortcut: "B" }), [4, 3, 8, 8]],
    ["mobileNetV2", () => mobileNetV2({ numClasses: 3, widthMult: 0.1, dropout: 0 }), [4, 3, 64, 64]],
    ["fcn", () => fcn({ numClasses: 3, inChannels: 2 }), [4, 2, 12]],
    ["unet", () => new Mean(unet({ inChannels: 1, numClasses: 3, baseChannels: 2, depth: 2 })), [4, 1, 8, 8]],
  ])("lowers the loss of %s", async (_, make, shape) => {
    manualSeed(3);
    const model = make();
    const x = randn(shape);
    const optimizer = new Adam(model.parameters(), { lr: 5e-3 });
    const step = compile(() => optimizer.minimize(() => crossEntropy(model.forward(x), labels())));
    const losses: number[] = [];
    for (let i = 0; i < 6; i++) losses.push(await step().item());
    expect(losses[5]).toBeLessThan(losses[0]! * 0.95);
  });
});

describe("initial values", () => {
  const deviation = (t: Tensor) => Math.sqrt(scope(() => t.square().mean()).readSync()[0]!);

  it("are torchvision's", () => {
    const state = resnet18().stateDict();
    expect(deviation(state["layer4.1.conv1.weight"]!)).toBeCloseTo(Math.sqrt(2 / (512 * 9)), 4);
    expect(deviation(state["conv1.weight"]!)).toBeCloseTo(Math.sqrt(2 / (64 * 49)), 3);
    expect(deviation(state["bn1.weight"]!)).toBe(1);
    const mobile = mobileNetV2().stateDict();
    expect(deviation(mobile["classifier.1.weight"]!)).toBeCloseTo(0.01, 4);
    expect(deviation(mobile["classifier.1.bias"]!)).toBe(0);
    // Depthwise: fan out counts all output channels, as in torch.
    expect(deviation(mobile["features.17.conv.1.0.weight"]!)).toBeCloseTo(Math.sqrt(2 / (960 * 9)), 3);
  });
});

describe("errors", () => {
  it.each<[string, () => unknown, RegExp]>([
    ["depth", () => resnetCifar({ depth: 21 }), /^resnetCifar: expected depth 6n \+ 2: .*, got 21/],
    [
      "levels",
      () => unet({ inChannels: 1, numClasses: 2, depth: 0 }),
      /^unet: expected depth: a whole number ≥ 1, got 0/,
    ],
    ["input", () => lenet5().forward(randn([1, 1, 32, 32])), /^Linear "fc1": expected x \(…, 400\), got \(1, 576\)/],
    [
      "channels",
      () => resnet18().forward(randn([1, 1, 32, 32])),
      /^Conv2d "conv1": expected x \(N, 3, H, W\), got \(1, 1, 32, 32\)/,
    ],
  ])("name the fault: %s", (_, f, message) => {
    expect(f).toThrow(message);
  });
});

it("models leave nothing behind but their output", () => {
  const model = resnetCifar({ depth: 8 }).eval();
  const x = randn([1, 3, 8, 8]);
  model.forward(x).dispose();
  const { tensors } = memory();
  model.forward(x).dispose();
  expect(memory().tensors).toBe(tensors);
});

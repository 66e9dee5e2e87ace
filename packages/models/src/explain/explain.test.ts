import { wasm } from "@nn/backend-wasm";
import { Conv2d, MaxPool2d } from "@nn/conv";
import { Flatten, Linear, ReLU, Sequential } from "@nn/layers";
import { Module, manualSeed, memory, randn, reference, scope, setBackend, type Tensor, tensor } from "@nn/tensor";
import { beforeEach, describe, expect, it } from "vitest";
import { activations, fcn, filterImages, gradCam, lenet5, resnetCifar, saliency, unet } from "../index.js";

beforeEach(() => {
  setBackend(reference());
  manualSeed(2);
});

const read = (t: Tensor) => [...t.readSync()];
const near = (got: Tensor, want: readonly number[], digits = 5) => {
  expect(got.size).toBe(want.length);
  for (const [i, v] of got.readSync().entries()) expect(v).toBeCloseTo(want[i]!, digits);
};

/** One 1×1 convolution to two channels, the mean of each, two classes: all by hand. */
class ByHand extends Module {
  conv = new Conv2d(1, 2, 1);
  fc = new Linear(2, 2);
  constructor() {
    super();
    this.conv.weight.value = tensor([[[[1]]], [[[-2]]]]);
    this.conv.bias!.value = tensor([0, 3]);
    this.fc.weight.value = tensor([
      [2, 1],
      [-1, 0],
    ]);
    this.fc.bias!.value = tensor([5, 6]);
  }
  override forward(x: Tensor): Tensor {
    return scope(() => this.fc.forward(this.conv.forward(x).mean([2, 3])));
  }
}

describe("activations", () => {
  it("are what the layers give, by hand", () => {
    const model = new ByHand();
    const x = tensor([[[[1, 2]]]]);
    const found = activations(model, x);
    expect(Object.keys(found)).toEqual(["conv", "fc", ""]);
    expect(read(found["conv"]!)).toEqual([1, 2, 1, -1]);
    expect(read(found["fc"]!)).toEqual([8, 4.5]);
    expect(read(found[""]!)).toEqual([8, 4.5]);
    expect(Object.keys(activations(model, x, ["fc"]))).toEqual(["fc"]);
  });

  it("reach through scopes and nested modules, and change nothing", () => {
    const model = resnetCifar({ depth: 8 });
    model.layer2.eval();
    const modes = () => [...model.namedModules().values()].map((m) => m.training);
    const [before, statistics, { forward }] = [modes(), read(model.stateDict()["bn1.running_mean"]!), model];
    const x = randn([2, 3, 8, 8]);
    const found = activations(model, x);
    expect(modes()).toEqual(before);
    expect(model.forward).toBe(forward);
    expect(read(model.stateDict()["bn1.running_mean"]!)).toEqual(statistics);
    model.eval();
    expect(read(found["conv1"]!)).toEqual(read(model.conv1.forward(x)));
    const first = model.bn1.forward(model.conv1.forward(x)).relu();
    near(found["layer1.0"]!, read(model.layer1.forward(first)));
    const even = found["layer1"]!.slice([null, null, [null, null, 2], [null, null, 2]]);
    near(found["layer2.0.downsample"]!.slice([null, [8, 24]]), read(even));
    near(found[""]!, read(model.forward(x)));
  });

  it("belong to the scope around the call", () => {
    const model = lenet5();
    const x = randn([1, 1, 28, 28]);
    scope(() => void activations(model, x));
    const { tensors, bytes } = memory();
    scope(() => void activations(model, x));
    expect(memory()).toMatchObject({ tensors, bytes });
    const { conv1 } = activations(model, x, ["conv1"]);
    expect(memory().tensors).toBe(tensors + 1);
    expect(conv1!.shape).toEqual([1, 6, 28, 28]);
  });

  it("take the last output of a layer that runs twice", () => {
    class Twice extends Module {
      double = new Linear(1, 1, { bias: false });
      same = this.double;
      override forward(x: Tensor): Tensor {
        return this.same.forward(this.double.forward(x));
      }
    }
    const model = new Twice();
    model.double.weight.value = tensor([[2]]);
    expect(read(activations(model, tensor([[1]]))["double"]!)).toEqual([4]);
    expect(Object.keys(activations(model, tensor([[1]])))).toEqual(["double", ""]);
    expect(read(activations(model, tensor([[1]]), ["same"])["same"]!)).toEqual([4]);
  });

  it("name the layers there are", () => {
    expect(() => activations(new ByHand(), randn([1, 1, 2, 2]), ["convv"])).toThrow(
      'activations: expected one of the layers conv, fc, got "convv".',
    );
  });
});

describe("saliency", () => {
  it("is the gradient of the score, by hand", () => {
    const x = tensor([[[[1, 2]]], [[[0, 0]]]]);
    // d(2·mean(x) + mean(3 − 2x))/dx = 0 for class 0, −½ for class 1.
    expect(read(saliency(new ByHand(), x, 0))).toEqual([0, 0, 0, 0]);
    expect(read(saliency(new ByHand(), x, 1))).toEqual([-0.5, -0.5, -0.5, -0.5]);
    expect(read(saliency(new ByHand(), x, [1, 0]))).toEqual([-0.5, -0.5, 0, 0]);
    expect(read(saliency(new ByHand(), x, (y: Tensor) => y.sum()))).toEqual([-0.5, -0.5, -0.5, -0.5]);
  });

  it("agrees with finite differences", () => {
    const model = new Sequential(
      new Conv2d(2, 3, 3, { padding: 1 }),
      new ReLU(),
      new MaxPool2d(2),
      new Flatten(),
      new Linear(12, 4),
    );
    const x = randn([1, 2, 4, 4]);
    const g = read(saliency(model, x, 2));
    const score = (at: number, by: number) => {
      const moved = x.readSync().map((v, i) => (i === at ? v + by : v));
      return model.forward(tensor([...moved]).reshape([1, 2, 4, 4])).readSync()[2]!;
    };
    // The model is piecewise linear: away from its kinks, differences are exact.
    const differences = g.map((_, i) => (score(i, 1e-3) - score(i, -1e-3)) / 2e-3);
    for (const [i, d] of differences.entries()) expect(Math.abs(g[i]! - d)).toBeLessThan(1e-3);
    expect(g.some((v) => Math.abs(v) > 0.05)).toBe(true);
    const map = saliency(model, x, 2, { maxOverChannels: true });
    expect(map.shape).toEqual([1, 4, 4]);
    near(
      map,
      Array.from({ length: 16 }, (_, i) => Math.max(Math.abs(g[i]!), Math.abs(g[16 + i]!))),
    );
  });

  it("is that of evaluation, and trains nothing", () => {
    const model = fcn({ numClasses: 3 });
    const state = Object.values(model.stateDict()).map(read);
    const x = randn([2, 1, 9]);
    const g = saliency(model, x, [0, 2]);
    expect(Object.values(model.stateDict()).map(read)).toEqual(state);
    // In evaluation samples do not see each other.
    near(saliency(model, x.slice([[1, 2]]), 2), read(g).slice(9));
  });

  it("names the fault", () => {
    const x = randn([2, 1, 2, 2]);
    expect(() => saliency(new ByHand(), x, 2)).toThrow(
      /saliency: expected target: a class from 0 to 1, or 2 of them, got 2/,
    );
    expect(() => saliency(new ByHand(), x, [0])).toThrow(/got \[0\]/);
    const pixels = unet({ inChannels: 1, numClasses: 2, baseChannels: 2, depth: 1 });
    expect(() => saliency(pixels, x, 0)).toThrow(/saliency: expected a model with outputs \(N, classes\)/);
    expect(saliency(pixels, x, (y: Tensor) => y.select(1, 0).sum()).shape).toEqual([2, 1, 2, 2]);
  });
});

describe("gradCam", () => {
  it("is right by hand", () => {
    const model = new ByHand();
    const x = tensor([[[[1, 2, 4, 0]]]]);
    // A = (x, 3 − 2x), α for class 0 = (2, 1) / 4: relu(2x + 3 − 2x) / 4 is flat; for class 1, relu(−x) is 0.
    near(gradCam(model, x, "conv", 0), [1, 1, 1, 1]);
    near(gradCam(model, x, "conv", 1), [0, 0, 0, 0]);
    // With α = (1, 1) / 4: relu(3 − x) / 4, divided by its greatest value.
    model.fc.weight.value = tensor([
      [1, 1],
      [0, -1],
    ]);
    near(gradCam(model, x, "conv", 0), [2 / 3, 1 / 3, 0, 1]);
    near(gradCam(model, x, "conv", 1), [0, 1 / 5, 1, 0]); // relu(2x − 3)
    near(
      gradCam(model, x, "conv", (y: Tensor) => y.select(1, 0).sum()),
      [2 / 3, 1 / 3, 0, 1],
    );
  });

  it("lies between 0 and 1, a map per sample, of the size asked for", () => {
    const model = resnetCifar({ depth: 8 });
    const x = randn([2, 3, 16, 16]);
    const small = gradCam(model, x, "layer3", [1, 2], { upsample: false });
    expect(small.shape).toEqual([2, 4, 4]);
    const large = gradCam(model, x, "layer3", [1, 2]);
    expect(large.shape).toEqual([2, 16, 16]);
    expect(gradCam(model, x, "layer3", [1, 2], { upsample: [5, 7] }).shape).toEqual([2, 5, 7]);
    for (const map of [small, large]) {
      expect(Math.min(...read(map))).toBeGreaterThanOrEqual(0);
      expect(read(map.max([1, 2]))).toEqual([1, 1]);
    }
    near(gradCam(model, x.slice([[1, 2]]), "layer3", 2), read(large).slice(256));
    expect(gradCam(fcn({ numClasses: 2 }), randn([3, 1, 12]), "bn3", 0).shape).toEqual([3, 12]);
  });

  it("leaves nothing behind but the map", () => {
    const [model, x] = [lenet5(), randn([1, 1, 28, 28])];
    gradCam(model, x, "conv2", 1).dispose();
    const { tensors } = memory();
    gradCam(model, x, "conv2", 1).dispose();
    expect(memory().tensors).toBe(tensors);
  });

  it("names the fault", () => {
    const x = randn([1, 1, 28, 28]);
    expect(() => gradCam(lenet5(), x, "conv3", 0)).toThrow(
      /gradCam: expected one of the layers conv1, conv2, .*, got "conv3"/,
    );
    expect(() => gradCam(lenet5(), x, "fc1", 0)).toThrow(
      /gradCam: expected a layer with output \(N, K, …spatial\), got \(1, 120\)/,
    );
    expect(() => gradCam(lenet5(), x, "pool", 0)).toThrow(/gradCam: expected "pool" to run once, got 2 runs/);
  });
});

describe("filterImages", () => {
  it("stretches every filter to [0, 1]", () => {
    const conv = new Conv2d(1, 3, [1, 3]);
    conv.weight.value = tensor([[[[-1, 0, 3]]], [[[2, 4, 3]]], [[[5, 5, 5]]]]);
    const images = filterImages(conv);
    expect(images.shape).toEqual([3, 1, 1, 3]);
    expect(read(images)).toEqual([0, 0.25, 1, 0, 1, 0.5, 0, 0, 0]);
    expect(filterImages(new Conv2d(3, 8, 5)).shape).toEqual([8, 3, 5, 5]);
  });
});

it("explanations are the same on another backend", async () => {
  const run = () => {
    manualSeed(4);
    const model = lenet5();
    const x = randn([2, 1, 28, 28]);
    return [saliency(model, x, [3, 4]), gradCam(model, x, "conv2", 1), filterImages(model.conv1)].map(read);
  };
  const want = run();
  setBackend(await wasm({ threads: 1 }));
  for (const [k, values] of run().entries()) {
    for (const [i, v] of values.entries()) expect(v).toBeCloseTo(want[k]![i]!, 4);
  }
});

import { checkGradients, compile, manualSeed, randn, type Tensor, tensor, zeros } from "@nn/tensor";
import { beforeEach, describe, expect, it } from "vitest";
import { GroupNorm } from "./group-norm.js";
import { InstanceNorm1d, InstanceNorm2d, InstanceNorm3d } from "./instance-norm.js";

const list = (t: Tensor) => Array.from(t.readSync());
const near = (want: readonly number[]) => want.map((v) => expect.closeTo(v, 5));

beforeEach(() => manualSeed(4));

describe("InstanceNorm", () => {
  it("normalises each channel of each sample", () => {
    const x = randn([2, 3, 4, 2]);
    const layer = new InstanceNorm2d(3, { affine: true });
    const state = { weight: tensor([1, 2, -1]), bias: tensor([0, 1, 2]) };
    layer.loadStateDict(state);
    const same = new GroupNorm(3, 3);
    same.loadStateDict(state);
    expect(list(layer.forward(x))).toEqual(near(list(same.forward(x))));
    expect(list(layer.eval().forward(x))).toEqual(near(list(same.forward(x))));
    const one = layer.forward(x.select(0, 1));
    expect(one.shape).toEqual([3, 4, 2]);
    expect(list(one)).toEqual(near(list(same.forward(x)).slice(24)));
  });

  it("keeps the means of the samples' statistics, if asked", () => {
    const layer = new InstanceNorm1d(1, { trackRunningStats: true, momentum: 0.5, eps: 0 });
    layer.forward(tensor([[[1, 3]], [[2, 10]]])); // means 2 and 6, unbiased variances 2 and 32
    expect(list(layer.running_mean!.value)).toEqual(near([2]));
    expect(list(layer.running_var!.value)).toEqual(near([0.5 + 0.5 * 17]));
    expect(list(layer.num_batches_tracked!.value)).toEqual([0]);
    expect(list(layer.eval().forward(tensor([[5, 8]])))).toEqual(near([3 / 3, 6 / 3]));
    expect(list(layer.running_mean!.value)).toEqual(near([2]));
  });

  it("has PyTorch's state: none by default", () => {
    expect(Object.keys(new InstanceNorm2d(3).stateDict())).toEqual([]);
    expect(Object.keys(new InstanceNorm2d(3, { affine: true, trackRunningStats: true }).stateDict())).toEqual([
      "weight",
      "bias",
      "running_mean",
      "running_var",
      "num_batches_tracked",
    ]);
  });

  it("has the gradients of finite differences, and is the same compiled", async () => {
    for (const training of [true, false]) {
      const layer = new InstanceNorm1d(2, { affine: true, trackRunningStats: true }).train(training);
      layer.weight!.value = tensor([1.5, -0.5]);
      await checkGradients((x) => layer.forward(x), [randn([2, 2, 4]), ...layer.parameters()]);
    }
    const [a, b] = [1, 2].map(() => new InstanceNorm3d(2, { trackRunningStats: true }));
    const run = compile((x: Tensor) => b!.forward(x));
    for (let i = 0; i < 3; i++) {
      const x = randn([2, 2, 3, 2, 2]);
      expect(list(run(x))).toEqual(near(list(a!.forward(x))));
    }
    expect(list(b!.running_var!.value)).toEqual(near(list(a!.running_var!.value)));
  });

  it("names the fault", () => {
    expect(() => new InstanceNorm2d(3).forward(zeros([2, 4, 5, 5]))).toThrow(
      "InstanceNorm2d: expected x (N, 3, H, W), got (2, 4, 5, 5): channel 4 ≠ numFeatures 3. Axis 1 has the channels.",
    );
    expect(() => new InstanceNorm1d(3).forward(zeros([4, 5]))).toThrow("channel 4 ≠ numFeatures 3. Axis 0 has the");
    expect(() => new InstanceNorm1d(3).forward(zeros([3]))).toThrow("expected x (N, 3, L) or (3, L), got (3)");
    expect(() => new InstanceNorm1d(3).forward(zeros([2, 3, 1]))).toThrow("expected more than one position");
  });
});

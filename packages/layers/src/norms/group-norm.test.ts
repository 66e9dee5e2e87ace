import { checkGradients, compile, manualSeed, randn, type Tensor, tensor, zeros } from "@nn/tensor";
import { beforeEach, describe, expect, it } from "vitest";
import { GroupNorm, groupNorm } from "./group-norm.js";
import { LayerNorm } from "./layer-norm.js";

const list = (t: Tensor) => Array.from(t.readSync());
const near = (want: readonly number[]) => want.map((v) => expect.closeTo(v, 5));

beforeEach(() => manualSeed(4));

describe("GroupNorm", () => {
  it("normalises groups of channels within each sample", () => {
    expect(list(groupNorm(tensor([[1, 3, 5, 9]]), 2, null, null, { eps: 0 }))).toEqual(near([-1, 1, -1, 1]));
    // One group is LayerNorm without weights; weights count per channel.
    const x = randn([2, 4, 3, 2]);
    const whole = new LayerNorm([4, 3, 2], { elementwiseAffine: false }).forward(x);
    const layer = new GroupNorm(1, 4);
    layer.loadStateDict({ weight: tensor([1, 2, 3, 4]), bias: tensor([4, 3, 2, 1]) });
    const want = list(whole).map((v, i) => v * ((Math.floor(i / 6) % 4) + 1) + 4 - (Math.floor(i / 6) % 4));
    expect(list(layer.forward(x))).toEqual(near(want));
    expect(list(layer.eval().forward(x))).toEqual(near(want));
  });

  it("has PyTorch's state", () => {
    expect(Object.keys(new GroupNorm(2, 4).stateDict())).toEqual(["weight", "bias"]);
    expect(new GroupNorm(2, 4, { affine: false }).parameters()).toEqual([]);
  });

  it("has the gradients of finite differences, and is the same compiled", async () => {
    const layer = new GroupNorm(2, 4);
    layer.weight!.value = randn([4]);
    await checkGradients((x) => layer.forward(x), [randn([2, 4, 3]), ...layer.parameters()]);
    const x = randn([2, 4, 3]);
    expect(list(compile((t: Tensor) => layer.forward(t))(x))).toEqual(near(list(layer.forward(x))));
  });

  it("names the fault", () => {
    expect(() => new GroupNorm(3, 4)).toThrow("GroupNorm: expected numGroups to divide the 4 channels, got 3");
    expect(() => new GroupNorm(1, 0)).toThrow("GroupNorm: expected numChannels to be a whole number ≥ 1, got 0");
    expect(() => new GroupNorm(2, 4).forward(zeros([2, 6, 3]))).toThrow(
      "GroupNorm: expected x (N, 4, …), got (2, 6, 3)",
    );
    expect(() => groupNorm(zeros([4]), 2)).toThrow("groupNorm: expected x (N, C, …), got (4)");
  });
});

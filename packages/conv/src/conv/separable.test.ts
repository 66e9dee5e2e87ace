import { randn, zeros } from "@nn/tensor";
import { describe, expect, it } from "vitest";
import { conv } from "./conv.js";
import { DepthwiseConv1d, DepthwiseConv2d, SeparableConv1d, SeparableConv2d } from "./separable.js";

describe("DepthwiseConv", () => {
  it("has kernels of their own for every channel", () => {
    const layer = new DepthwiseConv2d(3, [3, 2], { multiplier: 2, padding: 1 });
    expect(layer.weight.shape).toEqual([6, 1, 3, 2]);
    const x = randn([1, 3, 5, 5]);
    const second = conv(
      x.slice([null, [1, 2]]),
      layer.weight.value.slice([[2, 4]]),
      layer.bias!.value.slice([[2, 4]]),
      { padding: 1 },
    );
    const got = [
      ...layer
        .forward(x)
        .slice([null, [2, 4]])
        .readSync(),
    ];
    expect(got.length).toBe(second.size);
    for (const [i, v] of [...second.readSync()].entries()) expect(got[i]).toBeCloseTo(v, 5);
    expect(new DepthwiseConv1d(8, 5, { padding: "causal" }).forward(zeros([2, 8, 100])).shape).toEqual([2, 8, 100]);
    expect(() => new DepthwiseConv2d(3, 3, { multiplier: 0.5 })).toThrow(/^DepthwiseConv2d: expected outChannels/);
  });
});

describe("SeparableConv", () => {
  it("is depthwise, then pointwise, with one bias", () => {
    const layer = new SeparableConv2d(4, 6, 3, { stride: 2, padding: 1, multiplier: 2 });
    const shapes = Object.entries(layer.stateDict()).map(([k, v]) => [k, v.shape]);
    expect(Object.fromEntries(shapes)).toEqual({
      "depthwise.weight": [8, 1, 3, 3],
      "pointwise.weight": [6, 8, 1, 1],
      "pointwise.bias": [6],
    });
    expect(layer.forward(zeros([2, 4, 7, 7])).shape).toEqual([2, 6, 4, 4]);
    const plain = new SeparableConv1d(4, 6, 3, { bias: false });
    expect(Object.keys(plain.stateDict())).toEqual(["depthwise.weight", "pointwise.weight"]);
    expect(plain.forward(zeros([4, 7])).shape).toEqual([6, 5]);
  });
});

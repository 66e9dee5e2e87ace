import { checkGradients, Module, manualSeed, memory, pad, randn, scope, type Tensor, zeros } from "@nn/tensor";
import { describe, expect, it } from "vitest";
import { conv } from "./conv.js";
import { Conv1d, Conv2d, Conv3d } from "./layers.js";

describe("Conv layers", () => {
  it("have PyTorch's keys, shapes and first values", () => {
    manualSeed(0);
    const layer = new Conv2d(16, 64, [3, 5], { groups: 2 });
    const state = layer.stateDict();
    expect(Object.fromEntries(Object.entries(state).map(([k, v]) => [k, v.shape]))).toEqual({
      weight: [64, 8, 3, 5],
      bias: [64],
    });
    const bound = 1 / Math.sqrt(8 * 3 * 5);
    const values = [...state["weight"]!.readSync()];
    expect(Math.max(...values)).toBeLessThanOrEqual(bound);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(-bound);
    const variance = values.reduce((sum, v) => sum + v * v, 0) / values.length;
    expect(variance / (bound ** 2 / 3)).toBeCloseTo(1, 1);
    expect(Object.keys(new Conv1d(1, 2, 3, { bias: false }).stateDict())).toEqual(["weight"]);
    expect(layer).toMatchObject({
      stride: [1, 1],
      padding: [
        [0, 0],
        [0, 0],
      ],
      dilation: [1, 1],
      groups: 2,
      kernelSize: [3, 5],
    });
  });

  it("give PyTorch's sizes", () => {
    expect(new Conv1d(4, 8, 5, { padding: "same" }).forward(zeros([2, 4, 100])).shape).toEqual([2, 8, 100]);
    expect(new Conv2d(3, 16, 3, { stride: 2, padding: 1 }).forward(zeros([8, 3, 32, 32])).shape).toEqual([
      8, 16, 16, 16,
    ]);
    expect(new Conv3d(1, 4, [1, 3, 3]).forward(zeros([2, 1, 8, 16, 16])).shape).toEqual([2, 4, 8, 14, 14]);
    expect(new Conv2d(3, 2, 3).forward(zeros([3, 6, 7])).shape).toEqual([2, 4, 5]);
  });

  it.each(["reflect", "replicate", "circular"] as const)("pad with %s", async (paddingMode) => {
    const layer = new Conv2d(2, 3, [3, 4], { padding: "same", paddingMode });
    const x = randn([2, 2, 5, 6]);
    const want = conv(
      pad(
        x,
        [
          [1, 1],
          [1, 2],
        ],
        { mode: paddingMode },
      ),
      layer.weight.value,
      layer.bias!.value,
    );
    expect([...layer.forward(x).readSync()]).toEqual([...want.readSync()]);
    expect([...layer.forward(x.select(0, 1)).readSync()]).toEqual([...want.select(0, 1).readSync()]);
    await checkGradients((t: Tensor) => layer.forward(t).square(), [x, layer.weight, layer.bias!], { tolerance: 4e-3 });
  });

  it("resolve words of padding for the input, in every mode", () => {
    const x = randn([1, 2, 7, 8]);
    const layer = new Conv2d(2, 3, [4, 3], { padding: "same", stride: [3, 2], paddingMode: "circular" });
    const pairs = [
      [1, 2],
      [0, 1],
    ] as const;
    const around = pad(x, pairs, { mode: "circular" });
    const want = conv(around, layer.weight.value, layer.bias!.value, { stride: [3, 2] });
    expect([...layer.forward(x).readSync()]).toEqual([...want.readSync()]);
    expect(new Conv2d(2, 3, 3, { padding: "same", stride: 2 }).forward(x).shape).toEqual([1, 3, 4, 4]);
    const causal = new Conv1d(2, 3, 3, { padding: "causal", dilation: 2, paddingMode: "replicate" });
    expect(causal.padding).toEqual([[4, 0]]);
    expect(causal.forward(zeros([2, 2, 5])).shape).toEqual([2, 3, 5]);
  });

  it("leave nothing behind", () => {
    const layer = new Conv2d(2, 3, 3, { padding: 1, paddingMode: "reflect" });
    const x = randn([2, 6, 6]);
    const { tensors } = memory();
    layer.forward(x).dispose();
    scope(() => void new Conv2d(2, 3, 3));
    expect(memory().tensors).toBeLessThanOrEqual(tensors + 2); // the new layer's Variables
  });

  class Net extends Module {
    conv2 = new Conv2d(16, 32, 3);
    override forward(x: Tensor): Tensor {
      return this.conv2.forward(x);
    }
  }

  it.each<[string, () => unknown, RegExp]>([
    [
      "input",
      () => new Net().forward(zeros([64, 1, 28, 28])),
      /^Conv2d "conv2": expected x \(N, 16, H, W\), got \(64, 1, 28, 28\): channel 1 ≠ inChannels 16/,
    ],
    [
      "rank",
      () => new Conv1d(3, 4, 3, { padding: 1, paddingMode: "reflect" }).forward(zeros([7])),
      /^Conv1d: expected x \(N, 3, L\) or \(3, L\), got \(7\)/,
    ],
    [
      "groups",
      () => new Conv2d(3, 4, 3, { groups: 2 }),
      /^Conv2d: expected groups that divide 3 input and 4 output channels, got groups 2/,
    ],
    ["channels", () => new Conv2d(0, 4, 3), /^Conv2d: expected inChannels: an integer ≥ 1, got 0/],
    [
      "kernelSize",
      () => new Conv2d(1, 4, [3, 3, 3]),
      /^Conv2d: expected kernelSize: an integer ≥ 1, or 2 of them \(H, W\), got \[3,3,3\]/,
    ],
    [
      "paddingMode",
      () => new Conv2d(1, 4, 3, { paddingMode: "mirror" as "reflect" }),
      /^Conv2d: expected paddingMode "zeros" or .*, got "mirror"/,
    ],
    [
      "causal",
      () => new Conv2d(1, 4, 3, { padding: "causal" }),
      /^Conv2d: expected padding: .*"same" or "valid", got "causal"\. "causal" is for one axis/,
    ],
    [
      "reflect",
      () => new Conv1d(1, 1, 3, { padding: 3, paddingMode: "reflect" }).forward(zeros([1, 1, 3])),
      /^Conv1d: pad \("reflect"\): expected padding from 0 to 2/,
    ],
  ])("name the fault: %s", (_, f, message) => {
    expect(f).toThrow(message);
  });
});

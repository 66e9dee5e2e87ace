import { checkGradients, compile, manualSeed, randn, type Tensor, tensor, zeros } from "@nn/tensor";
import { beforeEach, describe, expect, it } from "vitest";
import { BatchNorm1d, BatchNorm2d, BatchNorm3d } from "./batch-norm.js";

const near = (want: readonly number[]) => want.map((v) => expect.closeTo(v, 5));
const list = (t: Tensor) => Array.from(t.readSync());

/** Mean and variances in double precision. */
function statistics(all: readonly number[]) {
  const mean = all.reduce((a, b) => a + b, 0) / all.length;
  const squares = all.reduce((s, v) => s + (v - mean) ** 2, 0);
  return { mean, biased: squares / all.length, unbiased: squares / (all.length - 1) };
}

beforeEach(() => manualSeed(4));

describe("BatchNorm", () => {
  it("normalises by the batch in training, and by the running statistics in evaluation", () => {
    const layer = new BatchNorm1d(2, { eps: 0.01 });
    const x = randn([6, 2]);
    const columns = [0, 1].map((c) => list(x).filter((_, i) => i % 2 === c));
    const stats = columns.map(statistics);
    const y = list(layer.forward(x));
    const want = list(x).map((v, i) => (v - stats[i % 2].mean) / Math.sqrt(stats[i % 2].biased + 0.01));
    expect(y).toEqual(near(want));
    // The running variance is the unbiased one.
    expect(list(layer.running_mean!.value)).toEqual(near(stats.map((s) => 0.1 * s.mean)));
    expect(list(layer.running_var!.value)).toEqual(near(stats.map((s) => 0.9 + 0.1 * s.unbiased)));
    expect(list(layer.num_batches_tracked!.value)).toEqual([1]);
    const [mean, variance] = [list(layer.running_mean!.value), list(layer.running_var!.value)];
    layer.eval();
    const evaluated = list(x).map((v, i) => (v - mean[i % 2]) / Math.sqrt(variance[i % 2] + 0.01));
    expect(list(layer.forward(x))).toEqual(near(evaluated));
    expect(layer.forward(x.slice([[0, 1]])).shape).toEqual([1, 2]);
    expect(list(layer.num_batches_tracked!.value)).toEqual([1]);
    expect(list(layer.running_mean!.value)).toEqual(mean);
  });

  it("averages all batches with momentum null", () => {
    const layer = new BatchNorm1d(1, { momentum: null });
    const batches = [randn([4, 1]), randn([4, 1]), randn([4, 1])];
    for (const x of batches) layer.forward(x);
    const stats = batches.map((x) => statistics(list(x)));
    const average = (f: (s: (typeof stats)[0]) => number) => stats.reduce((sum, s) => sum + f(s), 0) / 3;
    expect(list(layer.running_mean!.value)).toEqual(near([average((s) => s.mean)]));
    expect(list(layer.running_var!.value)).toEqual(near([average((s) => s.unbiased)]));
  });

  it("takes another momentum at any time, compiled too", () => {
    const [eager, compiled] = [new BatchNorm1d(1, { momentum: 0.5 }), new BatchNorm1d(1, { momentum: 0.5 })];
    const run = compile((x: Tensor) => compiled.forward(x));
    const go = (momentum: number | null, values: number[]) => {
      eager.momentum = compiled.momentum = momentum;
      const x = tensor(values).reshape([-1, 1]);
      eager.forward(x);
      run(x);
      expect(list(compiled.running_mean!.value)).toEqual(near(list(eager.running_mean!.value)));
      expect(list(compiled.running_var!.value)).toEqual(near(list(eager.running_var!.value)));
      return [...list(eager.running_mean!.value), ...list(eager.running_var!.value)];
    };
    expect(go(0.5, [1, 3])).toEqual(near([1, 1.5])); // 0 → 1, 1 → (1 + 2) / 2
    expect(go(0, [5, 9])).toEqual(near([1, 1.5]));
    expect(go(null, [4, 4])).toEqual(near([1 + (4 - 1) / 3, 1])); // the third batch has a third
    expect(() => {
      eager.momentum = 2;
    }).toThrow("BatchNorm1d: expected momentum from 0 to 1");
  });

  it("has PyTorch's state, of which buffers are not trained", () => {
    const keys = ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"];
    const layer = new BatchNorm2d(3);
    const state = layer.stateDict();
    expect(Object.keys(state)).toEqual(keys);
    expect(keys.map((k) => state[k].shape)).toEqual([[3], [3], [3], [3], []]);
    expect(state["num_batches_tracked"].dtype).toBe("i32");
    expect(layer.parameters()).toEqual([layer.weight, layer.bias]);
    expect(Object.keys(new BatchNorm2d(3, { affine: false }).stateDict())).toEqual(keys.slice(2));
    expect(Object.keys(new BatchNorm2d(3, { trackRunningStats: false }).stateDict())).toEqual(keys.slice(0, 2));
  });

  it("without running statistics uses the batch in evaluation, too", () => {
    const layer = new BatchNorm1d(2, { trackRunningStats: false });
    const x = randn([6, 2]);
    const trained = list(layer.forward(x));
    expect(list(layer.eval().forward(x))).toEqual(trained);
    expect(() => layer.forward(randn([1, 2]))).toThrow("expected more than one value per channel");
  });

  it("keeps gradients out of the running statistics, and agrees with finite differences", async () => {
    for (const training of [true, false]) {
      const layer = new BatchNorm2d(2).train(training);
      layer.weight!.value = tensor([1.5, -0.5]);
      await checkGradients((x) => layer.forward(x), [randn([3, 2, 2, 2]), ...layer.parameters()]);
    }
  });

  it("updates its state in a compiled function as in an eager one", () => {
    const [a, b] = [new BatchNorm2d(3), new BatchNorm2d(3)];
    const run = compile((x: Tensor) => b.forward(x));
    for (let i = 0; i < 3; i++) {
      const x = randn([2, 3, 4, 4]);
      expect(list(run(x))).toEqual(near(list(a.forward(x))));
    }
    for (const [key, t] of Object.entries(a.stateDict())) expect(list(b.stateDict()[key])).toEqual(near(list(t)));
    b.eval();
    const x = randn([2, 3, 4, 4]);
    expect(list(run(x))).toEqual(near(list(a.eval().forward(x))));
    expect(list(b.num_batches_tracked!.value)).toEqual([3]);
  });

  it("takes the shapes of its dimension only", () => {
    expect(new BatchNorm1d(3).forward(randn([4, 3, 5])).shape).toEqual([4, 3, 5]);
    expect(new BatchNorm3d(3).forward(randn([2, 3, 2, 2, 2])).shape).toEqual([2, 3, 2, 2, 2]);
    expect(() => new BatchNorm2d(16).forward(zeros([64, 1, 28, 28]))).toThrow(
      "BatchNorm2d: expected x (N, 16, H, W), got (64, 1, 28, 28): channel 1 ≠ numFeatures 16. Axis 1 has the channels.",
    );
    expect(() => new BatchNorm1d(4).forward(zeros([2, 4, 3, 3]))).toThrow(
      "expected x (N, 4) or (N, 4, L), got (2, 4, 3, 3)",
    );
    expect(() => new BatchNorm2d(4).forward(zeros([1, 4, 1, 1]))).toThrow(
      "expected more than one value per channel to take the variance of, got (1, 4, 1, 1)",
    );
    expect(() => new BatchNorm2d(0)).toThrow("BatchNorm2d: expected numFeatures to be a whole number ≥ 1");
    expect(() => new BatchNorm2d(1, { momentum: 2 })).toThrow("BatchNorm2d: expected momentum from 0 to 1");
  });
});

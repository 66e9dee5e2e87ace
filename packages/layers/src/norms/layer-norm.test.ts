import { checkGradients, compile, manualSeed, randn, type Tensor, tensor, zeros } from "@nn/tensor";
import { beforeEach, describe, expect, it } from "vitest";
import { LayerNorm } from "./layer-norm.js";

const near = (want: readonly number[]) => want.map((v) => expect.closeTo(v, 5));
const list = (t: Tensor) => Array.from(t.readSync());

/** Mean and variances in double precision. */
function statistics(all: readonly number[]) {
  const mean = all.reduce((a, b) => a + b, 0) / all.length;
  const squares = all.reduce((s, v) => s + (v - mean) ** 2, 0);
  return { mean, biased: squares / all.length, unbiased: squares / (all.length - 1) };
}

beforeEach(() => manualSeed(4));

describe("LayerNorm", () => {
  it("normalises the last axes by the biased variance", () => {
    const layer = new LayerNorm([2, 3], { eps: 0.1 });
    layer.loadStateDict({
      weight: tensor([
        [1, 2, 3],
        [4, 5, 6],
      ]),
      bias: tensor([
        [0, 1, 0],
        [1, 0, 1],
      ]),
    });
    const x = randn([4, 2, 3]);
    const want = Array.from({ length: 4 }, (_, n) => {
      const row = list(x).slice(6 * n, 6 * n + 6);
      const { mean, biased } = statistics(row);
      return row.map((v, i) => ((v - mean) / Math.sqrt(biased + 0.1)) * (i + 1) + [0, 1, 0, 1, 0, 1][i]);
    });
    expect(list(layer.forward(x))).toEqual(near(want.flat()));
  });

  it("has PyTorch's state: weight 1 and bias 0, or none", async () => {
    const layer = new LayerNorm(3);
    expect(await layer.weight?.value.toArray()).toEqual([1, 1, 1]);
    expect(await layer.bias?.value.toArray()).toEqual([0, 0, 0]);
    expect(Object.keys(new LayerNorm(3, { bias: false }).stateDict())).toEqual(["weight"]);
    expect(new LayerNorm(3, { elementwiseAffine: false }).parameters()).toEqual([]);
  });

  it("has the gradients of finite differences, and is the same compiled", async () => {
    const layer = new LayerNorm(5);
    layer.weight!.value = randn([5]);
    await checkGradients((x) => layer.forward(x), [randn([3, 5]), ...layer.parameters()]);
    const x = randn([3, 5]);
    expect(list(compile((t: Tensor) => layer.forward(t))(x))).toEqual(near(list(layer.forward(x))));
  });

  it("refuses other shapes", () => {
    expect(() => new LayerNorm([4, 6]).forward(zeros([3, 6, 4]))).toThrow(
      /LayerNorm: expected x \(…, 4, 6\), got \(3, 6, 4\)/,
    );
    expect(() => new LayerNorm([4, 6]).forward(zeros([6]))).toThrow("got (6)");
    expect(() => new LayerNorm(0)).toThrow("LayerNorm: expected normalizedShape to be a whole number ≥ 1, got 0");
    expect(() => new LayerNorm([])).toThrow("LayerNorm: expected the number of axes of normalizedShape to be");
    expect(() => new LayerNorm(3, { eps: -1 })).toThrow("LayerNorm: expected eps to be a number ≥ 0, got -1");
  });
});

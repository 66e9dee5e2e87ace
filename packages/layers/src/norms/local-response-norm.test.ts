import { checkGradients, compile, manualSeed, ones, randn, type Tensor, tensor, zeros } from "@nn/tensor";
import { beforeEach, describe, expect, it } from "vitest";
import { LocalResponseNorm, localResponseNorm } from "./local-response-norm.js";

const list = (t: Tensor) => Array.from(t.readSync());
const near = (want: readonly number[]) => want.map((v) => expect.closeTo(v, 5));

beforeEach(() => manualSeed(4));

describe("LocalResponseNorm", () => {
  it("divides by the squares of neighbouring channels", () => {
    const x = tensor([[[1], [2], [3], [4]]]);
    const options = { alpha: 0.5, beta: 1, k: 2 };
    const want = (before: number, after: number) =>
      [1, 2, 3, 4].map((v, i, all) => {
        const near = all.slice(Math.max(0, i - before), i + after + 1);
        return v / (2 + (0.5 * near.reduce((sum, w) => sum + w * w, 0)) / (before + after + 1));
      });
    expect(list(localResponseNorm(x, 3, options))).toEqual(near(want(1, 1)));
    expect(list(localResponseNorm(x, 2, options))).toEqual(near(want(1, 0)));
    expect(list(new LocalResponseNorm(1, { alpha: 3, beta: 0.5 }).forward(ones([1, 1, 1])))).toEqual(near([0.5]));
  });

  it("has the gradients of finite differences, and is the same compiled", async () => {
    const layer = new LocalResponseNorm(3, { alpha: 1 });
    await checkGradients((x) => layer.forward(x), [randn([2, 5, 3])]);
    const x = randn([2, 5, 3]);
    expect(list(compile((t: Tensor) => layer.forward(t))(x))).toEqual(near(list(layer.forward(x))));
  });

  it("names the fault", () => {
    expect(() => new LocalResponseNorm(0)).toThrow("LocalResponseNorm: expected size to be a whole number ≥ 1, got 0");
    expect(() => new LocalResponseNorm(3, { beta: Number.NaN })).toThrow(
      "expected beta to be a finite number, got NaN",
    );
    expect(() => new LocalResponseNorm(3).forward(zeros([2, 3]))).toThrow(
      "LocalResponseNorm: expected x (N, C, …) with at least 3 axes, got (2, 3)",
    );
  });
});

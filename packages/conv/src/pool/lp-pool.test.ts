import { checkGradients, compile, grad, NNError, randn, type Tensor, tensor, zeros } from "@nn/tensor";
import { describe, expect, it } from "vitest";
import { LPPool1d, LPPool2d, LPPool3d, lpPool } from "./lp-pool.js";

const list = (t: Tensor) => Array.from(t.readSync());
const near = (want: readonly number[]) => want.map((v) => expect.closeTo(v, 5));

describe("lpPool", () => {
  it("is the p-norm of every window", () => {
    const x = tensor([[[3, -4, 5, 12, 1, 2]]]);
    expect(list(lpPool(x, 1, 2))).toEqual(near([-1, 17, 3]));
    expect(list(lpPool(x, 2, 2))).toEqual(near([5, 13, Math.sqrt(5)]));
    expect(list(lpPool(x.abs(), 3, [2], { stride: 3 }))).toEqual(near([Math.cbrt(27 + 64), Math.cbrt(1728 + 1)]));
    // As PyTorch: of the last window there is one element, which counts for both.
    expect(list(lpPool(x.slice([null, null, [0, 3]]), 2, 2, { ceilMode: true }))).toEqual(near([5, Math.sqrt(50)]));
  });

  it("has the gradients of finite differences, 0 where a sum is 0, and is the same compiled", async () => {
    const f = (t: Tensor) => lpPool(t, 2, [2, 3], { stride: 1 });
    const x = randn([1, 2, 4, 5]);
    await checkGradients(f, [x]);
    expect(list(compile(f)(x))).toEqual(near(list(f(x))));
    for (const p of [2, 3]) {
      const none = zeros([1, 1, 2]);
      expect(list(grad(() => lpPool(none, p, 2).sum(), [none])[0]!)).toEqual([0, 0]);
      expect(list(lpPool(none, p, 2))).toEqual([0]);
    }
  });

  it("gives PyTorch's sizes, with a batch or without", () => {
    expect(new LPPool1d(2, 3).forward(zeros([2, 4, 11])).shape).toEqual([2, 4, 3]);
    expect(new LPPool2d(2, 3, { stride: 2, ceilMode: true }).forward(zeros([4, 8, 10])).shape).toEqual([4, 4, 5]);
    expect(new LPPool3d(1, [1, 2, 2]).forward(zeros([2, 4, 8, 6, 6])).shape).toEqual([2, 4, 8, 3, 3]);
  });

  it.each<[string, () => unknown, string]>([
    ["p", () => new LPPool2d(0, 2), "LPPool2d: expected normType: a number > 0, got 0"],
    ["kernel", () => new LPPool1d(2, 0), "LPPool1d: expected kernelSize: an integer ≥ 1, got 0"],
    ["x", () => new LPPool2d(2, 5).forward(zeros([1, 1, 4, 9])), "expected H ≥ 5 for a kernel of 5"],
  ])("names the fault: %s", (_, f, message) => {
    expect(f).toThrow(NNError);
    expect(f).toThrow(message);
  });
});

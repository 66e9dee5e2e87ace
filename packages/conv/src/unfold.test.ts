import { matmul, memory, ones, randn, zeros } from "@nn/tensor";
import { describe, expect, it } from "vitest";
import { conv } from "./conv/conv.js";
import { Fold, fold, Unfold, unfold } from "./unfold.js";

const options = { stride: [2, 1], padding: [1, 0], dilation: [1, 2] };

describe("unfold", () => {
  it("and a product make a convolution", () => {
    const [x, w] = [randn([2, 3, 6, 7]), randn([4, 3, 3, 2])];
    const columns = unfold(x, [3, 2], options);
    expect(columns.shape).toEqual([2, 18, 15]);
    const got = [...matmul(w.reshape([4, 18]), columns).readSync()];
    const want = conv(x, w, null, options).readSync();
    expect(got.length).toBe(want.length);
    for (const [i, v] of [...want].entries()) expect(got[i]).toBeCloseTo(v, 4);
  });

  it("takes one image, and leaves nothing behind", () => {
    const x = randn([3, 8, 8]);
    const { tensors } = memory();
    const y = new Unfold(2, { stride: 2 }).forward(x);
    expect(y.shape).toEqual([12, 16]);
    y.dispose();
    expect(memory().tensors).toBe(tensors);
  });
});

describe("fold", () => {
  it("is the adjoint: ⟨unfold(x), c⟩ = ⟨x, fold(c)⟩", () => {
    const x = randn([2, 3, 6, 7]);
    const columns = unfold(x, [3, 2], options);
    const c = randn(columns.shape);
    const y = fold(c, [6, 7], [3, 2], options);
    expect(y.shape).toEqual(x.shape);
    expect(columns.mul(c).sum().readSync()[0]).toBeCloseTo(x.mul(y).sum().readSync()[0]!, 3);
  });

  it("adds where windows overlap", () => {
    expect([...new Fold([1, 4], [1, 2]).forward(ones([2, 3])).readSync()]).toEqual([1, 2, 2, 1]);
    expect(fold(zeros([12, 16]), 8, 2, { stride: 2 }).shape).toEqual([3, 8, 8]);
  });

  it("names the fault", () => {
    expect(() => fold(zeros([1, 12, 15]), 8, 2, { stride: 2 })).toThrow(
      /expected x \(N, C · 4, 16\) or \(C · 4, 16\): \(4, 4\) windows of \(2, 2\), got \(1, 12, 15\)/,
    );
    expect(() => fold(zeros([1, 12, 16]), 1, 2)).toThrow(/^fold: expected H ≥ 2 for a kernel of 2/);
    expect(() => unfold(zeros([8, 8]), 2)).toThrow(/^unfold: expected x \(N, C, H, W\) or \(C, H, W\), got \(8, 8\)/);
    expect(() => unfold(zeros([1, 1, 2, 8]), 3)).toThrow(/^unfold: expected H ≥ 3 for a kernel of 3/);
    expect(() => new Unfold(0)).toThrow(/^Unfold: expected kernelSize/);
    expect(() => new Fold(8, 2, { stride: [1, 2, 3] })).toThrow(/^Fold: expected stride/);
  });
});

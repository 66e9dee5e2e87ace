import { compile, grad, NNError, randn, type Tensor, tensor, valueAndGrad, zeros } from "@nn/tensor";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AdaptiveSize, adaptiveAvgPool, adaptiveMaxPool, adaptiveMaxPoolWithIndices } from "./adaptive.js";
import {
  AdaptiveAvgPool1d,
  AdaptiveAvgPool2d,
  AdaptiveAvgPool3d,
  AdaptiveMaxPool1d,
  AdaptiveMaxPool2d,
  AdaptiveMaxPool3d,
} from "./adaptive-layers.js";

const list = (t: Tensor) => Array.from(t.readSync());
const near = (want: readonly number[]) => want.map((v) => expect.closeTo(v, 5));
const sizes = fc.array(fc.record({ size: fc.integer({ min: 1, max: 7 }), out: fc.integer({ min: 1, max: 8 }) }), {
  minLength: 1,
  maxLength: 3,
});

/** The windows of PyTorch's definition: the flat positions of each. */
function windows(size: readonly number[], out: readonly number[]): number[][] {
  return size.reduce<number[][]>(
    (all, d, axis) =>
      all.flatMap((before) =>
        Array.from({ length: out[axis]! }, (_, i) => {
          const start = Math.floor((i * d) / out[axis]!);
          const end = Math.ceil(((i + 1) * d) / out[axis]!);
          return before.flatMap((at) => Array.from({ length: end - start }, (_, j) => at * d + start + j));
        }),
      ),
    [[0]],
  );
}

describe("adaptive pooling", () => {
  it("is what the definition says: means, maxima, their positions, and gradients", () => {
    fc.assert(
      fc.property(sizes, (axes) => {
        const [size, out] = [axes.map((a) => a.size), axes.map((a) => a.out)];
        const x = randn([1, 2, ...size])
          .mul(2)
          .round()
          .add(0.5); // with ties, and no −0
        const [data, plane] = [list(x), x.size / 2];
        const means: number[] = [];
        const maxima: number[] = [];
        const positions: number[] = [];
        const [meanGrad, maxGrad] = [new Array<number>(x.size).fill(0), new Array<number>(x.size).fill(0)];
        for (const first of [0, plane]) {
          for (const window of windows(size, out)) {
            const values = window.map((at) => data[first + at]!);
            means.push(values.reduce((a, b) => a + b) / values.length);
            const best = values.indexOf(Math.max(...values));
            maxima.push(values[best]!);
            positions.push(window[best]!);
            const ct = means.length;
            for (const at of window) meanGrad[first + at]! += ct / window.length;
            maxGrad[first + window[best]!]! += ct;
          }
        }
        const ct = tensor(means.map((_, i) => i + 1)).reshape([1, 2, ...out]);
        const [mean, { values, indices }] = [adaptiveAvgPool(x, out), adaptiveMaxPoolWithIndices(x, out)];
        expect([mean.shape, values.shape, indices.shape]).toEqual(new Array(3).fill([1, 2, ...out]));
        expect(list(mean)).toEqual(near(means));
        expect(list(values)).toEqual(maxima);
        expect(list(indices)).toEqual(positions);
        const close = (got: number[], want: number[]) =>
          got.forEach((v, i) => {
            expect(Math.abs(v - want[i]!)).toBeLessThanOrEqual(1e-5 * Math.max(1, Math.abs(want[i]!)));
          });
        close(list(grad(() => adaptiveAvgPool(x, out).mul(ct).sum(), [x])[0]!), meanGrad);
        close(list(grad(() => adaptiveMaxPool(x, out).mul(ct).sum(), [x])[0]!), maxGrad);
      }),
      { numRuns: 150, seed: 1 },
    );
  });

  it("compiles to the same", () => {
    for (const out of [
      [3, 2],
      [1, 1],
      [2, 7],
      [null, 3],
    ] satisfies AdaptiveSize[]) {
      const x = randn([2, 3, 6, 7]);
      const f = (t: Tensor) =>
        valueAndGrad(() => adaptiveAvgPool(t, out).square().sum().add(adaptiveMaxPool(t, out).square().sum()), [t]);
      const [value, [gx]] = f(x);
      const [value2, [gx2]] = compile(f)(x);
      expect(value2.readSync()[0]! / value.readSync()[0]!).toBeCloseTo(1, 5);
      expect(list(gx2!)).toEqual(list(gx!).map((v) => expect.closeTo(v, 4)));
    }
  });

  it("lets NaN and infinities through in their own windows only", () => {
    const [n, i] = [Number.NaN, Number.POSITIVE_INFINITY];
    const x = tensor([[[1, 2, n, 3, 4, 5, i]]]);
    expect(list(adaptiveAvgPool(x, 4))).toEqual([1.5, n, 4, i]);
    expect(list(adaptiveMaxPool(x, 4))).toEqual([2, n, 5, i]);
    expect(list(adaptiveMaxPoolWithIndices(x, 4).indices)).toEqual([1, 2, 5, 6]);
  });
});

describe("adaptive layers", () => {
  it("give PyTorch's sizes, with a batch or without", () => {
    expect(new AdaptiveAvgPool1d(5).forward(zeros([2, 4, 11])).shape).toEqual([2, 4, 5]);
    expect(new AdaptiveAvgPool2d([null, 2]).forward(zeros([4, 5, 7])).shape).toEqual([4, 5, 2]);
    expect(new AdaptiveAvgPool3d(1).forward(zeros([2, 4, 3, 5, 7])).shape).toEqual([2, 4, 1, 1, 1]);
    expect(new AdaptiveMaxPool1d(1).forward(zeros([4, 11])).shape).toEqual([4, 1]);
    expect(new AdaptiveMaxPool2d([3, 1]).forward(zeros([2, 4, 5, 7])).shape).toEqual([2, 4, 3, 1]);
    expect(new AdaptiveMaxPool3d(2).forwardWithIndices(zeros([4, 3, 5, 7])).indices.shape).toEqual([4, 2, 2, 2]);
  });

  it.each<[string, () => unknown, string]>([
    ["size", () => new AdaptiveAvgPool2d(0), "AdaptiveAvgPool2d: expected outputSize: an integer ≥ 1 or null, or 2 of"],
    ["axes", () => new AdaptiveMaxPool3d([1, 2]), "or 3 of them (D, H, W), got [1,2]"],
    ["rank", () => new AdaptiveAvgPool2d(1).forward(zeros([4, 4])), "x (N, C, H, W) or (C, H, W), got (4, 4)"],
    ["no axis", () => adaptiveAvgPool(zeros([4, 4]), 1), "expected 1, 2 or 3 spatial axes, got x (4, 4)"],
  ])("name the fault: %s", (_, f, message) => {
    expect(f).toThrow(NNError);
    expect(f).toThrow(message);
  });
});

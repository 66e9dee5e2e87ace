import { compile, type Tensor, tensor } from "@nn/tensor";
import { describe, expect, it } from "vitest";
import { clipEachGradNorm, clipGradNorm, clipGradValue } from "./clip.js";

const list = (t: Tensor) => Array.from(t.readSync());
const near = (want: readonly number[]) => want.map((v) => expect.closeTo(v, 5));
const given = () => [tensor([[3, -4]]), tensor([12])];

describe("clipGradNorm", () => {
  it.each([
    [2, 13],
    [1, 19],
    [Number.POSITIVE_INFINITY, 12],
    [3, (27 + 64 + 1728) ** (1 / 3)],
  ])("scales all by the same factor, norm of type %s", (normType, total) => {
    const { gradients, totalNorm } = clipGradNorm(given(), 2, { normType });
    expect(totalNorm.shape).toEqual([]);
    expect(list(totalNorm)).toEqual(near([total]));
    const factor = 2 / (total + 1e-6);
    expect(gradients.map((g) => g.shape)).toEqual([[1, 2], [1]]);
    expect(gradients.flatMap(list)).toEqual(near([3, -4, 12].map((v) => v * factor)));
  });

  it("leaves small gradients as they are", () => {
    expect(clipGradNorm(given(), 20).gradients.flatMap(list)).toEqual([3, -4, 12]);
    expect(clipGradNorm([tensor([0, 0])], 1).gradients.flatMap(list)).toEqual([0, 0]);
  });

  it("is the same compiled", () => {
    const { gradients, totalNorm } = compile((a: Tensor, b: Tensor) => clipGradNorm([a, b], 6.5))(
      ...(given() as [Tensor, Tensor]),
    );
    expect(list(totalNorm)).toEqual(near([13]));
    expect(gradients.flatMap(list)).toEqual(near([1.5, -2, 6]));
  });

  it("refuses what makes no sense", () => {
    expect(() => clipGradNorm([], 1)).toThrow("clipGradNorm: expected at least one gradient, got none");
    expect(() => clipGradNorm(given(), -1)).toThrow(
      "clipGradNorm: expected maxNorm ≥ 0 and normType > 0, got -1 and 2",
    );
    expect(() => clipGradNorm(given(), 1, { normType: 0 })).toThrow("got 1 and 0");
  });
});

describe("clipEachGradNorm", () => {
  it("scales each by itself", () => {
    expect(clipEachGradNorm(given(), 6).flatMap(list)).toEqual(near([3, -4, 6]));
    expect(clipEachGradNorm(given(), 2, { normType: Number.POSITIVE_INFINITY }).flatMap(list)).toEqual(
      near([1.5, -2, 2]),
    );
    expect(() => clipEachGradNorm(given(), -1)).toThrow("clipGradNorm: expected maxNorm ≥ 0");
  });
});

describe("clipGradValue", () => {
  it("clamps every element", () => {
    expect(clipGradValue(given(), 3.5).flatMap(list)).toEqual([3, -3.5, 3.5]);
    expect(() => clipGradValue(given(), -1)).toThrow("clipGradValue: expected clipValue ≥ 0, got -1");
  });
});

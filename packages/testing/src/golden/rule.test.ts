import { describe, expect, it } from "vitest";
import type { GoldenTensor } from "./case.js";
import { compare } from "./rule.js";

const f32 = (data: number[], f32Err = 0, scale = 1): GoldenTensor => ({
  shape: [data.length],
  dtype: "f32",
  data: Float32Array.from(data),
  f32Err,
  scale,
});
const i32 = (data: number[]): GoldenTensor => ({
  shape: [data.length],
  dtype: "i32",
  data: Int32Array.from(data),
  f32Err: 0,
  scale: 1,
});
const got = (...data: number[]) => ({ shape: [data.length], data: Float32Array.from(data) });
const ratio = (g: Parameters<typeof compare>[0], want: GoldenTensor) => compare(g, want).ratio;

describe("the rule", () => {
  it("allows the greatest of 10 · f32_err, 3e-6 · scale and 1e-7", () => {
    expect(ratio({ shape: [1], data: [1 + 2.9e-6] }, f32([1]))).toBeLessThan(1);
    expect(ratio({ shape: [1], data: [1 + 3.1e-6] }, f32([1]))).toBeGreaterThan(1);
    expect(ratio({ shape: [1], data: [1 + 9e-6] }, f32([1], 1e-6))).toBeLessThan(1);
    expect(ratio({ shape: [1], data: [0.9e-7] }, f32([0], 0, 0))).toBeLessThan(1);
    expect(ratio({ shape: [1], data: [1.1e-7] }, f32([0], 0, 0))).toBeGreaterThan(1);
  });

  it("takes NaN, infinities and integers exactly", () => {
    const [nan, inf] = [Number.NaN, Number.POSITIVE_INFINITY];
    expect(ratio(got(nan, inf, -inf), f32([nan, inf, -inf]))).toBe(0);
    expect(ratio(got(0), f32([nan]))).toBe(inf);
    expect(ratio(got(nan), f32([0]))).toBe(inf);
    expect(ratio(got(inf), f32([-inf]))).toBe(inf);
    expect(ratio(got(3e38), f32([inf]))).toBe(inf);
    expect(ratio({ shape: [2], data: Int32Array.of(1, 2) }, i32([1, 2]))).toBe(0);
    expect(ratio({ shape: [2], data: Int32Array.of(1, 3) }, i32([1, 2]))).toBe(inf);
  });

  it("wants the shape and the kind of number", () => {
    expect(compare({ shape: [1, 2], data: Float32Array.of(1, 2) }, f32([1, 2])).fault).toBe(
      "shape (1,2) instead of (2)",
    );
    expect(compare(got(1), i32([1])).fault).toBe("f32 instead of integers");
    expect(compare({ shape: [1], data: Int32Array.of(1) }, f32([1])).fault).toBe("integers instead of f32");
  });
});

import { Generator, manualSeed, memory } from "@nn/tensor";
import { describe, expect, it } from "vitest";
import * as init from "./init.js";

const SHAPE = [60, 40, 3, 3]; // fanIn 360, fanOut 540

describe("init", () => {
  it("counts fans as PyTorch", () => {
    expect(init.fanInAndFanOut([7, 5])).toEqual({ fanIn: 5, fanOut: 7 });
    expect(init.fanInAndFanOut(SHAPE)).toEqual({ fanIn: 360, fanOut: 540 });
    expect(() => init.fanInAndFanOut([3])).toThrow(
      "init: expected a shape with at least two axes (out, in, …), got (3)",
    );
  });

  it("knows PyTorch's gains", () => {
    expect(init.calculateGain("linear")).toBe(1);
    expect(init.calculateGain("tanh")).toBe(5 / 3);
    expect(init.calculateGain("relu")).toBe(Math.SQRT2);
    expect(init.calculateGain("leakyRelu", 0.2)).toBeCloseTo(Math.sqrt(2 / 1.04), 12);
    expect(init.calculateGain("selu")).toBe(0.75);
    expect(() => init.calculateGain("cube" as "relu")).toThrow('expected nonlinearity "linear" or "sigmoid"');
  });

  it.each([
    ["xavierUniform", () => init.xavierUniform(SHAPE), Math.sqrt(6 / 900)],
    ["xavierUniform, gain 2", () => init.xavierUniform(SHAPE, { gain: 2 }), 2 * Math.sqrt(6 / 900)],
    ["kaimingUniform", () => init.kaimingUniform(SHAPE), Math.sqrt(6 / 360)],
    ["kaimingUniform, fanOut", () => init.kaimingUniform(SHAPE, { mode: "fanOut" }), Math.sqrt(6 / 540)],
    ["kaimingUniform, a = √5", () => init.kaimingUniform(SHAPE, { a: Math.sqrt(5) }), Math.sqrt(1 / 360)],
    ["kaimingUniform, tanh", () => init.kaimingUniform(SHAPE, { nonlinearity: "tanh" }), (5 / 3) * Math.sqrt(3 / 360)],
    ["uniform", () => init.uniform(SHAPE, -3, 3), 3],
  ])("%s fills its bound evenly", async (_, make, bound) => {
    manualSeed(6);
    const all = Array.from(await make().read());
    const [low, high] = [Math.min(...all), Math.max(...all)];
    expect(low).toBeGreaterThanOrEqual(-bound * 1.000001);
    expect(high).toBeLessThanOrEqual(bound * 1.000001);
    expect(high - low).toBeGreaterThan(1.998 * bound);
    const variance = all.reduce((s, v) => s + v * v, 0) / all.length;
    expect(variance / (bound ** 2 / 3)).toBeCloseTo(1, 1);
  });

  it.each([
    ["xavierNormal", () => init.xavierNormal(SHAPE), Math.sqrt(2 / 900)],
    ["kaimingNormal", () => init.kaimingNormal(SHAPE), Math.sqrt(2 / 360)],
    [
      "kaimingNormal, fanOut",
      () => init.kaimingNormal(SHAPE, { mode: "fanOut", nonlinearity: "relu" }),
      Math.sqrt(2 / 540),
    ],
    ["normal", () => init.normal(SHAPE, 0, 0.02), 0.02],
  ])("%s has its standard deviation", async (_, make, std) => {
    manualSeed(7);
    const all = Array.from(await make().read());
    const variance = all.reduce((s, v) => s + v * v, 0) / all.length;
    expect(Math.sqrt(variance) / std).toBeGreaterThan(0.98);
    expect(Math.sqrt(variance) / std).toBeLessThan(1.02);
  });

  it("gives constants, means, and the same for the same seed", async () => {
    expect(await init.constant([2], 3).toArray()).toEqual([3, 3]);
    expect(await init.zeros([2]).toArray()).toEqual([0, 0]);
    expect(await init.ones([2]).toArray()).toEqual([1, 1]);
    const mean = Array.from(await init.normal([10_000], 5).read()).reduce((a, b) => a + b, 0) / 10_000;
    expect(mean).toBeCloseTo(5, 1);
    const seeded = () => init.kaimingNormal([3, 4], { generator: new Generator(8) }).toArray();
    expect(await seeded()).toEqual(await seeded());
  });

  it("refuses what makes no sense, and leaves nothing behind", () => {
    expect(() => init.uniform([2], 1, -1)).toThrow("init.uniform: expected high to be a number ≥ 1, got -1");
    expect(() => init.normal([2], 0, -1)).toThrow("init.normal: expected std to be a number ≥ 0, got -1");
    expect(() => init.kaimingUniform([2, 2], { mode: "fan_in" as "fanIn" })).toThrow(
      'expected mode "fanIn" or "fanOut", got "fan_in"',
    );
    const before = memory().bytes;
    const t = init.xavierUniform([4, 4]);
    expect(memory().bytes - before).toBe(64);
    t.dispose();
  });
});

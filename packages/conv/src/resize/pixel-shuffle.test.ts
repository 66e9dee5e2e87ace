import { arange, zeros } from "@nn/tensor";
import { describe, expect, it } from "vitest";
import { PixelShuffle, PixelUnshuffle } from "./layers.js";
import { pixelShuffle, pixelUnshuffle } from "./pixel-shuffle.js";

describe("pixelShuffle", () => {
  it("takes the pixels of each square from the channels in order", () => {
    const y = pixelShuffle(arange(8).reshape([4, 1, 2]), 2);
    expect(y.shape).toEqual([1, 2, 4]);
    expect([...y.readSync()]).toEqual([0, 2, 1, 3, 4, 6, 5, 7]);
  });

  it("is undone by pixelUnshuffle, with any axes in front", () => {
    const x = arange(2 * 3 * 18 * 2).reshape([2, 3, 18, 2, 1]);
    const y = pixelShuffle(x, 3);
    expect(y.shape).toEqual([2, 3, 2, 6, 3]);
    const back = pixelUnshuffle(y, 3);
    expect(back.shape).toEqual(x.shape);
    expect([...back.readSync()]).toEqual([...x.readSync()]);
  });

  it("names the fault", () => {
    expect(() => pixelShuffle(zeros([6, 2, 2]), 2)).toThrow(/with channels that 2² = 4 divides, got \(6, 2, 2\)/);
    expect(() => pixelUnshuffle(zeros([1, 3, 2]), 2)).toThrow(/with height and width that 2 divides, got \(1, 3, 2\)/);
    expect(() => pixelShuffle(zeros([4, 4]), 2)).toThrow(/expected x \(…, C, H, W\)/);
    expect(() => new PixelShuffle(0)).toThrow(/^PixelShuffle: expected upscaleFactor/);
    expect(() => new PixelUnshuffle(1.5)).toThrow(/^PixelUnshuffle: expected downscaleFactor/);
  });
});

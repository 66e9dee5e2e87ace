import { describe, expect, it } from "vitest";
import { PIXELS } from "./dataset.js";
import { drawDigit, drawDigits } from "./digits.js";
import { random } from "./random.js";

describe("drawDigits", () => {
  const set = drawDigits(400, 5);
  const image = (i: number) => set.inputs.subarray(i * PIXELS, (i + 1) * PIXELS);
  const distance = (a: Float32Array, b: Float32Array) => Math.hypot(...a.map((value, i) => value - b[i]));

  it("draws the same digits for the same seed, others for another", () => {
    expect(drawDigits(400, 5)).toEqual(set);
    expect(drawDigits(400, 6).inputs).not.toEqual(set.inputs);
  });

  it("draws every digit equally often, in mixed order", () => {
    for (let digit = 0; digit < 10; digit++) expect(set.labels.filter((label) => label === digit)).toHaveLength(40);
    expect([...set.labels.slice(0, 10)]).not.toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it("keeps to 0 … 1, with paper at the edge and ink inside", () => {
    expect(set.shape).toEqual([1, 28, 28]);
    expect(set.inputs.every((value) => value >= 0 && value <= 1)).toBe(true);
    for (let i = 0; i < set.count; i++) {
      expect(Math.max(...image(i))).toBeGreaterThan(0.6);
      const corners = [0, 27, 27 * 28, PIXELS - 1].map((at) => image(i)[at]);
      expect(Math.max(...corners)).toBeLessThan(0.4);
      const ink = image(i).reduce((sum, value) => sum + value, 0) / PIXELS;
      expect(ink).toBeGreaterThan(0.04);
      expect(ink).toBeLessThan(0.4);
    }
  });

  it("never draws the same picture twice", () => {
    for (let i = 1; i < set.count; i++) expect(distance(image(0), image(i))).toBeGreaterThan(1);
  });

  it("draws digits that differ: the nearest mean image tells most of them apart", () => {
    const means = Array.from({ length: 10 }, (_, digit) => {
      const own = [...set.labels.keys()].filter((i) => set.labels[i] === digit);
      return Float32Array.from({ length: PIXELS }, (_, p) => own.reduce((s, i) => s + image(i)[p], 0) / own.length);
    });
    const fresh = drawDigits(200, 7);
    let right = 0;
    for (let i = 0; i < fresh.count; i++) {
      const own = fresh.inputs.subarray(i * PIXELS, (i + 1) * PIXELS);
      const distances = means.map((mean) => distance(own, mean));
      if (distances.indexOf(Math.min(...distances)) === fresh.labels[i]) right++;
    }
    expect(right / fresh.count).toBeGreaterThan(0.5); // guessing: 0.1; a CNN gets nearly all
  });

  it("draws each digit of its own accord", () => {
    for (let digit = 0; digit < 10; digit++) {
      expect(drawDigit(digit, random(1))).toEqual(drawDigit(digit, random(1)));
      expect(drawDigit(digit, random(1))).not.toEqual(drawDigit((digit + 1) % 10, random(1)));
    }
  });
});

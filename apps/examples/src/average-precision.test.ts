/** Average precision on cases that can be worked out by hand. */
import { describe, expect, it } from "vitest";
import { type Box, type Found, iou, meanAveragePrecision, suppress } from "./average-precision.js";

const box = (x: number, label = 0, width = 10): Box => ({ x, y: 0, width, height: 10, label });
const found = (x: number, score: number, label = 0): Found => ({ ...box(x, label), score });

it("iou is the shared area over that of both", () => {
  expect(iou(box(0), box(0))).toBe(1);
  expect(iou(box(0), box(5))).toBeCloseTo(1 / 3);
  expect(iou(box(0), box(10))).toBe(0);
  expect(iou(box(0, 0, 20), box(5))).toBe(0.5);
});

it("suppress keeps the surest of those that overlap", () => {
  expect(suppress([found(1, 0.2), found(0, 0.9), found(8, 0.5)], 0.5)).toEqual([found(0, 0.9), found(8, 0.5)]);
});

describe("meanAveragePrecision", () => {
  it("is 1 where all is found and 0 where nothing is", () => {
    const truth = [[box(0), box(20, 1)], [box(0)]];
    expect(meanAveragePrecision(truth, [[found(0, 0.1), found(21, 0.2, 1)], [found(1, 0.9)]])).toBe(1);
    expect(meanAveragePrecision(truth, [[], []])).toBe(0);
  });

  it("counts a second box on the same digit, another class and a poor overlap as wrong", () => {
    expect(meanAveragePrecision([[box(0)]], [[found(0, 0.9), found(1, 0.8)]])).toBe(1); // wrong ones after it cost nothing
    expect(meanAveragePrecision([[box(0)]], [[found(0, 0.5), found(6, 0.8)]])).toBe(0.5);
    expect(meanAveragePrecision([[box(0)]], [[found(0, 0.9, 1)]])).toBe(0);
    expect(meanAveragePrecision([[box(0)]], [[found(2, 0.9)]], 0.75)).toBe(0); // 8 / 12
  });

  it("is the area under the precision that never rises", () => {
    // Right, wrong, right of 4: precisions 1, 1/2, 2/3 at recalls 1/4, 1/4, 1/2.
    const truth = [[box(0), box(20), box(40), box(60)]];
    const list = [found(0, 0.9), found(100, 0.8), found(20, 0.7)];
    expect(meanAveragePrecision(truth, [list])).toBeCloseTo(0.25 * 1 + 0.25 * (2 / 3));
  });

  it("is the mean over the classes", () => {
    expect(meanAveragePrecision([[box(0), box(20, 1)]], [[found(0, 0.9)]])).toBe(0.5);
  });
});

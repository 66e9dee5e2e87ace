import { checkGradients, compile, type Tensor, tensor, zeros } from "@nn/tensor";
import { describe, expect, it } from "vitest";
import {
  MultiLabelMarginLoss,
  MultiLabelSoftMarginLoss,
  MultiMarginLoss,
  multiLabelMargin,
  multiLabelSoftMargin,
  multiMargin,
} from "./multi-margin.js";

const list = (t: Tensor) => Array.from(t.readSync());
const near = (want: readonly number[]) => want.map((v) => expect.closeTo(v, 5));
const none = { reduction: "none" } as const;
const ints = (v: number[] | number[][]) => tensor(v, { dtype: "i32" });
const rows = [
  [0.1, 0.7, -0.4],
  [1.5, 0.2, 0.9],
];
const x = tensor(rows);

describe("multiMargin", () => {
  const t = [1, 2];
  const want = (p: number, margin: number, weight = [1, 1, 1]) =>
    rows.map((r, n) => {
      const terms = r.map((v, i) => (i === t[n] ? 0 : Math.max(0, margin - r[t[n]] + v) ** p));
      return (weight[t[n]] * terms.reduce((a, b) => a + b)) / 3;
    });

  it("is its formula, with all options, the same compiled", async () => {
    expect(list(multiMargin(x, ints(t), none))).toEqual(near(want(1, 1)));
    const weight = tensor([1, 2, 3]);
    const options = { ...none, p: 2, margin: 0.5, weight } as const;
    expect(list(multiMargin(x, ints(t), options))).toEqual(near(want(2, 0.5, [1, 2, 3])));
    expect(list(compile((x: Tensor) => multiMargin(x, ints(t), options))(x))).toEqual(near(want(2, 0.5, [1, 2, 3])));
    const layer = new MultiMarginLoss({ weight, p: 2, margin: 0.5, reduction: "none" });
    expect(list(layer.forward(x, ints(t)))).toEqual(near(want(2, 0.5, [1, 2, 3])));
    expect(Object.keys(layer.stateDict())).toEqual(["weight"]);
    expect(list(multiMargin(tensor(rows[0]), tensor(1, { dtype: "i32" })))).toEqual(near([want(1, 1)[0]]));
    await checkGradients((x) => multiMargin(x, ints(t), options), [x]);
  });

  it("names the fault", () => {
    expect(() => multiMargin(x, ints([0]))).toThrow(
      "multiMargin: expected class numbers (2) for scores (2, 3), got (1)",
    );
    expect(() => multiMargin(x, ints([0, 3]))).toThrow("expected class numbers from 0 to 2, got 3");
    expect(() => multiMargin(x, ints([0, 1]), { weight: zeros([2]) })).toThrow(
      "expected weight (3), one number per class",
    );
    expect(() => multiMargin(zeros([1, 2, 3]), ints([0]))).toThrow("expected scores (N, C) or (C), got (1, 2, 3)");
    expect(() => new MultiMarginLoss({ p: 3 as 2 })).toThrow("MultiMarginLoss: expected p to be 1 or 2, got 3");
  });
});

describe("multiLabelMargin", () => {
  const t = ints([
    [2, 0, -1],
    [1, -1, 0],
  ]);
  const pair = (n: number, j: number, i: number) => Math.max(0, 1 - rows[n][j] + rows[n][i]);
  const want = [(pair(0, 2, 1) + pair(0, 0, 1)) / 3, (pair(1, 1, 0) + pair(1, 1, 2)) / 3];

  it("is its formula; what is behind −1 does not count", async () => {
    expect(list(multiLabelMargin(x, t, none))).toEqual(near(want));
    expect(list(compile((x: Tensor) => multiLabelMargin(x, t, none))(x))).toEqual(near(want));
    expect(list(new MultiLabelMarginLoss({ reduction: "sum" }).forward(x, t))).toEqual(near([want[0] + want[1]]));
    expect(list(multiLabelMargin(tensor(rows[0]), ints([2, 0, -1])))).toEqual(near([want[0]]));
    await checkGradients((x) => multiLabelMargin(x, t, none), [x]);
  });

  it("names the fault", () => {
    expect(() => multiLabelMargin(x, ints([0, 1]))).toThrow("multiLabelMargin: expected a target of the input's shape");
    expect(() => multiLabelMargin(x, zeros([2, 3]))).toThrow("expected class numbers of dtype i32");
  });
});

describe("multiLabelSoftMargin", () => {
  it("is binary cross entropy, averaged over classes", async () => {
    const t = [
      [1, 0, 1],
      [0, 0, 1],
    ];
    const want = (weight: number[]) =>
      rows.map((r, n) => r.reduce((s, v, i) => s + (weight[i] * Math.log1p(Math.exp(t[n][i] ? -v : v))) / 3, 0));
    expect(list(multiLabelSoftMargin(x, ints(t), none))).toEqual(near(want([1, 1, 1])));
    const layer = new MultiLabelSoftMarginLoss({ weight: tensor([1, 2, 3]), reduction: "none" });
    expect(list(layer.forward(x, ints(t)))).toEqual(near(want([1, 2, 3])));
    await checkGradients((x) => multiLabelSoftMargin(x, ints(t), none), [x]);
  });
});

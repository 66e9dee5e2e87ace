import { checkGradients, compile, type Tensor, tensor, zeros } from "@nn/tensor";
import { describe, expect, it } from "vitest";
import {
  HingeEmbeddingLoss,
  hingeEmbedding,
  MarginRankingLoss,
  marginRanking,
  SoftMarginLoss,
  softMargin,
} from "./margin.js";

const list = (t: Tensor) => Array.from(t.readSync());
const near = (want: readonly number[]) => want.map((v) => expect.closeTo(v, 5));
const none = { reduction: "none" } as const;
const [xs, bs, ts] = [
  [0.5, -1, 2, 3],
  [0.2, 1, -1, 2.9],
  [1, -1, -1, 1],
];
const [x, b, t] = [tensor(xs), tensor(bs), tensor(ts, { dtype: "i32" })];

it("hingeEmbedding is its formula", async () => {
  const want = [0.5, 2.5, 0, 3];
  expect(list(hingeEmbedding(x, t, { ...none, margin: 1.5 }))).toEqual(near(want));
  expect(list(compile((x: Tensor) => hingeEmbedding(x, t, { margin: 1.5 }))(x))).toEqual(near([1.5]));
  expect(list(new HingeEmbeddingLoss({ reduction: "sum" }).forward(x, t))).toEqual(near([5.5]));
  await checkGradients((x) => hingeEmbedding(x, t, none), [x]);
});

it("marginRanking is its formula", async () => {
  const want = xs.map((a, i) => Math.max(0, -ts[i] * (a - bs[i]) + 0.3));
  expect(list(marginRanking(x, b, t, { ...none, margin: 0.3 }))).toEqual(near(want));
  expect(list(new MarginRankingLoss().forward(x, b, t))).toEqual(near([3 / 4]));
  await checkGradients((a, b) => marginRanking(a, b, t, { ...none, margin: 0.25 }), [x, b]);
});

it("softMargin is its formula, without overflow", async () => {
  const want = xs.map((v, i) => Math.log1p(Math.exp(-ts[i] * v)));
  expect(list(softMargin(x, t, none))).toEqual(near(want));
  expect(list(new SoftMarginLoss({ reduction: "sum" }).forward(x, t))).toEqual(near([want.reduce((a, b) => a + b)]));
  expect(list(softMargin(tensor([-500]), tensor([1])))).toEqual([500]);
  await checkGradients((x) => softMargin(x, t, none), [x]);
});

describe("all", () => {
  it("name the fault", () => {
    expect(() => hingeEmbedding(x, zeros([2]))).toThrow(
      "hingeEmbedding: expected a target of the input's shape (4), got (2)",
    );
    expect(() => marginRanking(x, zeros([2]), t)).toThrow("marginRanking: expected a target");
    expect(() => softMargin(x, t, { reduction: "x" as "sum" })).toThrow("softMargin: expected reduction");
    expect(() => new HingeEmbeddingLoss({ margin: Number.NaN })).toThrow("HingeEmbeddingLoss: expected margin");
  });
});

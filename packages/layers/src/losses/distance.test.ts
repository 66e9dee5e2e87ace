import { checkGradients, compile, manualSeed, randn, type Tensor, tensor, zeros } from "@nn/tensor";
import { beforeEach, describe, expect, it } from "vitest";
import {
  CosineEmbeddingLoss,
  cosineEmbedding,
  pairwiseDistance,
  TripletMarginLoss,
  tripletMargin,
} from "./distance.js";

const list = (t: Tensor) => Array.from(t.readSync());
const near = (want: readonly number[]) => want.map((v) => expect.closeTo(v, 4));
const none = { reduction: "none" } as const;
const at = (...rows: number[][]) => tensor(rows);
beforeEach(() => manualSeed(8));

it("pairwiseDistance is the norm of the difference", async () => {
  const [a, b] = [at([3, 4], [1, 1]), at([0, 0], [-1, 2])];
  expect(list(pairwiseDistance(a, b))).toEqual(near([5, Math.sqrt(5)]));
  expect(list(pairwiseDistance(a, b, { p: 1 }))).toEqual(near([7, 3]));
  expect(list(pairwiseDistance(a, b, { p: Number.POSITIVE_INFINITY }))).toEqual(near([4, 2]));
  expect(pairwiseDistance(randn([5, 1, 3]), randn([2, 3]), { keepDims: true }).shape).toEqual([5, 2, 1]);
  await checkGradients((a, b) => pairwiseDistance(a, b, { p: 3 }), [a, b]);
});

describe("tripletMargin", () => {
  const [a, p, n] = [at([0, 0], [0, 0]), at([3, 4], [0, 1]), at([0, 1], [0, 9])];

  it("is its formula, with swap too, the same compiled", async () => {
    expect(list(tripletMargin(a, p, n, none))).toEqual(near([5 - 1 + 1, 0]));
    expect(list(compile((a: Tensor) => tripletMargin(a, p, n))(a))).toEqual(near([2.5]));
    // From the positive to the negative: √18, 8.
    const far = at([9, 9], [0, 9]);
    expect(list(tripletMargin(a, p, far, { ...none, swap: true, margin: 9 }))).toEqual(
      near([5 - Math.sqrt(61) + 9, 2]),
    );
    expect(list(new TripletMarginLoss({ p: 1, reduction: "sum" }).forward(a, p, n))).toEqual(near([7]));
    await checkGradients(
      (a, p, n) => tripletMargin(a, p, n, { margin: 9 }),
      [randn([3, 4]), randn([3, 4]), randn([3, 4])],
    );
  });

  it("names the fault", () => {
    expect(() => tripletMargin(a, p, zeros([2]))).toThrow(
      "tripletMargin: expected a target of the input's shape (2, 2)",
    );
    expect(() => new TripletMarginLoss({ margin: 0 })).toThrow("TripletMarginLoss: expected margin to be a number > 0");
  });
});

describe("cosineEmbedding", () => {
  const [a, b] = [at([3, 4], [1, 0], [1, 0]), at([4, 3], [1, 1], [-1, 0])];
  const t = tensor([1, -1, -1], { dtype: "i32" });

  it("is its formula, the same compiled", async () => {
    const want = [1 - 0.96, Math.SQRT1_2 - 0.1, 0];
    expect(list(cosineEmbedding(a, b, t, { ...none, margin: 0.1 }))).toEqual(near(want));
    expect(list(compile((a: Tensor) => cosineEmbedding(a, b, t, { ...none, margin: 0.1 }))(a))).toEqual(near(want));
    expect(list(cosineEmbedding(tensor([3, 4]), tensor([4, 3]), tensor(1)))).toEqual(near([0.04]));
    expect(list(new CosineEmbeddingLoss({ reduction: "sum" }).forward(a, b, t))).toEqual(near([0.04 + Math.SQRT1_2]));
    await checkGradients((a, b) => cosineEmbedding(a, b, t, none), [a.add(0.1), b]);
  });

  it("names the fault", () => {
    expect(() => cosineEmbedding(a, b, zeros([2]))).toThrow(
      "cosineEmbedding: expected a target (3), one per pair, got (2)",
    );
    expect(() => new CosineEmbeddingLoss({ margin: 2 })).toThrow(
      "CosineEmbeddingLoss: expected margin from -1 to 1, got 2",
    );
  });
});

import { checkGradients, compile, grad, manualSeed, randn, type Tensor, tensor } from "@nn/tensor";
import { beforeEach, describe, expect, it } from "vitest";
import { EmbeddingBag } from "./embedding-bag.js";

const list = (t: Tensor) => Array.from(t.readSync());
const near = (want: readonly number[]) => want.map((v) => expect.closeTo(v, 5));
const ints = (v: number[] | number[][]) => tensor(v, { dtype: "i32" });
beforeEach(() => manualSeed(10));

const MODES = ["sum", "mean", "max"] as const;

function bag(mode: (typeof MODES)[number], options: object = {}): EmbeddingBag {
  const layer = new EmbeddingBag(4, 2, { mode, ...options });
  layer.weight.value = tensor([
    [0, 1],
    [2, -3],
    [4, 5],
    [-6, 7],
  ]);
  return layer;
}

describe.each(MODES)("EmbeddingBag %s", (mode) => {
  const want = {
    sum: [4, 6, -2, 1, 0, 0],
    mean: [2, 3, -2 / 3, 1 / 3, 0, 0],
    max: [4, 5, 2, 7, 0, 0],
  }[mode];

  it("takes bags of one size, or any, an empty one too", () => {
    const layer = bag(mode);
    expect(list(layer.forward(ints([[0, 2]])))).toEqual(near(want.slice(0, 2)));
    const offsets = ints([0, 2, 5]);
    const indices = ints([0, 2, 1, 1, 3]);
    expect(list(layer.forward(indices, { offsets }))).toEqual(near(want));
    expect(list(compile((i: Tensor, offsets: Tensor) => layer.forward(i, { offsets }))(indices, offsets))).toEqual(
      near(want),
    );
    const closed = bag(mode, { includeLastOffset: true });
    expect(list(closed.forward(indices, { offsets: ints([0, 2, 5, 5]) }))).toEqual(near(want));
  });

  it("leaves padding out", () => {
    const layer = bag(mode, { paddingIdx: -1 });
    expect(layer.paddingIdx).toBe(3);
    const rows = ints([
      [0, 3, 2],
      [3, 3, 3],
    ]);
    expect(list(layer.forward(rows))).toEqual(near([...want.slice(0, 2), 0, 0]));
    const flat = layer.forward(rows.reshape([6]), { offsets: ints([0, 3]) });
    expect(list(flat)).toEqual(near([...want.slice(0, 2), 0, 0]));
    const [g] = grad(() => layer.forward(rows).sum(), [layer.weight]);
    expect(list(g).slice(6)).toEqual([0, 0]);
  });

  it("has the gradients of finite differences", async () => {
    const layer = new EmbeddingBag(5, 3, { mode });
    const indices = ints([4, 0, 4, 2, 1]);
    await checkGradients(() => layer.forward(indices, { offsets: ints([0, 3]) }), [layer.weight]);
    await checkGradients(() => layer.forward(ints([[4, 1, 0]])), [layer.weight]);
  });
});

describe("details", () => {
  it("perSampleWeights are factors of the rows, with a gradient", async () => {
    const layer = bag("sum");
    const weights = tensor([2, -1, 0.5]);
    const given = { offsets: ints([0, 2]), perSampleWeights: weights };
    expect(list(layer.forward(ints([0, 2, 1]), given))).toEqual(near([-4, -3, 1, -1.5]));
    await checkGradients(
      (w) => layer.forward(ints([[0, 2, 1]]), { perSampleWeights: w.reshape([1, 3]) }),
      [randn([3])],
    );
  });

  it("scaleGradByFreq divides by how often an index is there", () => {
    const layer = bag("sum", { scaleGradByFreq: true });
    const [g] = grad(
      () =>
        layer
          .forward(
            ints([
              [1, 1],
              [2, 1],
            ]),
          )
          .sum(),
      [layer.weight],
    );
    expect(list(g)).toEqual(near([0, 0, 1, 1, 1, 1, 0, 0]));
  });

  it("begins as a standard normal, its padding row at 0", () => {
    expect(list(new EmbeddingBag(3, 2, { paddingIdx: 1 }).weight.value).slice(2, 4)).toEqual([0, 0]);
  });

  it("names the fault", () => {
    const layer = bag("mean");
    expect(() => layer.forward(ints([0, 1]))).toThrow(
      "expected indices (B, L), or indices (n) with offsets (B), got (2)",
    );
    expect(() => layer.forward(ints([[0, 4]]))).toThrow("expected indices from 0 to 3, got 4");
    const perSampleWeights = tensor([[1, 1]]);
    expect(() => layer.forward(ints([[0, 1]]), { perSampleWeights })).toThrow(
      'expected mode "sum" with perSampleWeights',
    );
    expect(() => bag("sum").forward(ints([[0]]), { perSampleWeights })).toThrow(
      "expected perSampleWeights (1, 1), got (1, 2)",
    );
    expect(() => bag("min" as "max")).toThrow('EmbeddingBag: expected mode "sum" or "mean" or "max", got "min"');
  });
});

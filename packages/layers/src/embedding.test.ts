import { checkGradients, compile, grad, manualSeed, type Tensor, tensor } from "@nn/tensor";
import { beforeEach, describe, expect, it } from "vitest";
import { Embedding } from "./embedding.js";
import { init } from "./init.js";

const indices = (...list: number[]) => tensor(new Int32Array(list));
beforeEach(() => manualSeed(2));

describe("Embedding", () => {
  it("gives rows of its table", async () => {
    const layer = new Embedding(4, 2);
    layer.weight.value = tensor([
      [0, 1],
      [2, 3],
      [4, 5],
      [6, 7],
    ]);
    expect(await layer.forward(indices(3, 0, 3)).toArray()).toEqual([
      [6, 7],
      [0, 1],
      [6, 7],
    ]);
    expect(await layer.forward(indices(1).reshape([])).toArray()).toEqual([2, 3]);
    expect(layer.forward(indices(0, 1, 2, 3, 0, 1).reshape([2, 1, 3])).shape).toEqual([2, 1, 3, 2]);
  });

  it("begins as a standard normal, its padding row at 0", async () => {
    const layer = new Embedding(200, 50, { paddingIdx: 7 });
    const all = Array.from(await layer.weight.value.read());
    expect(all.slice(7 * 50, 8 * 50).every((v) => v === 0)).toBe(true);
    const variance = all.reduce((s, v) => s + v * v, 0) / (199 * 50);
    expect(variance).toBeGreaterThan(0.95);
    expect(variance).toBeLessThan(1.05);
    expect(Object.keys(layer.stateDict())).toEqual(["weight"]);
  });

  it("begins as init says", async () => {
    const layer = new Embedding(3, 2, { paddingIdx: 1, init: (shape) => init.constant(shape, 0.5) });
    expect(Array.from(await layer.weight.value.read())).toEqual([0.5, 0.5, 0, 0, 0.5, 0.5]);
    expect(() => new Embedding(3, 2, { init: () => tensor([1]) })).toThrow(
      "Embedding: expected init to give (3, 2) f32, got (1)",
    );
  });

  it("sums the gradients of equal indices, and gives the padding row none", async () => {
    const layer = new Embedding(4, 2, { paddingIdx: -1 });
    expect(layer.paddingIdx).toBe(3);
    const idx = indices(1, 3, 1, 0);
    const [g] = grad(
      () =>
        layer
          .forward(idx)
          .mul(tensor([[1], [2], [3], [4]]))
          .sum(),
      [layer.weight],
    );
    expect(await g.toArray()).toEqual([
      [4, 4],
      [4, 4],
      [0, 0],
      [0, 0],
    ]);
    // The padding row is an ordinary row on the way forward.
    layer.weight.value = tensor([
      [0, 1],
      [2, 3],
      [4, 5],
      [6, 7],
    ]);
    expect(await layer.forward(indices(3)).toArray()).toEqual([[6, 7]]);
  });

  it("divides gradients by how often an index is there, if asked", async () => {
    const layer = new Embedding(4, 1, { scaleGradByFreq: true, paddingIdx: 3 });
    const idx = indices(1, 3, 1, 0);
    const f = () =>
      grad(
        () =>
          layer
            .forward(idx)
            .mul(tensor([[1], [2], [3], [4]]))
            .sum(),
        [layer.weight],
      )[0];
    for (const g of [f(), compile(f)()]) expect(await g.toArray()).toEqual([[4], [2], [0], [0]]);
  });

  it("has the gradients of finite differences", async () => {
    const layer = new Embedding(5, 3);
    await checkGradients(() => layer.forward(indices(4, 0, 4, 2)), [layer.weight]);
  });

  it("gives the same compiled, gradients too", async () => {
    const layer = new Embedding(5, 3, { paddingIdx: 0 });
    const f = (idx: Tensor) => grad(() => layer.forward(idx).square().sum(), [layer.weight])[0];
    const idx = indices(4, 0, 4, 2);
    expect(await compile(f)(idx).toArray()).toEqual(await f(idx).toArray());
  });

  it("refuses f32 indices, indices out of range, and wrong sizes", () => {
    const layer = new Embedding(4, 2);
    expect(() => layer.forward(tensor([0, 1]))).toThrow(
      'expected indices of dtype i32, got f32 (2). Convert them with .cast("i32").',
    );
    expect(() => layer.forward(indices(0, 4))).toThrow(
      "Embedding: expected indices from 0 to 3, got 4. Check the token numbers",
    );
    expect(() => layer.forward(indices(-1))).toThrow("expected indices from 0 to 3, got -1");
    expect(() => new Embedding(0, 2)).toThrow("Embedding: expected numEmbeddings to be a whole number ≥ 1, got 0");
    expect(() => new Embedding(4, 1.5)).toThrow("Embedding: expected embeddingDim");
    expect(() => new Embedding(4, 2, { paddingIdx: 4 })).toThrow("Embedding: expected paddingIdx from -4 to 3, got 4");
  });
});

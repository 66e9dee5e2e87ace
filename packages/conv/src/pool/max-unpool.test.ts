import { checkGradients, compile, grad, NNError, randn, type Tensor, tensor, zeros } from "@nn/tensor";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MaxPool1d, MaxPool2d, MaxPool3d } from "./layers.js";
import { maxPoolWithIndices } from "./max-pool.js";
import { MaxUnpool1d, MaxUnpool2d, MaxUnpool3d, maxUnpool } from "./max-unpool.js";

const list = (t: Tensor) => Array.from(t.readSync());
const indices = (data: number[], shape: number[]) => tensor(new Int32Array(data), { shape });

describe("maxUnpool", () => {
  it("undoes pooling: maxima where they were, zeros elsewhere", () => {
    const [low, high] = [fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 4 })];
    fc.assert(
      fc.property(fc.array(fc.tuple(low, low, high), { minLength: 1, maxLength: 3 }), (axes) => {
        const [kernel, stride, more] = [0, 1, 2].map((i) => axes.map((a) => a[i]!)) as [number[], number[], number[]];
        const size = kernel.map((k, i) => k + more[i]!);
        const x = randn([2, 2, ...size]);
        const pooled = maxPoolWithIndices(x, kernel, { stride });
        const y = maxUnpool(pooled.values, pooled.indices, kernel, { stride, outputSize: size });
        const [data, plane] = [list(x), x.size / 4];
        const want = new Array<number>(x.size).fill(0);
        const per = pooled.indices.size / 4;
        list(pooled.indices).forEach((at, i) => {
          const place = Math.floor(i / per) * plane + at;
          want[place] = data[place]!;
        });
        expect(y.shape).toEqual(x.shape);
        expect(list(y)).toEqual(want.map((v) => expect.closeTo(v, 5)));
        // Of the whole: what was a maximum has gradient 1, through pooling and back.
        const [gx] = grad(() => {
          const { values, indices } = maxPoolWithIndices(x, kernel, { stride });
          return maxUnpool(values, indices, kernel, { stride, outputSize: size }).sum();
        }, [x]);
        expect(list(gx!)).toEqual(want.map((v) => expect.closeTo(v === 0 ? 0 : 1, 5)));
      }),
      { numRuns: 100, seed: 1 },
    );
  });

  it("has the gradients of finite differences, and is the same compiled", async () => {
    const at = indices([4, 4, 4, 8, 0, 1, 2, 3], [1, 2, 2, 2]);
    const f = (t: Tensor) => maxUnpool(t, at, 2, { stride: 1 }).square();
    const x = randn([1, 2, 2, 2]);
    await checkGradients(f, [x]);
    expect(list(compile(f)(x))).toEqual(list(f(x)));
  });

  it("as layers gives back the sizes pooled, with a batch or without", () => {
    const cases = [
      [new MaxPool1d(2), new MaxUnpool1d(2), [2, 3, 10]],
      [new MaxPool2d(3, { stride: 2 }), new MaxUnpool2d(3, { stride: 2 }), [3, 7, 9]],
      [new MaxPool2d(2, { padding: 1 }), new MaxUnpool2d(2, { padding: 1 }), [1, 2, 6, 8]],
      [new MaxPool3d([1, 2, 2]), new MaxUnpool3d([1, 2, 2]), [2, 3, 3, 4, 6]],
    ] as const;
    for (const [pool, unpool, shape] of cases) {
      const { values, indices } = pool.forwardWithIndices(randn(shape));
      expect(unpool.forward(values, indices).shape).toEqual(shape);
    }
    const { values, indices } = new MaxPool1d(2).forwardWithIndices(randn([2, 3, 11]));
    expect(new MaxUnpool1d(2).forward(values, indices, [11]).shape).toEqual([2, 3, 11]);
  });

  it.each<[string, () => unknown, string]>([
    [
      "indices",
      () => maxUnpool(zeros([1, 1, 4]), indices([0], [1, 1, 1]), 2),
      "indices (1, 1, 4), as x, got (1, 1, 1)",
    ],
    ["dtype", () => maxUnpool(zeros([1, 1, 1]), zeros([1, 1, 1]), 2), "an index of dtype i32"],
    ["rank", () => new MaxUnpool2d(2).forward(zeros([4]), indices([0, 0, 0, 0], [4])), "expected x (N, C, H, W) or"],
    [
      "outputSize",
      () => new MaxUnpool1d(3).forward(zeros([1, 1, 2]), indices([0, 4], [1, 1, 2]), [9]),
      "MaxUnpool1d: expected outputSize (L) of 4 to 8, got (9)",
    ],
  ])("names the fault: %s", (_, f, message) => {
    expect(f).toThrow(NNError);
    expect(f).toThrow(message);
  });
});

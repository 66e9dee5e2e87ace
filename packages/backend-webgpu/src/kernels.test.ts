// The kernels' ways with large and odd sizes, against the reference backend: tiles, workgroups, two passes, grids of
// more than 65535 workgroups.

import {
  apply1,
  cat,
  compile,
  flip,
  getBackend,
  grad,
  manualSeed,
  matmulOp,
  ones,
  rand,
  reference,
  scatterAddPrimitive,
  setBackend,
  slidingWindow,
  type Tensor,
  tensor,
} from "@nn/tensor";
import { webgpuHere, whyNoWebgpu } from "@nn/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { WebgpuBackend } from "./webgpu.js";

const missing = await whyNoWebgpu();
describe.skipIf(missing)(`kernels${missing ? ` (${missing})` : ""}`, () => {
  let backend: WebgpuBackend;
  const known = reference();
  beforeAll(async () => {
    backend = await webgpuHere();
  });
  afterAll(() => {
    setBackend(reference());
    backend.dispose();
  });

  /** Runs a function of random tensors on both backends, compiled, and compares. */
  const compare = async (shapes: readonly number[][], f: (...xs: Tensor[]) => Tensor, close = 1e-5) => {
    const run = async () => {
      manualSeed(7);
      const xs = shapes.map((shape) => rand(shape).sub(0.3));
      return await compile(f)(...xs).read();
    };
    setBackend(known);
    const want = await run();
    setBackend(backend);
    expect(getBackend()).toBe(backend);
    const got = await run();
    expect(got.length).toBe(want.length);
    let worst = 0;
    for (let i = 0; i < want.length; i++)
      if (!Object.is(got[i], want[i])) worst = Math.max(worst, Math.abs(got[i]! - want[i]!) / (1 + Math.abs(want[i]!)));
    expect(worst, shapes.map((s) => `(${s})`).join(" ")).toBeLessThan(close);
  };

  const product = (a: Tensor, b: Tensor) => a.matmul(b);
  it.each([
    [1, 1, 1],
    [1, 300, 70],
    [70, 300, 1],
    [2, 5, 2000],
    [5, 3, 2],
    [16, 16, 16],
    [17, 33, 15],
    [30, 5000, 30],
    [49, 100, 65],
    [64, 64, 64],
    [130, 70, 65],
  ])("matmul %i × %i × %i", async (m, k, n) => {
    await compare(
      [
        [m, k],
        [k, n],
      ],
      product,
    );
    await compare([[k, m], [k, n], [n]], (a, b, c) => a.transpose().matmul(b).add(c).tanh());
    await compare(
      [
        [m, k],
        [n, k],
      ],
      (a, b) => a.matmul(b.transpose()).relu(),
    );
    await compare(
      [
        [3, k, m],
        [n, k],
      ],
      (a, b) => a.transpose(1, 2).matmul(b.transpose()),
    );
  });
  it("matmul of several batches, one of them repeated", async () => {
    await compare(
      [
        [2, 1, 20, 30],
        [3, 30, 25],
      ],
      product,
    );
    await compare(
      [
        [70, 4, 5],
        [70, 5, 6],
      ],
      product,
    );
  });
  it("matmul in tiles of every shape and arrangement, read by fours and not", { timeout: 120_000 }, async () => {
    // The largest tile wants 64 workgroups; an elementary function in the formula a smaller one.
    const big = [16, 132, 20, 136] as const;
    for (const [b, m, k, n] of [big, [16, 131, 9, 130], [1, 8, 40, 200], [2, 140, 12, 5], [1, 6, 25, 700]] as const) {
      await compare([[b, m, k], [b, k, n], [n]], (x, y, z) => x.matmul(y).add(z));
      await compare([[b, k, m], [b, n, k], [n]], (x, y, z) => x.transpose(1, 2).matmul(y.transpose(1, 2)).mul(z));
      await compare(
        [
          [b, m, k],
          [b, n, k],
        ],
        (x, y) => x.matmul(y.transpose(1, 2)),
      );
      await compare(
        [
          [b, k, m],
          [b, k, n],
        ],
        (x, y) => x.transpose(1, 2).matmul(y).exp(),
      );
    }
    // Rows that reach into each other, and rows seen backwards.
    await compare([[400], [6, 20]], (x, y) => slidingWindow(x, 0, 6, 4).matmul(y));
    await compare(
      [
        [40, 36],
        [36, 24],
      ],
      (x, y) => flip(x, [0, 1]).matmul(flip(y, [1])),
    );
  });
  it("matmul of long sums in parts, the same bits every time", async () => {
    for (const [m, k, n] of [
      [16, 5000, 40],
      [100, 1030, 9],
      [3, 777, 3],
    ] as const) {
      await compare([[m, k], [k, n], [n]], (x, y, z) => x.matmul(y).add(z).tanh());
      await compare(
        [
          [k, m],
          [n, k],
        ],
        (x, y) => x.transpose().matmul(y.transpose()),
      );
    }
    setBackend(backend);
    const [x, y] = [rand([30, 4000]), rand([4000, 30])];
    expect(await x.matmul(y).read()).toEqual(await x.matmul(y).read());
  });
  it("matmul in order: the bits of a row are those it has alone", async () => {
    setBackend(backend);
    const [x, y] = [rand([70, 1200]), rand([1200, 50])];
    const product = (x: Tensor) => apply1(matmulOp, [x, y], { inOrder: true }).read();
    const all = await product(x);
    for (const row of [0, 69])
      expect(await product(x.slice([[row, row + 1]]))).toEqual(all.slice(50 * row, 50 * row + 50));
  });
  it("matmul of nothing", async () => {
    await compare(
      [
        [20, 0],
        [0, 20],
      ],
      product,
    );
    await compare(
      [
        [0, 20],
        [20, 20],
      ],
      product,
    );
  });

  it.each([
    ["a number of a million", [1_000_000], [0]],
    ["columns", [5000, 40], [0]],
    ["long columns", [40_000, 33], [0]],
    ["wide columns", [300, 2000], [0]],
    ["columns of columns", [20, 70, 50], [0, 1]],
    ["rows", [40, 5000], [1]],
    ["few rows of very many", [3, 70_000], [1]],
    ["few columns of very many", [70_000, 3], [0]],
    ["outer and inner axes", [9, 50, 60], [0, 2]],
  ] as const)("reduce to %s", async (_, shape, axes) => {
    const whole = [...shape];
    await compare([whole], (x) =>
      x
        .mul(2)
        .sum([...axes])
        .div(3),
    );
    await compare([whole], (x) => x.max([...axes]));
    await compare([whole, whole], (x, y) =>
      x
        .mul(y)
        .mean([...axes])
        .exp(),
    );
  });
  it("reduce of integers and booleans of many", async () => {
    await compare([[100_000]], (x) => x.mul(100).cast("i32").sum().cast("f32"), 1e-9);
    await compare([[100_000]], (x) => x.gt(0.69).any().cast("f32"), 1e-9);
    await compare([[100_000]], (x) => x.gt(-1).all().cast("f32"), 1e-9);
    await compare([[100_000]], (x) => x.argmax().cast("f32"), 1e-9);
  });

  it.each([
    [[7, 10], 1],
    [[10, 7], 0],
    [[3, 300, 2], 1],
    [[5, 64], 1],
    [[2, 3, 1000], -1],
  ] as const)("softmax of %j along %i, and its gradient", async (shape, axis) => {
    await compare([[...shape]], (x) => x.mul(30).softmax(axis));
    await compare([[...shape]], (x) => x.mul(30).logSoftmax(axis));
    await compare([[...shape].toReversed()], (x) =>
      x
        .permute([...shape.keys()].toReversed())
        .softmax(axis)
        .sub(0.1)
        .transpose(0, 1),
    );
    await compare([[...shape], [...shape]], (x, y) => grad(() => x.logSoftmax(axis).mul(y).sum(), [x])[0]!);
  });
  it("softmax of NaN and infinities", async () => {
    const odd = (x: Tensor) => [x.div(x.sub(x)), x.mul(0).sub(Number.POSITIVE_INFINITY)];
    await compare([[3, 70]], (x) => cat([x.mul(Number.POSITIVE_INFINITY), x, ...odd(x)], 0).softmax(1));
  });

  it("scatterAdd of many into more", async () => {
    // Rows by an index that is repeated along them, as the gradient of an embedding; columns; and one of its own for each.
    const at = (x: Tensor, n: number) => x.add(0.3).mul(n).cast("i32"); // 0 … n − 1, some several times
    const wide = (i: Tensor, n: number) => i.unsqueeze(1).expand([i.shape[0]!, n]);
    await compare([[50], [50, 6]], (i, x) =>
      apply1(scatterAddPrimitive, [wide(at(i, 70), 6), x], { axis: 0, size: 300 }),
    );
    await compare([[50], [50, 6]], (i, x) =>
      apply1(scatterAddPrimitive, [wide(at(i, 70), 6).transpose(), x.transpose()], { axis: 1, size: 300 }),
    );
    await compare(
      [
        [50, 3],
        [50, 3],
      ],
      (i, x) => apply1(scatterAddPrimitive, [at(i, 999), x], { axis: 0, size: 999 }),
    );
    await compare([[40], [40, 6]], (i, x) =>
      apply1(scatterAddPrimitive, [wide(at(i, 200), 6), x.mul(100).cast("i32")], { axis: 0, size: 200 }).cast("f32"),
    );
    // What lies outside is written nowhere.
    setBackend(backend);
    const index = tensor(Int32Array.from({ length: 40 }, (_, k) => [-1, 7, 200][k % 3]!));
    const got = await apply1(scatterAddPrimitive, [index, ones([40])], { axis: 0, size: 200 }).read();
    expect([...got].map((v, k) => [k, v]).filter(([, v]) => v !== 0)).toEqual([[7, 13]]);
  });
  it("map over more workgroups than a row of a grid has", async () => {
    const n = 65535 * 64 + 1000;
    await compare([[n]], (x) => x.mul(3).slice([[n - 2000, n]]));
  });
  it("elementary functions far from 0", async () => {
    for (const f of ["sin", "cos", "exp", "log", "sqrt", "tanh", "sigmoid"] as const)
      await compare([[500]], (x) => (x.mul(f === "exp" ? 80 : 2000) as Tensor)[f](), 2e-5);
  });
});

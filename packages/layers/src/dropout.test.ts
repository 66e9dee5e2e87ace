import { compile, Generator, grad, manualSeed, ones, randn, type Tensor, zeros } from "@nn/tensor";
import { beforeEach, describe, expect, it } from "vitest";
import {
  AlphaDropout,
  Dropout,
  Dropout1d,
  Dropout2d,
  Dropout3d,
  dropout,
  FeatureAlphaDropout,
  featureAlphaDropout,
} from "./dropout.js";

beforeEach(() => manualSeed(3));

describe("Dropout", () => {
  it("zeros with probability p, and scales the rest", async () => {
    const y = await new Dropout(0.2).forward(ones([100, 100])).read();
    expect(new Set(y)).toEqual(new Set([0, Math.fround(1.25)]));
    const zeros = y.filter((v) => v === 0).length;
    expect(zeros).toBeGreaterThan(1850);
    expect(zeros).toBeLessThan(2150);
  });

  it("is the identity in evaluation, and at p = 0", () => {
    const x = randn([3]);
    expect(new Dropout(0.5).eval().forward(x)).toBe(x);
    expect(new Dropout(0).forward(x)).toBe(x);
  });

  it("drops all at p = 1", async () => {
    const x = randn([4]);
    expect(Array.from(await new Dropout(1).forward(x).read(), Math.abs)).toEqual([0, 0, 0, 0]);
    expect(Array.from(await grad(() => dropout(x, 1).sum(), [x])[0].read(), Math.abs)).toEqual([0, 0, 0, 0]);
  });

  it("lets the gradient through where it lets the value through", async () => {
    const x = ones([50]);
    let y: number[] = [];
    const [g] = grad(() => {
      const out = dropout(x, 0.4);
      y = Array.from(out.readSync());
      return out.sum();
    }, [x]);
    expect(Array.from(await g.read())).toEqual(y);
  });

  it("follows manualSeed or its own generator, and changes from call to call", async () => {
    const layer = new Dropout(0.5);
    const x = ones([64]);
    const draw = async () => (await layer.forward(x).read()).join();
    manualSeed(9);
    const [a, b] = [await draw(), await draw()];
    expect(a).not.toBe(b);
    manualSeed(9);
    expect(await draw()).toBe(a);
    const own = async () => (await new Dropout(0.5, new Generator(4)).forward(x).read()).join();
    expect(await own()).toBe(await own());
  });

  it("draws anew at every compiled step, as eager does; eval compiles to the identity", async () => {
    const layer = new Dropout(0.5);
    const run = compile((t: Tensor) => layer.forward(t));
    const x = ones([64]);
    manualSeed(5);
    const eager = [await layer.forward(x).toArray(), await layer.forward(x).toArray()];
    manualSeed(5);
    expect([await run(x).toArray(), await run(x).toArray()]).toEqual(eager);
    layer.eval();
    expect(await run(x).toArray()).toEqual(await x.toArray());
  });

  it.each([-0.1, 1.1, Number.NaN])("refuses p = %s", (p) => {
    expect(() => new Dropout(p)).toThrow(`Dropout: expected p from 0 to 1, got ${p}`);
    expect(() => dropout(ones([1]), p)).toThrow("dropout: expected p from 0 to 1");
  });
});

/** Each row of `size` as the one value it has everywhere. */
function rows(y: Tensor, size: number): number[] {
  const data = y.readSync();
  return Array.from({ length: data.length / size }, (_, i) => {
    const row = new Set(data.subarray(i * size, (i + 1) * size));
    expect(row.size).toBe(1);
    return [...row][0]!;
  });
}

describe("dropout of channels", () => {
  it.each([
    ["Dropout1d", new Dropout1d(0.5), [50, 4, 6], 6],
    ["Dropout1d of one sample", new Dropout1d(0.5), [200, 6], 6],
    ["Dropout2d", new Dropout2d(0.5), [50, 4, 3, 2], 6],
    ["Dropout2d of rows", new Dropout2d(0.5), [50, 4, 6], 6],
    ["Dropout3d", new Dropout3d(0.5), [50, 4, 3, 1, 2], 6],
    ["Dropout3d of one sample", new Dropout3d(0.5), [200, 3, 1, 2], 6],
  ] as const)("drops all of a channel or nothing: %s", (_, layer, shape, size) => {
    const values = rows(layer.forward(ones(shape)), size);
    expect(new Set(values)).toEqual(new Set([0, 2]));
    expect(Math.abs(values.filter((v) => v === 0).length - 100)).toBeLessThan(30);
    const x = ones(shape);
    expect(layer.eval().forward(x)).toBe(x);
  });

  it("names the fault", () => {
    expect(() => new Dropout2d(2)).toThrow("Dropout2d: expected p from 0 to 1, got 2");
    expect(() => new Dropout2d().forward(zeros([2, 2]))).toThrow(
      "Dropout2d: expected x (N, C, H, W) or (N, C, L), got (2, 2)",
    );
    expect(() => new Dropout1d().forward(zeros([2]))).toThrow("Dropout1d: expected x (N, C, L) or (C, L), got (2)");
    expect(() => featureAlphaDropout(zeros([2]))).toThrow("featureAlphaDropout: expected x (N, C, …), got (2)");
  });
});

describe("AlphaDropout", () => {
  it("keeps mean 0 and variance 1", () => {
    const y = new AlphaDropout(0.3).forward(randn([200, 200]));
    expect(Math.abs(y.mean().readSync()[0]!)).toBeLessThan(0.02);
    expect(Math.abs(y.square().mean().readSync()[0]! - 1)).toBeLessThan(0.03);
  });

  it("gives dropped elements the least value of SELU, then scales all", () => {
    const [p, alpha] = [0.5, 1.7580993408473766];
    const a = 1 / Math.sqrt((alpha ** 2 * p + 1) * (1 - p));
    const [dropped, kept] = [a * alpha * (p - 1), a * (3 + alpha * p)];
    const values = new Set(new AlphaDropout(p).forward(ones([100]).mul(3)).readSync());
    expect([...values].sort((u, v) => u - v)).toEqual([expect.closeTo(dropped, 5), expect.closeTo(kept, 5)]);
    expect(new Set(rows(new FeatureAlphaDropout(p).forward(ones([20, 5, 4])), 4)).size).toBe(2);
    const x = randn([3, 4]);
    expect(new AlphaDropout().eval().forward(x)).toBe(x);
    expect(new AlphaDropout(0).forward(x)).toBe(x);
    expect(Array.from(new AlphaDropout(1).forward(x).abs().readSync())).toEqual(new Array(12).fill(0));
  });
});

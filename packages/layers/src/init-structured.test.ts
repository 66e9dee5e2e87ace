import { manualSeed, memory, type Tensor } from "@nn/tensor";
import { beforeEach, describe, expect, it } from "vitest";
import { init } from "./init.js";

beforeEach(() => manualSeed(5));
const rowsOf = async (t: Tensor) => (await t.toArray()) as number[][];

describe("truncNormal", () => {
  /** Mean and variance of a normal distribution cut off at ±c deviations: 1 − 2cφ(c) / (2Φ(c) − 1), from tables. */
  it.each([
    [{}, 0, 0.7737], // at ±2
    [{ std: 0.02, a: -0.02, b: 0.02 }, 0, 0.02 ** 2 * 0.2911], // at ±1
    [{ a: 0, b: 10 }, Math.sqrt(2 / Math.PI), 1 - 2 / Math.PI], // half normal
    [{ mean: 3, std: 2, a: -50, b: 50 }, 3, 4],
  ])("%o has mean and variance of the distribution", async (options, mean, variance) => {
    const all = Array.from(await init.truncNormal([200, 200], options).read());
    const { a = -2, b = 2, std = 1 } = options as { a?: number; b?: number; std?: number };
    expect(Math.min(...all)).toBeGreaterThanOrEqual(Math.fround(a));
    expect(Math.max(...all)).toBeLessThanOrEqual(Math.fround(b));
    const found = all.reduce((s, v) => s + v, 0) / all.length;
    expect(Math.abs(found - mean)).toBeLessThan(0.02 * std);
    const spread = all.reduce((s, v) => s + (v - found) ** 2, 0) / all.length;
    expect(spread / variance).toBeGreaterThan(0.97);
    expect(spread / variance).toBeLessThan(1.03);
  });

  it("has the quantiles of the normal distribution", async () => {
    const all = Array.from(await init.truncNormal([100_000], { a: -6, b: 6 }).read()).sort((p, q) => p - q);
    // Φ⁻¹ of 0.001, 0.025, 0.5, 0.841345, 0.999.
    const want = [[0.001, -3.0902], [0.025, -1.96], [0.5, 0], [0.841345, 1], [0.999, 3.0902]] as const; // biome-ignore format: a table
    for (const [p, z] of want) expect(Math.abs(all[Math.floor(p * 1e5)]! - z)).toBeLessThan(0.1);
  });
});

describe("orthogonal", () => {
  it.each([[[6, 6]], [[3, 7]], [[20, 4]], [[4, 3, 2, 2]]])("%o: rows or columns at right angles", async (shape) => {
    const rows = await rowsOf(init.orthogonal(shape, { gain: 2 }).reshape([shape[0]!, -1]));
    const columns = rows[0]!.map((_, k) => rows.map((row) => row[k]!));
    const list = rows.length <= columns.length ? rows : columns;
    for (const [i, u] of list.entries()) {
      for (const [j, v] of list.entries()) {
        expect(u.reduce((s, x, k) => s + x * v[k]!, 0)).toBeCloseTo(i === j ? 4 : 0, 4);
      }
    }
  });

  it("is another one each time, without a preferred direction", async () => {
    let sum = 0;
    for (let i = 0; i < 200; i++) sum += (await rowsOf(init.orthogonal([2, 2])))[0]![0]!;
    expect(Math.abs(sum / 200)).toBeLessThan(0.2); // cosines of even angles: deviation 0.05
  });
});

describe("eye, dirac and sparse", () => {
  it("are as PyTorch's", async () => {
    expect(await init.eye([2, 3]).toArray()).toEqual([
      [1, 0, 0],
      [0, 1, 0],
    ]);
    // torch.nn.init.dirac_(torch.empty(4, 2, 3), 2): channel i of each group at the middle.
    const [one, two, none] = [[0, 1, 0], [0, 1, 0], [0, 0, 0]]; // biome-ignore format: a line
    expect(await init.dirac([4, 2, 3], { groups: 2 }).toArray()).toEqual([
      [one, none],
      [none, two],
      [one, none],
      [none, two],
    ]);
    const planes = await init.dirac([3, 1, 2, 2]).toArray();
    expect(planes).toEqual([[[[0, 0], [0, 1]]], [[[0, 0], [0, 0]]], [[[0, 0], [0, 0]]]]); // biome-ignore format: a table
    const rows = await rowsOf(init.sparse([10, 50], 0.25, { std: 3 }));
    for (let k = 0; k < 50; k++) expect(rows.filter((row) => row[k] === 0)).toHaveLength(3); // ⌈2.5⌉
    const rest = rows.flat().filter((v) => v !== 0);
    expect(Math.sqrt(rest.reduce((s, v) => s + v * v, 0) / rest.length)).toBeCloseTo(3, 0);
    expect((await rowsOf(init.sparse([2, 2], 0))).flat()).not.toContain(0);
  });

  it("check what they are given, and leave nothing behind", () => {
    expect(() => init.eye([2])).toThrow("init.eye: expected a shape (rows, columns), got (2)");
    expect(() => init.orthogonal([2])).toThrow("at least two axes");
    expect(() => init.dirac([2, 2])).toThrow("three to five axes");
    expect(() => init.dirac([3, 2, 1], { groups: 2 })).toThrow("groups that divide 3 outputs");
    expect(() => init.sparse([2, 2], 2)).toThrow("sparsity from 0 to 1");
    expect(() => init.truncNormal([2], { a: 1, b: 1 })).toThrow("a < b");
    const { bytes } = memory();
    for (const t of [init.orthogonal([4, 4]), init.truncNormal([9]), init.dirac([2, 2, 3]), init.sparse([4, 4], 0.5)]) {
      t.dispose();
    }
    expect(memory().bytes).toBe(bytes);
  });
});

// Properties over random shapes, views and indices, against functions of coordinates. A failure prints a counterexample.

import * as nn from "@nn/tensor";
import { compile, grad, NNError, reference, setBackend, sizeOf, type Tensor, tensor } from "@nn/tensor";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { coordinates } from "./naive.js";
import * as naive from "./nested.js";
import { flatten, type Nested, nested } from "./nested.js";
import { chains, follow, followReal, type Move, numbers, type Pair, shapes } from "./views.js";

beforeAll(() => setBackend(reference()));

/** Checks a property, on as many examples as given. */
async function check<T extends unknown[]>(runs: number, property: fc.IAsyncProperty<T>): Promise<void> {
  await fc.assert(property, { numRuns: runs });
}

const pairOf = (shape: readonly number[], seed = 0): Pair => {
  const data = numbers(shape, seed);
  return { real: tensor(data, { shape }), naive: nested(shape, data) };
};

async function same(real: Tensor, want: Nested): Promise<void> {
  expect(real.shape).toEqual(want.shape);
  expect(Array.from(await real.read(), (v) => v + 0)).toEqual(flatten(want).map((v) => v + 0));
}

/** A view of numbers: the end of a random chain. */
const view = (shape: readonly number[], chain: readonly Move[], seed = 0) => follow(pairOf(shape, seed), chain);

describe("views", () => {
  it("show the elements they should", () =>
    check(400, fc.asyncProperty(shapes(), chains, async (shape, chain) => {
      const { real, naive: want } = view(shape, chain);
      await same(real, want);
    })));

  it("do so compiled, too, with work before and after", () =>
    check(120, fc.asyncProperty(shapes(), chains, chains, async (shape, before, after) => {
      const f = compile((x: Tensor) => followReal(followReal(x.mul(2), before).add(1), after));
      const inner = follow(pairOf(shape), before).naive;
      const doubled: Nested = { shape: inner.shape, at: (c) => 2 * inner.at(c) + 1 };
      const { naive: want } = follow({ real: nn.zeros(inner.shape), naive: doubled }, after);
      await same(f(pairOf(shape).real), want);
      f.dispose();
    })));

  it("have gradients that put each share where it came from", () =>
    check(150, fc.asyncProperty(shapes(), chains, fc.boolean(), async (shape, chain, compiled) => {
      const x = pairOf(shape).real;
      // Where each element comes from: the chain on the elements' own numbers.
      const from = follow({ real: x, naive: nested(shape, Array.from({ length: sizeOf(shape) }, (_, i) => i)) }, chain).naive;
      const weights = tensor(numbers(from.shape, 5), { shape: from.shape });
      const f = (t: Tensor) => grad(() => followReal(t, chain).mul(weights).sum(), [t])[0]!;
      const want = new Array<number>(sizeOf(shape)).fill(0);
      flatten(from).forEach((source, i) => {
        want[source]! += numbers(from.shape, 5)[i]!;
      });
      await same((compiled ? compile(f) : f)(x), nested(shape, want));
    })));

  it("are sliced as in Python", () => {
    const bound = fc.option(fc.integer({ min: -7, max: 7 }));
    const step = fc.integer({ min: -3, max: 3 }).filter((s) => s !== 0);
    return check(400, fc.asyncProperty(fc.integer({ min: 0, max: 5 }), bound, bound, step, async (size, start, stop, by) => {
      const { real, naive: x } = pairOf([size]);
      await same(nn.slice(real, [[start, stop, by]]), naive.pick(x, [naive.positions(size, start, stop, by)]));
    }));
  });
});

describe("broadcasting", () => {
  /** Two shapes that broadcast: parts of one, with some sizes made 1. */
  const fitting = fc.tuple(shapes(), fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }), fc.nat(4), fc.nat(4)).map(([shape, ones, dropA, dropB]) => {
    const a = shape.map((d, i) => (ones[i] ? 1 : d)).slice(Math.min(dropA, shape.length));
    return { a, b: shape.map((d, i) => (ones[4 + i] ? 1 : d)).slice(dropA > 0 ? 0 : Math.min(dropB, shape.length)) };
  });
  const ops = { add: (a: number, b: number) => a + b, sub: (a: number, b: number) => a - b, mul: (a: number, b: number) => a * b, maximum: Math.max, lt: (a: number, b: number) => Number(a < b) };

  it("is NumPy's", () =>
    check(300, fc.asyncProperty(fitting, fc.constantFrom(...(Object.keys(ops) as (keyof typeof ops)[])), fc.boolean(), async ({ a, b }, op, compiled) => {
      const [x, y] = [pairOf(a), pairOf(b, 3)];
      const shape = nn.broadcast(a, b)!;
      const [wx, wy] = [naive.expand(x.naive, shape), naive.expand(y.naive, shape)];
      const f = (p: Tensor, q: Tensor) => nn[op](p, q);
      await same((compiled ? compile(f) : f)(x.real, y.real), { shape, at: (c) => ops[op](wx.at(c), wy.at(c)) });
    })));

  it("of views gives the same as of copies", () =>
    check(100, fc.asyncProperty(shapes(3), chains, async (shape, chain) => {
      const x = view(shape, chain);
      const row = pairOf(x.naive.shape.slice(-1), 2);
      const wide = naive.expand(row.naive, x.naive.shape);
      await same(nn.where(x.real.gt(0), x.real, row.real), { shape: x.naive.shape, at: (c) => (x.naive.at(c) > 0 ? x.naive.at(c) : wide.at(c)) });
    })));

  it("refuses shapes that do not fit", () =>
    check(100, fc.asyncProperty(shapes(3, 1), shapes(3, 1), async (a, b) => {
      const fits = [...a].reverse().every((d, i) => d === 1 || (b.at(-1 - i) ?? 1) === 1 || d === b.at(-1 - i));
      const add = () => nn.add(nn.zeros(a), nn.zeros(b));
      if (fits) expect(add().shape.length).toBe(Math.max(a.length, b.length));
      else expect(add).toThrow(NNError);
    })));
});

describe("reductions", () => {
  const folds: Record<string, { f: (x: Tensor, axes: number[]) => Tensor; of: (v: number[]) => number; empty?: boolean }> = {
    sum: { f: (x, axes) => nn.sum(x, axes), of: (v) => v.reduce((a, b) => a + b, 0), empty: true },
    max: { f: (x, axes) => nn.max(x, axes), of: (v) => Math.max(...v) },
    min: { f: (x, axes) => nn.min(x, axes), of: (v) => Math.min(...v) },
    any: { f: (x, axes) => nn.any(x.gt(9), axes), of: (v) => Number(v.some((a) => a > 9)), empty: true },
    all: { f: (x, axes) => nn.all(x.gt(-9), axes), of: (v) => Number(v.every((a) => a > -9)), empty: true },
    prod: { f: (x, axes) => nn.prod(x.cast("i32"), axes), of: (v) => v.reduce((a, b) => Math.imul(a, b), 1), empty: true },
    "sum of squares": { f: (x, axes) => nn.sum(x.mul(x).add(1), axes), of: (v) => v.reduce((a, b) => a + b * b + 1, 0), empty: true },
  };

  it("take the elements they should", () =>
    check(300, fc.asyncProperty(shapes(), chains, fc.nat(63), fc.constantFrom(...Object.keys(folds)), fc.boolean(), async (shape, chain, bits, name, compiled) => {
      const x = view(shape, chain);
      const axes = x.naive.shape.map((_, i) => i).filter((i) => (bits >> i) & 1);
      const { f, of, empty = false } = folds[name]!;
      if (!empty && sizeOf(axes.map((i) => x.naive.shape[i]!)) === 0) return;
      const run = (t: Tensor) => f(t, axes);
      await same((compiled ? compile(run) : run)(x.real), naive.reduce(x.naive, axes, of));
    })));

  it("find the first of the greatest", () =>
    check(150, fc.asyncProperty(shapes(3, 1), chains, fc.nat(5), async (shape, chain, at) => {
      const x = view(shape, chain);
      if (x.naive.shape.length === 0 || x.naive.shape.includes(0)) return;
      const axis = at % x.naive.shape.length;
      await same(nn.argmax(x.real, axis), naive.reduce(x.naive, [axis], (v) => v.indexOf(Math.max(...v))));
      await same(nn.argmin(x.real, axis), naive.reduce(x.naive, [axis], (v) => v.indexOf(Math.min(...v))));
    })));
});

describe("joining and padding", () => {
  it("cat joins, split parts again", () =>
    check(150, fc.asyncProperty(shapes(3), fc.nat(5), fc.array(fc.nat(3), { minLength: 1, maxLength: 4 }), async (base, at, sizes) => {
      if (base.length === 0) return;
      const axis = at % base.length;
      const parts = sizes.map((n, i) => pairOf(base.with(axis, n), i));
      const joined = nn.cat(parts.map((p) => p.real), axis);
      await same(joined, naive.cat(parts.map((p) => p.naive), axis));
      const again = nn.split(joined, sizes, axis);
      for (const [i, p] of parts.entries()) await same(again[i]!, p.naive);
    })));

  it("pad surrounds", () => {
    const amount = fc.integer({ min: -2, max: 3 });
    return check(250, fc.asyncProperty(
      shapes(3, 1), fc.array(fc.tuple(amount, amount), { minLength: 3, maxLength: 3 }), fc.constantFrom<naive.PadMode>("constant", "reflect", "replicate", "circular"), fc.boolean(),
      async (shape, drawn, mode, compiled) => {
        const most = (d: number) => (mode === "reflect" ? d - 1 : mode === "circular" ? d : 3);
        const pairs = shape.map((d, i) =>
          mode === "constant" ? (drawn[i]![0] + drawn[i]![1] + d < 0 ? ([0, 0] as const) : drawn[i]!) : (drawn[i]!.map((p) => Math.min(Math.abs(p), most(d))) as [number, number]),
        );
        const x = pairOf(shape);
        const f = (t: Tensor) => nn.pad(t, pairs, mode === "constant" ? { mode, value: 0.5 } : { mode });
        await same((compiled ? compile(f) : f)(x.real), naive.pad(x.naive, pairs, mode, 0.5));
      }));
  });

  it("repeat and roll go round", () =>
    check(100, fc.asyncProperty(shapes(3), fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 3, maxLength: 3 }), fc.integer({ min: -9, max: 9 }), async (shape, counts, by) => {
      const x = pairOf(shape);
      const times = shape.map((_, i) => counts[i]!);
      const many = shape.map((d, i) => d * times[i]!);
      await same(nn.repeat(x.real, times), { shape: many, at: (c) => x.naive.at(c.map((v, i) => v % shape[i]!)) });
      if (shape.length === 0) return;
      const d = shape[0]!;
      await same(nn.roll(x.real, by, 0), { shape, at: (c) => x.naive.at(c.with(0, (((c[0]! - by) % d) + d) % d)) });
    })));
});

describe("indexing and products", () => {
  const drawn = fc.tuple(shapes(3, 1), fc.nat(5), fc.array(fc.nat(99), { minLength: 1, maxLength: 5 })).filter(([shape]) => shape.length > 0);

  it("gather and scatterAdd are each other's adjoint", () =>
    check(150, fc.asyncProperty(drawn, fc.boolean(), async ([shape, at, list], compiled) => {
      const axis = at % shape.length;
      const d = shape[axis]!;
      const long = shape.with(axis, list.length);
      const index: Nested = { shape: long, at: (c) => (list[c[axis]!]! + c.reduce((a, b) => a + b, 0)) % d };
      const idx = tensor(flatten(index), { shape: long, dtype: "i32" });
      const [x, source] = [pairOf(shape), pairOf(long, 4)];
      const f = (a: Tensor, i: Tensor, s: Tensor) => [nn.gather(a, axis, i), nn.scatterAdd(a, axis, i, s)] as const;
      const [got, added] = (compiled ? compile(f) : f)(x.real, idx, source.real);
      await same(got, { shape: long, at: (c) => x.naive.at(c.with(axis, index.at(c))) });
      const to = (c: readonly number[]) => coordinates(long).filter((o) => o.every((v, i) => (i === axis ? index.at(o) === c[i] : v === c[i])));
      await same(added, { shape, at: (c) => to(c).reduce((sum, o) => sum + source.naive.at(o), x.naive.at(c)) });
    })));

  it("indexSelect picks slices", () =>
    check(100, fc.asyncProperty(drawn, async ([shape, at, list]) => {
      const axis = at % shape.length;
      const chosen = list.map((v) => v % shape[axis]!);
      const x = pairOf(shape);
      await same(nn.indexSelect(x.real, axis, tensor(chosen, { dtype: "i32" })), { shape: shape.with(axis, chosen.length), at: (c) => x.naive.at(c.with(axis, chosen[c[axis]!]!)) });
    })));

  it("sort is stable", () =>
    check(100, fc.asyncProperty(drawn, fc.boolean(), async ([shape, at], descending) => {
      const axis = at % shape.length;
      const x = pairOf(shape);
      const few: Nested = { shape, at: (c) => x.naive.at(c) % 3 };
      const { values, indices } = nn.sort(tensor(flatten(few), { shape }), { axis, descending });
      const order = (c: readonly number[]) => {
        const row = Array.from({ length: shape[axis]! }, (_, i) => few.at(c.with(axis, i)));
        return row.map((_, i) => i).sort((i, j) => (descending ? row[j]! - row[i]! : row[i]! - row[j]!) || i - j)[c[axis]!]!;
      };
      await same(indices, { shape, at: order });
      await same(values, { shape, at: (c) => few.at(c.with(axis, order(c))) });
    })));

  it("matmul multiplies views and broadcasts batches", () => {
    const size = fc.integer({ min: 1, max: 5 });
    const batch = fc.array(fc.constantFrom(1, 2), { maxLength: 2 });
    return check(150, fc.asyncProperty(fc.tuple(size, size, size), batch, batch, fc.nat(3), fc.boolean(), async ([m, k, n], ba, bb, turned, compiled) => {
      const turn = (batchOf: number[], r: number, c: number, t: boolean, seed: number): Pair => {
        const p = pairOf([...batchOf, ...(t ? [c, r] : [r, c])], seed);
        const axes = p.naive.shape.map((_, i) => i);
        return t ? { real: p.real.transpose(), naive: naive.permute(p.naive, [...axes.slice(0, -2), axes.at(-1)!, axes.at(-2)!]) } : p;
      };
      const [a, b] = [turn(ba, m, k, (turned & 1) === 1, 0), turn(bb, k, n, (turned & 2) === 2, 3)];
      const all = nn.broadcast(ba, bb)!;
      const [wa, wb] = [naive.expand(a.naive, [...all, m, k]), naive.expand(b.naive, [...all, k, n])];
      const at = (c: readonly number[]) => {
        const [head, i, j] = [c.slice(0, -2), c.at(-2)!, c.at(-1)!];
        return Array.from({ length: k }, (_, p) => wa.at([...head, i, p]) * wb.at([...head, p, j])).reduce((x, y) => x + y, 0);
      };
      const f = (x: Tensor, y: Tensor) => nn.matmul(x, y);
      await same((compiled ? compile(f) : f)(a.real, b.real), { shape: [...all, m, n], at });
    }));
  });
});

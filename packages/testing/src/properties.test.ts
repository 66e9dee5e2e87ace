// Properties of reductions, joining, padding, indexing and products over random shapes and views. A failure prints a
// counterexample. Those of views themselves are in views.test.ts.

import * as nn from "@nn/tensor";
import { compile, reference, setBackend, sizeOf, type Tensor, tensor } from "@nn/tensor";
import fc from "fast-check";
import { beforeAll, describe, it } from "vitest";
import { coordinates } from "./naive.js";
import * as naive from "./nested.js";
import { flatten, type Nested } from "./nested.js";
import { chains, check, type Pair, pairOf, same, shapes, view } from "./views.js";

beforeAll(() => setBackend(reference()));

describe("reductions", () => {
  const folds: Record<
    string,
    { f: (x: Tensor, axes: number[]) => Tensor; of: (v: number[]) => number; empty?: boolean }
  > = {
    sum: { f: (x, axes) => nn.sum(x, axes), of: (v) => v.reduce((a, b) => a + b, 0), empty: true },
    max: { f: (x, axes) => nn.max(x, axes), of: (v) => Math.max(...v) },
    min: { f: (x, axes) => nn.min(x, axes), of: (v) => Math.min(...v) },
    any: { f: (x, axes) => nn.any(x.gt(9), axes), of: (v) => Number(v.some((a) => a > 9)), empty: true },
    all: { f: (x, axes) => nn.all(x.gt(-9), axes), of: (v) => Number(v.every((a) => a > -9)), empty: true },
    prod: {
      f: (x, axes) => nn.prod(x.cast("i32"), axes),
      of: (v) => v.reduce((a, b) => Math.imul(a, b), 1),
      empty: true,
    },
    "sum of squares": {
      f: (x, axes) => nn.sum(x.mul(x).add(1), axes),
      of: (v) => v.reduce((a, b) => a + b * b + 1, 0),
      empty: true,
    },
  };

  it("take the elements they should", () =>
    check(
      600,
      fc.asyncProperty(
        shapes(),
        chains,
        fc.nat(63),
        fc.constantFrom(...Object.keys(folds)),
        fc.boolean(),
        async (shape, chain, bits, name, compiled) => {
          const x = view(shape, chain);
          const axes = x.naive.shape.map((_, i) => i).filter((i) => (bits >> i) & 1);
          const { f, of, empty = false } = folds[name]!;
          if (!empty && sizeOf(axes.map((i) => x.naive.shape[i]!)) === 0) return;
          const run = (t: Tensor) => f(t, axes);
          await same((compiled ? compile(run) : run)(x.real), naive.reduce(x.naive, axes, of));
        },
      ),
    ));

  it("find the first of the greatest", () =>
    check(
      300,
      fc.asyncProperty(shapes(3, 1), chains, fc.nat(5), async (shape, chain, at) => {
        const x = view(shape, chain);
        if (x.naive.shape.length === 0 || x.naive.shape.includes(0)) return;
        const axis = at % x.naive.shape.length;
        await same(
          nn.argmax(x.real, axis),
          naive.reduce(x.naive, [axis], (v) => v.indexOf(Math.max(...v))),
        );
        await same(
          nn.argmin(x.real, axis),
          naive.reduce(x.naive, [axis], (v) => v.indexOf(Math.min(...v))),
        );
      }),
    ));
});

describe("joining and padding", () => {
  it("cat joins, split parts again", () =>
    check(
      300,
      fc.asyncProperty(
        shapes(3),
        fc.nat(5),
        fc.array(fc.nat(3), { minLength: 1, maxLength: 4 }),
        async (base, at, sizes) => {
          if (base.length === 0) return;
          const axis = at % base.length;
          const parts = sizes.map((n, i) => pairOf(base.with(axis, n), i));
          const joined = nn.cat(
            parts.map((p) => p.real),
            axis,
          );
          await same(
            joined,
            naive.cat(
              parts.map((p) => p.naive),
              axis,
            ),
          );
          const again = nn.split(joined, sizes, axis);
          for (const [i, p] of parts.entries()) await same(again[i]!, p.naive);
        },
      ),
    ));

  it("pad surrounds", () => {
    const amount = fc.integer({ min: -2, max: 3 });
    return check(
      500,
      fc.asyncProperty(
        shapes(3, 1),
        fc.array(fc.tuple(amount, amount), { minLength: 3, maxLength: 3 }),
        fc.constantFrom<naive.PadMode>("constant", "reflect", "replicate", "circular"),
        fc.boolean(),
        async (shape, drawn, mode, compiled) => {
          const most = (d: number) => (mode === "reflect" ? d - 1 : mode === "circular" ? d : 3);
          const pairs = shape.map((d, i) =>
            mode === "constant"
              ? drawn[i]![0] + drawn[i]![1] + d < 0
                ? ([0, 0] as const)
                : drawn[i]!
              : (drawn[i]!.map((p) => Math.min(Math.abs(p), most(d))) as [number, number]),
          );
          const x = pairOf(shape);
          const f = (t: Tensor) => nn.pad(t, pairs, mode === "constant" ? { mode, value: 0.5 } : { mode });
          await same((compiled ? compile(f) : f)(x.real), naive.pad(x.naive, pairs, mode, 0.5));
        },
      ),
    );
  });

  it("repeat and roll go round", () =>
    check(
      200,
      fc.asyncProperty(
        shapes(3),
        fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 3, maxLength: 3 }),
        fc.integer({ min: -9, max: 9 }),
        async (shape, counts, by) => {
          const x = pairOf(shape);
          const times = shape.map((_, i) => counts[i]!);
          const many = shape.map((d, i) => d * times[i]!);
          await same(nn.repeat(x.real, times), { shape: many, at: (c) => x.naive.at(c.map((v, i) => v % shape[i]!)) });
          if (shape.length === 0) return;
          const d = shape[0]!;
          await same(nn.roll(x.real, by, 0), { shape, at: (c) => x.naive.at(c.with(0, (((c[0]! - by) % d) + d) % d)) });
        },
      ),
    ));
});

describe("indexing and products", () => {
  const drawn = fc
    .tuple(shapes(3, 1), fc.nat(5), fc.array(fc.nat(99), { minLength: 1, maxLength: 5 }))
    .filter(([shape]) => shape.length > 0);

  it("gather and scatterAdd are each other's adjoint", () =>
    check(
      300,
      fc.asyncProperty(drawn, fc.boolean(), async ([shape, at, list], compiled) => {
        const axis = at % shape.length;
        const d = shape[axis]!;
        const long = shape.with(axis, list.length);
        const index: Nested = { shape: long, at: (c) => (list[c[axis]!]! + c.reduce((a, b) => a + b, 0)) % d };
        const idx = tensor(flatten(index), { shape: long, dtype: "i32" });
        const [x, source] = [pairOf(shape), pairOf(long, 4)];
        const f = (a: Tensor, i: Tensor, s: Tensor) => [nn.gather(a, axis, i), nn.scatterAdd(a, axis, i, s)] as const;
        const [got, added] = (compiled ? compile(f) : f)(x.real, idx, source.real);
        await same(got, { shape: long, at: (c) => x.naive.at(c.with(axis, index.at(c))) });
        const to = (c: readonly number[]) =>
          coordinates(long).filter((o) => o.every((v, i) => (i === axis ? index.at(o) === c[i] : v === c[i])));
        await same(added, { shape, at: (c) => to(c).reduce((sum, o) => sum + source.naive.at(o), x.naive.at(c)) });
      }),
    ));

  it("indexSelect picks slices", () =>
    check(
      200,
      fc.asyncProperty(drawn, async ([shape, at, list]) => {
        const axis = at % shape.length;
        const chosen = list.map((v) => v % shape[axis]!);
        const x = pairOf(shape);
        await same(nn.indexSelect(x.real, axis, tensor(chosen, { dtype: "i32" })), {
          shape: shape.with(axis, chosen.length),
          at: (c) => x.naive.at(c.with(axis, chosen[c[axis]!]!)),
        });
      }),
    ));

  it("sort is stable", () =>
    check(
      200,
      fc.asyncProperty(drawn, fc.boolean(), async ([shape, at], descending) => {
        const axis = at % shape.length;
        const x = pairOf(shape);
        const few: Nested = { shape, at: (c) => x.naive.at(c) % 3 };
        const { values, indices } = nn.sort(tensor(flatten(few), { shape }), { axis, descending });
        const order = (c: readonly number[]) => {
          const row = Array.from({ length: shape[axis]! }, (_, i) => few.at(c.with(axis, i)));
          return row.map((_, i) => i).sort((i, j) => (descending ? row[j]! - row[i]! : row[i]! - row[j]!) || i - j)[
            c[axis]!
          ]!;
        };
        await same(indices, { shape, at: order });
        await same(values, { shape, at: (c) => few.at(c.with(axis, order(c))) });
      }),
    ));

  it("matmul multiplies views and broadcasts batches", () => {
    const size = fc.integer({ min: 1, max: 5 });
    const batch = fc.array(fc.constantFrom(1, 2), { maxLength: 2 });
    return check(
      300,
      fc.asyncProperty(
        fc.tuple(size, size, size),
        batch,
        batch,
        fc.nat(3),
        fc.boolean(),
        async ([m, k, n], ba, bb, turned, compiled) => {
          const turn = (batchOf: number[], r: number, c: number, t: boolean, seed: number): Pair => {
            const p = pairOf([...batchOf, ...(t ? [c, r] : [r, c])], seed);
            const axes = p.naive.shape.map((_, i) => i);
            return t
              ? {
                  real: p.real.transpose(),
                  naive: naive.permute(p.naive, [...axes.slice(0, -2), axes.at(-1)!, axes.at(-2)!]),
                }
              : p;
          };
          const [a, b] = [turn(ba, m, k, (turned & 1) === 1, 0), turn(bb, k, n, (turned & 2) === 2, 3)];
          const all = nn.broadcast(ba, bb)!;
          const [wa, wb] = [naive.expand(a.naive, [...all, m, k]), naive.expand(b.naive, [...all, k, n])];
          const at = (c: readonly number[]) => {
            const [head, i, j] = [c.slice(0, -2), c.at(-2)!, c.at(-1)!];
            return Array.from({ length: k }, (_, p) => wa.at([...head, i, p]) * wb.at([...head, p, j])).reduce(
              (x, y) => x + y,
              0,
            );
          };
          const f = (x: Tensor, y: Tensor) => nn.matmul(x, y);
          await same((compiled ? compile(f) : f)(a.real, b.real), { shape: [...all, m, n], at });
        },
      ),
    );
  });
});

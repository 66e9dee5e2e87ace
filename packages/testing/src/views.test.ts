// Properties of views and broadcasting over random shapes. A failure prints a counterexample.

import * as nn from "@nn/tensor";
import { compile, grad, NNError, reference, setBackend, sizeOf, type Tensor, tensor } from "@nn/tensor";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import * as naive from "./nested.js";
import { flatten, type Nested, nested } from "./nested.js";
import { chains, check, follow, followReal, numbers, pairOf, same, shapes, view } from "./views.js";

beforeAll(() => setBackend(reference()));

describe("views", () => {
  it("show the elements they should", () =>
    check(
      800,
      fc.asyncProperty(shapes(), chains, async (shape, chain) => {
        const { real, naive: want } = view(shape, chain);
        await same(real, want);
      }),
    ));

  it("do so compiled, too, with work before and after", () =>
    check(
      240,
      fc.asyncProperty(shapes(), chains, chains, async (shape, before, after) => {
        const f = compile((x: Tensor) => followReal(followReal(x.mul(2), before).add(1), after));
        const inner = follow(pairOf(shape), before).naive;
        const doubled: Nested = { shape: inner.shape, at: (c) => 2 * inner.at(c) + 1 };
        const { naive: want } = follow({ real: nn.zeros(inner.shape), naive: doubled }, after);
        await same(f(pairOf(shape).real), want);
        f.dispose();
      }),
    ));

  it("have gradients that put each share where it came from", () =>
    check(
      300,
      fc.asyncProperty(shapes(), chains, fc.boolean(), async (shape, chain, compiled) => {
        const x = pairOf(shape).real;
        // Where each element comes from: the chain on the elements' own numbers.
        const from = follow(
          {
            real: x,
            naive: nested(
              shape,
              Array.from({ length: sizeOf(shape) }, (_, i) => i),
            ),
          },
          chain,
        ).naive;
        const weights = tensor(numbers(from.shape, 5), { shape: from.shape });
        const f = (t: Tensor) => grad(() => followReal(t, chain).mul(weights).sum(), [t])[0]!;
        const want = new Array<number>(sizeOf(shape)).fill(0);
        flatten(from).forEach((source, i) => {
          want[source]! += numbers(from.shape, 5)[i]!;
        });
        await same((compiled ? compile(f) : f)(x), nested(shape, want));
      }),
    ));

  it("are sliced as in Python", () => {
    const bound = fc.option(fc.integer({ min: -7, max: 7 }));
    const step = fc.integer({ min: -3, max: 3 }).filter((s) => s !== 0);
    return check(
      800,
      fc.asyncProperty(fc.integer({ min: 0, max: 5 }), bound, bound, step, async (size, start, stop, by) => {
        const { real, naive: x } = pairOf([size]);
        await same(nn.slice(real, [[start, stop, by]]), naive.pick(x, [naive.positions(size, start, stop, by)]));
      }),
    );
  });
});

describe("broadcasting", () => {
  /** Two shapes that broadcast: parts of one, with some sizes made 1. */
  const fitting = fc
    .tuple(shapes(), fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }), fc.nat(4), fc.nat(4))
    .map(([shape, ones, dropA, dropB]) => {
      const a = shape.map((d, i) => (ones[i] ? 1 : d)).slice(Math.min(dropA, shape.length));
      return { a, b: shape.map((d, i) => (ones[4 + i] ? 1 : d)).slice(dropA > 0 ? 0 : Math.min(dropB, shape.length)) };
    });
  const ops: Record<string, { f: (a: Tensor, b: Tensor) => Tensor; of: (a: number, b: number) => number }> = {
    add: { f: nn.add, of: (a, b) => a + b },
    sub: { f: nn.sub, of: (a, b) => a - b },
    mul: { f: nn.mul, of: (a, b) => a * b },
    maximum: { f: nn.maximum, of: Math.max },
    lt: { f: nn.lt, of: (a, b) => Number(a < b) },
  };

  it("is NumPy's", () =>
    check(
      600,
      fc.asyncProperty(
        fitting,
        fc.constantFrom(...Object.keys(ops)),
        fc.boolean(),
        async ({ a, b }, name, compiled) => {
          const [x, y] = [pairOf(a), pairOf(b, 3)];
          const shape = nn.broadcast(a, b)!;
          const [wx, wy] = [naive.expand(x.naive, shape), naive.expand(y.naive, shape)];
          const { f, of } = ops[name]!;
          await same((compiled ? compile(f) : f)(x.real, y.real), { shape, at: (c) => of(wx.at(c), wy.at(c)) });
        },
      ),
    ));

  it("of views gives the same as of copies", () =>
    check(
      200,
      fc.asyncProperty(shapes(3), chains, async (shape, chain) => {
        const x = view(shape, chain);
        const row = pairOf(x.naive.shape.slice(-1), 2);
        const wide = naive.expand(row.naive, x.naive.shape);
        await same(nn.where(x.real.gt(0), x.real, row.real), {
          shape: x.naive.shape,
          at: (c) => (x.naive.at(c) > 0 ? x.naive.at(c) : wide.at(c)),
        });
      }),
    ));

  it("refuses shapes that do not fit", () =>
    check(
      200,
      fc.asyncProperty(shapes(3, 1), shapes(3, 1), async (a, b) => {
        const fits = [...a].reverse().every((d, i) => d === 1 || (b.at(-1 - i) ?? 1) === 1 || d === b.at(-1 - i));
        const add = () => nn.add(nn.zeros(a), nn.zeros(b));
        if (fits) expect(add().shape.length).toBe(Math.max(a.length, b.length));
        else expect(add).toThrow(NNError);
      }),
    ));
});

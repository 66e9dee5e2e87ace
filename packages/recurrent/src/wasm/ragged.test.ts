// The products over the steps that rows have, against their lowering, with and without fused multiply-add; and proof that
// the kernels ran.

import { type WasmBackend, wasm } from "@nn/backend-wasm";
import {
  arange,
  compile,
  getBackend,
  grad,
  manualSeed,
  randn,
  reference,
  setBackend,
  type Tensor,
  tensor,
  transpose,
  where,
} from "@nn/tensor";
import { randomness, watched } from "@nn/testing";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { raggedProduct, raggedWeightGrad } from "../ragged.js";
import { raggedProduct as product, raggedWeightGrad as weightGrad } from "./index.js";

const before = getBackend();
let ran: string[] = [];
const kernels = watched([product, weightGrad], ({ op }) => ran.push(op));
const truth = reference();
const backends: Record<string, WasmBackend> = {
  "fused multiply-add": await wasm({ kernels, threads: 1 }),
  plain: await wasm({ kernels, threads: 1, relaxed: false }),
  "two threads": await wasm({ kernels, threads: 2, parallelFrom: 0 }),
};
afterEach(() => {
  ran = [];
});
afterAll(() => {
  setBackend(before);
  for (const b of Object.values(backends)) b.dispose();
});

interface Case {
  readonly steps: number;
  readonly rows: number;
  readonly k: number;
  readonly m: number;
  readonly bias: boolean;
  /** The weight is seen through its transpose, x across its batch. */
  readonly turned: boolean;
  readonly lengths: (row: number) => number;
}

/** Outputs and gradients, the padding full of NaN. */
function run({ steps, rows, k, m, bias, turned, lengths }: Case): readonly number[][] {
  manualSeed(3);
  const ends = tensor(
    Array.from({ length: rows }, (_, i) => lengths(i)),
    { dtype: "i32" },
  );
  const open = arange(steps).unsqueeze(1).lt(ends).unsqueeze(2);
  const given = (size: number) => {
    const x = turned ? randn([rows, steps, size]).transpose(0, 1) : randn([steps, rows, size]);
    return where(open, x, tensor(Number.NaN));
  };
  const [x, d] = [given(k), given(m)];
  const weight = turned ? transpose(randn([k, m])) : randn([m, k]);
  const [b, ct] = [bias ? randn([m]) : undefined, randn([steps, rows, m])];
  const f = (x: Tensor, d: Tensor, weight: Tensor) => {
    const loss = () => raggedProduct(x, weight, ends, b).mul(ct).sum();
    return [
      raggedProduct(x, weight, ends, b),
      raggedWeightGrad(d, x, ends),
      ...grad(loss, [x, weight, ...(b ? [b] : [])]),
    ];
  };
  return [...f(x, d, weight), ...compile(f)(x, d, weight)].map((t) => [...t.readSync()]);
}

const random = randomness(1);
const cases: Case[] = Array.from({ length: 60 }, (_, i) => {
  const [steps, seed] = [random(1, 9), random(0, 99)];
  const size = () => (random(1, 10) === 1 ? random(380, 420) : random(1, 60));
  return {
    steps,
    rows: random(1, 14),
    k: size(),
    m: size(),
    bias: i % 2 === 0,
    turned: i % 3 === 0,
    lengths: (row) => (row * 31 + seed * (row + 7)) % (steps + 1),
  };
});
cases.push({ ...cases[0]!, lengths: () => 0 }, { ...cases[1]!, lengths: () => 9 });
cases.push({ ...cases[2]!, steps: 60, rows: 16, lengths: (row) => 60 - row });

describe.each(Object.keys(backends))("%s", (name) => {
  it("gives what the lowering gives, with gradients, whatever the padding holds", () => {
    for (const c of cases) {
      const [got, want] = [backends[name]!, truth].map((backend) => {
        setBackend(backend);
        return run(c);
      }) as [number[][], number[][]];
      got.forEach((list, i) => {
        const scale = Math.max(1, ...want[i]!.map(Math.abs));
        for (const [at, w] of want[i]!.entries())
          if (!(Math.abs(list[at]! - w) <= 2e-6 * Math.sqrt(c.steps * c.rows + c.k) * scale))
            expect.fail(`${i} of ${JSON.stringify(c)}: at ${at} expected ${w}, got ${list[at]}`);
      });
    }
    expect(ran.filter((op) => op === product.op).length).toBeGreaterThan(2 * cases.length);
    expect(ran.filter((op) => op === weightGrad.op).length).toBeGreaterThan(cases.length);
  });
});

it("gives the same bits with two threads", () => {
  const [one, two] = ["fused multiply-add", "two threads"].map((name) => {
    setBackend(backends[name]!);
    return run(cases.at(-1)!);
  });
  expect(two).toEqual(one);
});

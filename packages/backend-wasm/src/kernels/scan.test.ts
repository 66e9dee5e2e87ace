// Scans as loops against the unrolled ones of the reference backend: random cells, values and gradients, eager and
// compiled; and proof that the kernel ran.

import {
  type Backend,
  cat,
  compile,
  gather,
  getBackend,
  grad,
  manualSeed,
  randint,
  randn,
  reference,
  scan,
  setBackend,
  split,
  type Tensor,
  Variable,
  where,
  zeros,
} from "@nn/tensor";
import { watched } from "@nn/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type WasmBackend, wasm } from "../wasm.js";
import { scanKernel } from "./scan.js";

const before = getBackend();
let ran = 0;
const kernels = watched([scanKernel], () => ran++);
const plain = reference();
let backends: WasmBackend[] = [];

beforeAll(async () => {
  backends = [
    await wasm({ kernels, threads: 1 }),
    await wasm({ kernels, threads: 1, relaxed: false }),
    await wasm({ kernels, threads: 2, parallelFrom: 0 }),
  ];
});
afterAll(() => {
  for (const b of backends) b.dispose();
  setBackend(before);
});

interface Sizes {
  readonly steps: number;
  readonly rows: number;
  readonly inputs: number;
  readonly hidden: number;
  readonly reverse: boolean;
}

/** Cells: what they close over, and the loss of a whole scan. */
const cells: Record<string, (s: Sizes) => { wrt: (Tensor | Variable)[]; loss: () => Tensor }> = {
  plain({ steps, rows, inputs, hidden, reverse }) {
    const [x, h, w, u, b] = [
      randn([steps, rows, inputs]),
      randn([rows, hidden]),
      randn([inputs, hidden]),
      small(hidden),
      randn([hidden]),
    ];
    const cell = (h: Tensor, x: Tensor) => {
      const next = x.matmul(w).add(h.matmul(u)).add(b).tanh();
      return [next, next] as const;
    };
    return { wrt: [x, h, w, u, b], loss: () => total(...scan(cell, h, x, { reverse })) };
  },
  lstm({ steps, rows, inputs, hidden, reverse }) {
    // The time axis is the second one, and weights are Variables, seen turned.
    const x = randn([rows, steps, inputs]);
    const w = new Variable(randn([4 * hidden, inputs + hidden]).mul(0.3));
    const b = new Variable(randn([4 * hidden]));
    const cell = ({ h, c }: { h: Tensor; c: Tensor }, x: Tensor) => {
      const z = cat([x, h], 1).matmul(w.value.transpose()).add(b.value);
      const [i, f, g, o] = split(z, hidden, 1) as [Tensor, Tensor, Tensor, Tensor];
      const next = f.sigmoid().mul(c).add(i.sigmoid().mul(g.tanh()));
      const out = o.sigmoid().mul(next.tanh());
      return [{ h: out, c: next }, out] as const;
    };
    const start = () => ({ h: zeros([rows, hidden]), c: zeros([rows, hidden]) });
    return {
      wrt: [x, w, b],
      loss() {
        const [{ c }, all] = scan(cell, start(), x.permute([1, 0, 2]), { reverse });
        return total(c, all);
      },
    };
  },
  masked({ steps, rows, inputs, hidden, reverse }) {
    const [x, h, w] = [randn([steps, rows, inputs]), randn([rows, hidden]), randn([inputs, hidden])];
    const inside = randint(0, 2, [steps, rows, 1]).eq(1);
    const cell = (h: Tensor, [x, m]: readonly [Tensor, Tensor]) => {
      const next = where(m, h.mul(0.5).add(x.matmul(w)), h);
      return [next, [next.sum(1), x.mul(2)]] as const;
    };
    return {
      wrt: [x, h, w],
      loss() {
        const [last, [sums, doubles]] = scan(cell, h, [x, inside], { reverse }) as unknown as [
          Tensor,
          [Tensor, Tensor],
        ];
        return total(last, sums, doubles);
      },
    };
  },
  embedding({ steps, rows, hidden, reverse }) {
    const table = new Variable(randn([7, hidden]));
    const u = small(hidden);
    const tokens = randint(0, 7, [steps, rows]);
    const cell = (h: Tensor, token: Tensor) => {
      const next = gather(table.value, 0, token.unsqueeze(1).expand([-1, hidden]))
        .add(h.matmul(u))
        .tanh();
      return [next, next] as const;
    };
    return { wrt: [table, u], loss: () => total(...scan(cell, zeros([rows, hidden]), tokens, { reverse })) };
  },
  nested({ steps, rows, inputs, hidden }) {
    const [x, w] = [randn([steps, rows, inputs]), randn([inputs, hidden])];
    const cell = (h: Tensor, x: Tensor) => {
      const inner = scan((s: Tensor, r: Tensor) => [s.mul(0.9).add(r), null], h, x.matmul(w))[0];
      return [inner, null] as const;
    };
    return { wrt: [x, w], loss: () => total(scan(cell, zeros([hidden]), x)[0] as Tensor) };
  },
};

const small = (n: number) => randn([n, n]).mul(0.5 / Math.sqrt(n));
const total = (...ts: readonly Tensor[]) => ts.map((t) => t.mul(t).add(t).sum()).reduce((a, b) => a.add(b));

describe("scan as a loop", () => {
  it.each(Object.keys(cells))("is the unrolled one, values and gradients: %s", (name) => {
    ran = 0;
    for (let i = 0; i < 12; i++) {
      const size = (n: number) => 1 + ((i * 7 + n * 5) % n);
      const sizes = { steps: size(9), rows: size(6), inputs: size(11), hidden: size(13), reverse: i % 3 === 1 };
      const run = (backend: Backend, compiled: boolean) => {
        setBackend(backend);
        manualSeed(i);
        const { wrt, loss } = cells[name]!(sizes);
        const step = () => [loss(), ...grad(loss, wrt)];
        return (compiled ? compile(step)() : step()).map((t) => t.readSync().slice());
      };
      const want = run(plain, false);
      for (const backend of backends)
        for (const compiled of [false, true])
          for (const [k, got] of run(backend, compiled).entries())
            close(got, want[k]!, `${name} ${JSON.stringify(sizes)} ${k}`);
    }
    expect(ran).toBeGreaterThan(12 * 6);
  });

  it("leaves nothing running after an index out of range", () => {
    setBackend(backends[0]!);
    const [table, tokens] = [randn([3, 2]), randint(5, 6, [4, 2])];
    const cell = (h: Tensor, t: Tensor) => [h.add(gather(table, 0, t.unsqueeze(1).expand([-1, 2]))), null] as const;
    expect(() => scan(cell, zeros([2, 2]), tokens)).toThrow(/expected indices 0…2 on axis 0, got 5/);
    expect(randn([2]).add(1).shape).toEqual([2]);
  });
});

function close(got: ArrayLike<number>, want: ArrayLike<number>, what: string): void {
  expect(got.length).toBe(want.length);
  const scale = Array.from(want).reduce((m, v) => Math.max(m, Math.abs(v)), 1);
  for (let i = 0; i < want.length; i++)
    if (!(Math.abs(got[i]! - want[i]!) <= 2e-5 * scale))
      expect.fail(`${what}: at ${i} expected ${want[i]}, got ${got[i]}`);
}

// Products in order: a row has the same bits among few rows and among many.

import { apply1, compile, manualSeed, matmulOp, randn, setBackend, type Tensor, transpose, Variable } from "@nn/tensor";
import { describe, expect, it } from "vitest";
import { wasm } from "../../wasm.js";

describe.each([true, false])("relaxed: %s", (relaxed) => {
  it("1 to 3 rows have the bits they have among 8", async () => {
    setBackend(await wasm({ threads: 1, relaxed }));
    manualSeed(1);
    for (const k of [1, 3, 16, 33, 384, 385, 800])
      for (const n of [1, 2, 3, 4, 5, 31, 32, 33, 100])
        for (const turned of [true, false]) {
          const [a, bias] = [randn([8, k]), randn([n])];
          const b = turned ? transpose(randn([n, k])) : randn([k, n]);
          const f = (a: Tensor) => apply1(matmulOp, [a, b], { inOrder: true }).add(bias);
          const whole = f(a).readSync();
          for (const m of [1, 2, 3])
            for (const [mode, run] of [["eager", f] as const, ["compiled", compile(f)] as const]) {
              const part = run(a.slice([[m, 2 * m]])).readSync();
              expect(part, `${mode} ${m}×${k}·${k}×${n} ${turned}`).toEqual(whole.slice(m * n, 2 * m * n));
            }
        }
  });

  it("packs a matrix anew when it changes, once for all products with it", async () => {
    setBackend(await wasm({ threads: 1, relaxed }));
    const w = new Variable(randn([20, 12]));
    const twice = compile((a: Tensor, b: Tensor) =>
      [a, b].map((x) => apply1(matmulOp, [x, transpose(w.value)], { inOrder: true })),
    );
    const xs = [randn([1, 12]), randn([1, 12])] as const;
    for (let i = 0; i < 3; i++) {
      const want = xs.map((x) => x.mul(w.value).sum(1)); // other sums, to rounding
      twice(...xs).forEach((y, k) => {
        y.readSync().forEach((v, j) => {
          expect(v).toBeCloseTo(want[k]!.readSync()[j]!, 5);
        });
      });
      w.value = w.value.mul(-2);
    }
  });
});

// How far the elementary functions are off, in units in the last place of the exact result. README.md has the bounds.

import { contiguousView, expr as ex, type ScalarFn } from "@nn/tensor";
import { webgpuHere, whyNoWebgpu } from "@nn/testing";
import { describe, expect, it } from "vitest";
import { map } from "./kernels/map.js";

const N = 100_000;

/** Range of arguments, and the bound in units in the last place; where `absolute`, those of 1. */
const cases: readonly (readonly [f: ScalarFn, low: number, high: number, bound: number, absolute?: "absolute"])[] = [
  ["exp", -87, 88.7, 1],
  ["expm1", -20, 88, 1.5],
  ["log", 1e-30, 1e30, 1],
  ["log", 0.5, 2, 1],
  ["log1p", -0.99, 1000, 2.5],
  ["sigmoid", -80, 80, 2.5],
  ["tanh", -10, 10, 2.5],
  ["sinh", -20, 20, 2.5],
  ["cosh", -20, 20, 2],
  ["erf", -5, 5, 2],
  ["asin", -1, 1, 2.5],
  ["acos", -1, 1, 2.5],
  ["atan", -1000, 1000, 2.5],
  ["sin", -30, 30, 1.5, "absolute"],
  ["cos", -30, 30, 1.5, "absolute"],
  ["sin", -10_000, 10_000, 2, "absolute"],
  ["cos", -10_000, 10_000, 2, "absolute"],
];

const missing = await whyNoWebgpu();
describe.skipIf(missing)(`elementary functions${missing ? ` (${missing})` : ""}`, () => {
  it.each(cases.map(([f, low, high, bound, absolute]) => ({ f, low, high, bound, absolute })))(
    "$f from $low to $high",
    async ({ f, low, high, bound, absolute }) => {
      const backend = await webgpuHere();
      const view = contiguousView({ shape: [N], dtype: "f32" });
      // Half of them evenly, half of them ever closer to 0, on both sides.
      const x = Float32Array.from({ length: N }, (_, i) =>
        i % 2 ? low + ((high - low) * i) / N : (i % 4 ? low : high) * 2 ** (-i / 4000),
      ).map((v) => Math.min(high, Math.max(low, v)));
      const code = map.emit({ ins: [view], outs: [view], attrs: { expr: ex.call(f, ex.input(0)) } });
      const executable = backend.load({ steps: [{ code, ins: [{ input: 0 }], outs: [{ result: 0 }] }], slots: [] });
      const [from, to] = [backend.alloc(4 * N), backend.alloc(4 * N)];
      backend.write(from, new Uint8Array(x.buffer));
      executable.run([from], [to]);
      const got = new Float32Array((await backend.read(to)).buffer);
      let worst = 0;
      let at = 0;
      for (let i = 0; i < N; i++) {
        const want = exact(f, x[i]!);
        if (Math.abs(want) < 2 ** -126) continue;
        const unit = absolute ? 2 ** -24 : 2 ** (Math.floor(Math.log2(Math.abs(want))) - 23);
        const error = Math.abs(got[i]! - want) / unit;
        if (!(error <= worst)) [worst, at] = [error, x[i]!];
      }
      expect(worst, `at ${at}`).toBeLessThanOrEqual(bound);
      backend.dispose();
    },
  );
});

/** In double precision. */
function exact(f: ScalarFn, x: number): number {
  if (f === "sigmoid") return 1 / (1 + Math.exp(-x));
  if (f === "erf") return erf(x);
  return (Math as unknown as Record<string, (x: number) => number>)[f]!(x);
}

/** By its series, all terms positive. */
function erf(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > Math.abs(sum) * 1e-17; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

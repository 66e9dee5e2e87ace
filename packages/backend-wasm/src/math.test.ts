// The elementary functions against double precision, over all of f32, with and without fused multiply-add. The bounds
// here are those that MATH.md states.

import type { ScalarFn } from "@nn/tensor";
import { describe, expect, it } from "vitest";
import { type Func, i32, type Local, Module, type Value, v128 } from "./build.js";
import { makePool } from "./constants.js";
import { encodeModule, I32 } from "./encode.js";
import { detectFeatures } from "./features.js";
import { elementary, floatMod, pow } from "./math.js";

const INF = Number.POSITIVE_INFINITY;
const { NaN: NAN, MIN_VALUE } = Number;
const MAX = 2 ** 128 - 2 ** 104;
const TINY = 2 ** -149;

/** What is meant, and the greatest error in units in the last place, from … to. */
const FUNCTIONS: Partial<Record<ScalarFn, { of: (x: number) => number; ulp: number; from?: number; to?: number }>> = {
  exp: { of: Math.exp, ulp: 1 },
  expm1: { of: Math.expm1, ulp: 1.5 },
  sigmoid: { of: (x) => 1 / (1 + Math.exp(-x)), ulp: 2.5 },
  tanh: { of: Math.tanh, ulp: 2.5 },
  sinh: { of: Math.sinh, ulp: 2.5 },
  cosh: { of: Math.cosh, ulp: 1.5 },
  erf: { of: erf, ulp: 2 },
  log: { of: Math.log, ulp: 1 },
  log1p: { of: Math.log1p, ulp: 1.5 },
  // For larger arguments there is a test below.
  sin: { of: Math.sin, ulp: 2, from: -(2 ** 31), to: 2 ** 31 },
  cos: { of: Math.cos, ulp: 2, from: -(2 ** 31), to: 2 ** 31 },
  tan: { of: Math.tan, ulp: 3.5, from: -(2 ** 31), to: 2 ** 31 },
  asin: { of: Math.asin, ulp: 0.75 },
  acos: { of: Math.acos, ulp: 0.75 },
  atan: { of: Math.atan, ulp: 0.75 },
};

/** Exact results: at 0, −0, ∞, −∞ and NaN, and where a function leaves its domain or range. */
const SPECIAL: Partial<Record<ScalarFn, readonly (readonly [x: number, y: number])[]>> = {
  exp: [
    [0, 1],
    [-0, 1],
    [INF, INF],
    [-INF, 0],
    [NAN, NAN],
    [88.72284, INF],
    [-104, 0],
    [MAX, INF],
    [-MAX, 0],
    [TINY, 1],
  ],
  expm1: [
    [0, 0],
    [-0, -0],
    [INF, INF],
    [-INF, -1],
    [NAN, NAN],
    [88.72284, INF],
    [MAX, INF],
    [-MAX, -1],
    [2 ** -126, 2 ** -126],
  ],
  sigmoid: [
    [0, 0.5],
    [-0, 0.5],
    [INF, 1],
    [-INF, 0],
    [NAN, NAN],
    [MAX, 1],
    [-MAX, 0],
    [-104.5, 0],
  ],
  tanh: [
    [0, 0],
    [-0, -0],
    [INF, 1],
    [-INF, -1],
    [NAN, NAN],
    [MAX, 1],
    [-MAX, -1],
    [TINY, TINY],
    [-TINY, -TINY],
  ],
  sinh: [
    [0, 0],
    [-0, -0],
    [INF, INF],
    [-INF, -INF],
    [NAN, NAN],
    [89.42, INF],
    [-MAX, -INF],
    [2 ** -120, 2 ** -120],
  ],
  cosh: [
    [0, 1],
    [-0, 1],
    [INF, INF],
    [-INF, INF],
    [NAN, NAN],
    [89.42, INF],
    [-MAX, INF],
    [TINY, 1],
  ],
  erf: [
    [0, 0],
    [-0, -0],
    [INF, 1],
    [-INF, -1],
    [NAN, NAN],
    [4, 1],
    [-MAX, -1],
  ],
  log: [
    [0, -INF],
    [-0, -INF],
    [INF, INF],
    [-INF, NAN],
    [NAN, NAN],
    [1, 0],
    [-1, NAN],
    [-TINY, NAN],
  ],
  log1p: [
    [0, 0],
    [-0, -0],
    [INF, INF],
    [-INF, NAN],
    [NAN, NAN],
    [-1, -INF],
    [-1.0000001, NAN],
    [TINY, TINY],
  ],
  sin: [
    [0, 0],
    [-0, -0],
    [INF, NAN],
    [-INF, NAN],
    [NAN, NAN],
    [TINY, TINY],
  ],
  cos: [
    [0, 1],
    [-0, 1],
    [INF, NAN],
    [-INF, NAN],
    [NAN, NAN],
    [TINY, 1],
  ],
  tan: [
    [0, 0],
    [-0, -0],
    [INF, NAN],
    [-INF, NAN],
    [NAN, NAN],
    [TINY, TINY],
  ],
  asin: [
    [0, 0],
    [-0, -0],
    [INF, NAN],
    [-INF, NAN],
    [NAN, NAN],
    [1, Math.PI / 2],
    [-1, -Math.PI / 2],
    [1.0000001, NAN],
    [TINY, TINY],
  ],
  acos: [
    [0, Math.PI / 2],
    [-0, Math.PI / 2],
    [INF, NAN],
    [-INF, NAN],
    [NAN, NAN],
    [1, 0],
    [-1, Math.PI],
    [-1.0000001, NAN],
  ],
  atan: [
    [0, 0],
    [-0, -0],
    [INF, Math.PI / 2],
    [-INF, -Math.PI / 2],
    [NAN, NAN],
    [MAX, Math.PI / 2],
    [TINY, TINY],
  ],
};

describe.each(detectFeatures().relaxed ? ["fused", "plain"] : ["plain"])("elementary functions, %s", (kind) => {
  const relaxed = kind === "fused";

  it("are all here", () => {
    expect(Object.keys(elementary).sort()).toEqual(Object.keys(FUNCTIONS).sort());
    expect(Object.keys(SPECIAL).sort()).toEqual(Object.keys(FUNCTIONS).sort());
  });

  for (const [name, { of, ulp, from = -INF, to = INF }] of Object.entries(FUNCTIONS)) {
    const run = () => compiled(relaxed, elementary[name as ScalarFn]!);

    it(`${name}: within ${ulp} ulp`, () => {
      const f = run();
      let worst = { error: 0, x: 0, got: 0, want: 0 };
      for (const x of SAMPLES) {
        f(x).forEach((got, i) => {
          if (x[i]! < from || x[i]! > to) return;
          const want = of(x[i]!);
          // Subnormal results have fewer digits, and no more than two of the last are lost.
          const error = ulps(got, want) * (Math.abs(want) < 2 ** -126 ? ulp / 2 : 1);
          if (!(error <= worst.error)) worst = { error, x: x[i]!, got, want };
        });
      }
      expect(worst.error, JSON.stringify(worst)).toBeLessThanOrEqual(ulp);
    });

    it(`${name}: special values`, () => {
      const cases = SPECIAL[name as ScalarFn]!;
      const got = run()(Float32Array.from(cases, ([x]) => x));
      expect(cases.map(([x], i) => [x, got[i]])).toEqual(cases.map(([x, y]) => [x, Math.fround(y)]));
    });
  }

  it("sin and cos stay between −1 and 1 where the argument is too large to be reduced", () => {
    const x = Float32Array.from({ length: 20_000 }, (_, i) => (i % 2 ? -1 : 1) * 2 ** (31 + (i / 20_000) * 96.99));
    for (const name of ["sin", "cos"] as const)
      expect(compiled(relaxed, elementary[name]!)(x).every((y) => Math.abs(y) <= 1)).toBe(true);
  });

  const EDGES = [
    0,
    0.5,
    0.99999994,
    1,
    1.0000001,
    1.5,
    2,
    3,
    7,
    127,
    149,
    16777215,
    16777216,
    1e10,
    TINY,
    2 ** -126,
    MAX,
    INF,
  ]
    .flatMap((v) => [v, -v])
    .concat(NAN);
  const grid = [EDGES.flatMap((a) => EDGES.map(() => a)), EDGES.flatMap(() => EDGES)].map((v) => Float32Array.from(v));

  it("pow: within 1 ulp, special values as IEEE 754", () => {
    const f = compiled(relaxed, pow);
    const of = (x: number, y: number) => (x === 1 || (x === -1 && Math.abs(y) === INF) ? 1 : x ** y);
    const random = numbers();
    const pairs = Array.from({ length: 100_000 }, (_, i): [number, number] => {
      const u = random();
      if (i % 4 === 0) return [u * 20 - 10, Math.round(random() * 60 - 30)];
      // A base near 1 and one anywhere, with all exponents for which the result is neither 0 nor infinite.
      const x = Math.fround(i % 4 === 1 ? 1 + (u - 0.5) / 1000 : i % 4 === 2 ? 4 * u : 2 ** (250 * u - 125));
      return [x, ((random() * 2 - 1) * 104) / Math.log(x)];
    });
    for (const [x, y] of [grid as [Float32Array, Float32Array], split(pairs)]) {
      f(x, y).forEach((got, i) => {
        const want = of(x[i]!, y[i]!);
        if (!(ulps(got, want) <= 1) || (want === 0 && !Object.is(got, want)))
          expect.fail(`${x[i]} ** ${y[i]} = ${want}, got ${got}`);
      });
    }
  });

  it("mod: exact", () => {
    const f = compiled(relaxed, floatMod);
    const of = (x: number, y: number) => (x % y !== 0 && x % y < 0 !== y < 0 ? (x % y) + y : x % y);
    const random = numbers();
    const anywhere = () => (random() - 0.5) * 2 ** (270 * random() - 142);
    const pairs = Array.from({ length: 100_000 }, (_, i): [number, number] =>
      i % 2 ? [anywhere(), anywhere()] : [random() * 2000 - 1000, random() - 0.5],
    );
    for (const [x, y] of [grid as [Float32Array, Float32Array], split(pairs)]) {
      f(x, y).forEach((got, i) => {
        const want = Math.fround(of(x[i]!, y[i]!));
        if (!Object.is(got, want)) expect.fail(`${x[i]} mod ${y[i]} = ${want}, got ${got}`);
      });
    }
  });
});

// ── running and measuring ──────────────────────────────────────────────────────────────────────────

const BLOCK = 1 << 16;

/** A loop around a function, as a kernel would have it. */
function compiled(relaxed: boolean, body: (f: Func, x: Local, y: Local) => Value) {
  const [xAt, yAt, outAt] = [1, 2, 3].map((i) => i * 4 * BLOCK) as [number, number, number];
  const memory = new WebAssembly.Memory({ initial: 16, maximum: 65536 });
  const pool = makePool(1024, xAt, (address, lanes) => new Uint32Array(memory.buffer, address, 4).set(lanes));
  const m = new Module({ relaxed, threads: false }, pool);
  const f = m.function("loop", [I32]);
  f.for(0, f.param(0), 16, (i) => {
    const out = body(f, f.let(v128.load(i, xAt)), f.let(v128.load(i, yAt)));
    f.store(i32.add(i, outAt), out);
  });
  const module = new WebAssembly.Module(encodeModule(m.functions, { loop: f.index }, false));
  const { exports } = new WebAssembly.Instance(module, { nn: { m: memory, wait: () => undefined } });
  const seen = (at: number) => new Float32Array(memory.buffer, at, BLOCK);
  return (x: Float32Array, y?: Float32Array): Float32Array => {
    const result = new Float32Array(x.length);
    for (let i = 0; i < x.length; i += BLOCK) {
      const part = x.subarray(i, i + BLOCK);
      seen(xAt).set(part);
      if (y) seen(yAt).set(y.subarray(i, i + BLOCK));
      (exports.loop as (bytes: number) => void)(4 * part.length);
      result.set(seen(outAt).subarray(0, part.length), i);
    }
    return result;
  };
}

/** Numbers of all sizes (every 30011th bit pattern), and many of those that matter. */
const SAMPLES = [
  new Float32Array(Uint32Array.from({ length: Math.floor(2 ** 32 / 30011) }, (_, i) => i * 30011).buffer),
  ...[1, 10, 105].map((reach) => Float32Array.from({ length: 50_000 }, (_, i) => (i / 25_000 - 1) * reach)),
];

/** Distance in units of the wanted number's last place. */
function ulps(got: number, want: number): number {
  if (Number.isNaN(want)) return Number.isNaN(got) ? 0 : INF;
  // What is rounded to ∞ is as good as 2¹²⁸.
  const finite = (v: number) => Math.max(-(2 ** 128), Math.min(2 ** 128, v));
  const exponent = Math.max(-126, Math.floor(Math.log2(Math.abs(want) || MIN_VALUE)));
  return Math.abs(finite(got) - finite(want)) / 2 ** (Math.min(exponent, 127) - 23);
}

/** erf by its series, all terms of one sign: as exact as doubles are. */
function erf(x: number): number {
  if (!(Math.abs(x) < 6)) return Math.sign(x);
  let [term, sum] = [x, x];
  for (let n = 1; Math.abs(term) > Math.abs(sum) * 1e-17; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** Numbers from 0 to 1, the same in every run. */
function numbers(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function split(pairs: readonly [number, number][]): [Float32Array, Float32Array] {
  return [Float32Array.from(pairs, ([a]) => a), Float32Array.from(pairs, ([, b]) => b)];
}

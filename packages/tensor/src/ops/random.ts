// Random numbers, counter-based: number i of a stream is a function of key and counter + i alone, so one seed gives the
// same bits on every backend, eager or compiled, with any number of threads.
//
// Threefry-2x32 with 20 rounds: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011).

import { apply1 } from "../apply.js";
import { getBackend } from "../current.js";
import { fail } from "../errors.js";
import { call, cast as castExpr, type Expr, index, input, num } from "../expr.js";
import { map } from "../primitives.js";
import { scope } from "../scope.js";
import { checkShape, sizeOf } from "../spec.js";
import { Tensor } from "../tensor.js";
import { Variable } from "../variable.js";
import { fromTyped, zeros } from "./creation.js";
import { expand, reshape, slice } from "./movement.js";
import { add, cast, floor, lt, mul } from "./pointwise.js";

/** A stream of random numbers. Its state is a Variable, so that it advances inside compile(), too. */
export class Generator {
  /** `[key, key, counter, counter]` as u32, low words first. */
  readonly state: Variable;

  /** @param seed a whole number from 0 to 2⁵³ − 1 */
  constructor(seed = 0) {
    this.state = scope(() => new Variable(stateOf(seed), { trainable: false }));
  }

  /** Starts again from a seed. */
  manualSeed(seed: number): void {
    scope(() => {
      this.state.value = stateOf(seed);
    });
  }
}

function stateOf(seed: number): Tensor {
  if (!Number.isSafeInteger(seed) || seed < 0)
    fail({ op: "manualSeed", expected: "a whole number from 0 to 2⁵³ − 1", got: `${seed}` });
  return fromTyped(new Uint32Array([seed >>> 0, Math.floor(seed / 2 ** 32), 0, 0]), { shape: [4], dtype: "u32" });
}

let shared: { generator: Generator; backend: object } | null = null;
let seed = 0;

/** The generator that is used where none is named: one per backend, seed 0 until {@link manualSeed}. */
export function defaultGenerator(): Generator {
  const backend = getBackend();
  if (shared?.backend !== backend) shared = { generator: new Generator(seed), backend };
  return shared.generator;
}

/** Seeds the default generator: what follows is reproducible. */
export function manualSeed(next: number): void {
  defaultGenerator().manualSeed(next);
  seed = next;
}

export interface Random {
  /** Default: the one that {@link manualSeed} seeds. */
  readonly generator?: Generator;
}

/** Uniform on [0, 1), multiples of 2⁻²⁴; f32. */
export function rand(shape: readonly number[], options: Random = {}): Tensor {
  return draw("rand", shape, uniform24(words()[0]), options);
}

/** Standard normal, by Box and Muller (1958); f32. */
export function randn(shape: readonly number[], options: Random = {}): Tensor {
  const [a, b] = words();
  const radius = call("sqrt", call("mul", num(-2), call("log", call("sub", num(1), uniform24(a)))));
  return draw("randn", shape, call("mul", radius, call("cos", call("mul", num(2 * Math.PI), uniform24(b)))), options);
}

/** Whole numbers, uniform from `low` up to but without `high`; i32. */
export function randint(low: number, high: number, shape: readonly number[], options: Random = {}): Tensor {
  if (!Number.isInteger(low) || !Number.isInteger(high) || high <= low || high - low > 2 ** 24) {
    fail({ op: "randint", expected: "whole numbers with low < high ≤ low + 2²⁴", got: `${low} and ${high}` });
  }
  return add(cast(floor(mul(rand(shape, options), high - low)), "i32"), low);
}

/** 1 with probability `p`, else 0; f32. A tensor `p` gives one number per element. */
export function bernoulli(p: number | Tensor, shape?: readonly number[], options: Random = {}): Tensor {
  if (p instanceof Tensor) return cast(lt(rand(shape ?? p.shape, options), p), "f32");
  if (!(p >= 0 && p <= 1)) fail({ op: "bernoulli", expected: "a probability from 0 to 1", got: `${p}` });
  return cast(lt(rand(shape ?? [], options), p), "f32");
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

const u32 = (v: number) => num(v >>> 0, "u32");
/** The two random words of each element; inputs are key and counter, low words first. */
function words(): readonly [Expr, Expr] {
  const [key0, key1, start, high] = [0, 1, 2, 3].map((i) => input(i, "u32")) as [Expr, Expr, Expr, Expr];
  const i = castExpr(index(0), "u32");
  const low = call("add", start, i);
  const carry = castExpr(call("lt", low, i), "u32");
  return threefry([key0, key1], [low, call("add", high, carry)]);
}

/** @internal Threefry-2x32-20, as a formula. */
export function threefry(key: readonly [Expr, Expr], counter: readonly [Expr, Expr]): readonly [Expr, Expr] {
  const keys = [...key, call("xor", u32(0x1bd11bda), call("xor", key[0], key[1]))];
  const rotations = [13, 15, 26, 6, 17, 29, 16, 24];
  let a = call("add", counter[0], keys[0]!);
  let b = call("add", counter[1], keys[1]!);
  for (let round = 0; round < 20; round++) {
    const r = rotations[round % 8]!;
    a = call("add", a, b);
    b = call("xor", call("or", call("shl", b, u32(r)), call("shr", b, u32(32 - r))), a);
    if (round % 4 !== 3) continue;
    const n = (round + 1) / 4;
    a = call("add", a, keys[n % 3]!);
    b = call("add", b, call("add", keys[(n + 1) % 3]!, u32(n)));
  }
  return [a, b];
}

function uniform24(word: Expr): Expr {
  return call("mul", castExpr(call("shr", word, u32(8)), "f32"), num(2 ** -24));
}

/** Evaluates a formula of {@link words} and moves the generator on. */
function draw(op: string, shape: readonly number[], expr: Expr, { generator = defaultGenerator() }: Random): Tensor {
  checkShape(op, shape);
  const n = sizeOf(shape);
  if (n === 0) return zeros(shape);
  return scope(() => {
    const state = generator.state.value;
    const word = (i: number, size: number) => expand(slice(state, [[i, i + 1]]), [size]);
    const y = apply1(
      map,
      [0, 1, 2, 3].map((i) => word(i, n)),
      { expr, shape: [n] },
    );
    generator.state.value = apply1(map, [state, word(2, 4)], { expr: advance(n), shape: [4] });
    return reshape(y, shape);
  });
}

/** Adds `n` to the counter; inputs are the state and its low word. */
function advance(n: number): Expr {
  const [state, low] = [input(0, "u32"), input(1, "u32")];
  const next = call("add", low, u32(n));
  const carry = castExpr(call("lt", next, low), "u32");
  const at = (i: number) => call("eq", index(0), num(i, "i32"));
  return call("select", at(2), next, call("select", at(3), call("add", state, carry), state));
}

// The arithmetic of F(4 × 4, 3 × 3): four outputs from six inputs, by polynomials through the points 0, ±1/√2, ±√2, ∞.
// Every transform is one axis of it, over vectors whose lanes are different tiles or different channels.
// With d (6 inputs), g (3 weights): y = Aᵀ (G g ⊙ Bᵀ d). The derivation is in ../README.md.

import { type Func, f32x4, type Value } from "@nn/backend-wasm";

/** Outputs of a tile along an axis, inputs that they see, and points. */
export const OUT = 4;
export const POINTS = 6;

const NEAR = Math.SQRT1_2;
const FAR = Math.SQRT2;

/** So many vectors to so many others. */
export type Transform = (f: Func, v: readonly Value[]) => Value[];

const { add, sub, mul } = f32x4;

/** v + s · w, and v − s · w. */
function both(f: Func, s: number, w: Value, v: Value): [Value, Value] {
  const [x, y, c] = [f.let(w), f.let(v), f.float(s)];
  return [f.fma(c, x, y), f.fnma(c, x, y)];
}

/** v + s · w. */
const plus = (f: Func, v: Value, s: number, w: Value): Value => f.fma(f.float(s), w, v);

/** Bᵀ: six inputs. */
export const ofInputs: Transform = (f, [d0, d1, d2, d3, d4, d5]) => [
  add(d0!, plus(f, d4!, -2.5, d2!)),
  ...both(f, NEAR, plus(f, d3!, -2, d1!), plus(f, d4!, -2, d2!)),
  ...both(f, FAR, plus(f, d3!, -0.5, d1!), plus(f, d4!, -0.5, d2!)),
  add(d1!, plus(f, d5!, -2.5, d3!)),
];

/** G: three weights. */
export const ofWeights: Transform = (f, [g0, g1, g2]) => [
  g0!,
  ...both(f, (-2 / 3) * NEAR, g1!, mul(f.float(-2 / 3), plus(f, g0!, 0.5, g2!))),
  ...both(f, FAR / 6, g1!, mul(f.float(1 / 6), plus(f, g0!, 2, g2!))),
  g2!,
];

/** Aᵀ: from six points to four outputs. */
export const toOutputs: Transform = (f, [m0, m1, m2, m3, m4, m5]) => {
  const [p, r] = [f.let(add(m1!, m2!)), f.let(add(m3!, m4!))];
  const [q, s] = [f.let(mul(f.float(NEAR), sub(m1!, m2!))), f.let(mul(f.float(FAR), sub(m3!, m4!)))];
  return [add(add(m0!, p), r), add(q, s), plus(f, mul(f.float(0.5), p), 2, r), plus(f, plus(f, m5!, 0.5, q), 2, s)];
};

/** A: four gradients of outputs. */
export const ofOutputs: Transform = (f, [y0, y1, y2, y3]) => [
  y0!,
  ...both(f, NEAR, plus(f, y1!, 0.5, y3!), plus(f, y0!, 0.5, y2!)),
  ...both(f, FAR, plus(f, y1!, 2, y3!), plus(f, y0!, 2, y2!)),
  y3!,
];

/** Gᵀ: from six points to the gradients of three weights. */
export const toWeights: Transform = (f, [u0, u1, u2, u3, u4, u5]) => {
  const [p, q] = [f.let(mul(f.float(-2 / 3), add(u1!, u2!))), f.let(mul(f.float((-2 / 3) * NEAR), sub(u1!, u2!)))];
  const r = f.let(mul(f.float(1 / 6), add(u3!, u4!)));
  return [add(add(u0!, p), r), plus(f, q, FAR / 6, sub(u3!, u4!)), plus(f, plus(f, u5!, 0.5, p), 2, r)];
};

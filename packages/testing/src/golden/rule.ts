// When a result counts as right: max|got − want| ≤ max(10·f32_err, 3e-6·scale, 1e-7); integers exactly, NaN for NaN.

import type { GoldenTensor } from "./case.js";

/** What we computed. */
export interface Got {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/** How far off, in units of what is allowed (at most 1 passes), and what is wrong in words ("": nothing). */
export interface Verdict {
  readonly ratio: number;
  readonly fault: string;
}

export function compare(got: Got, want: GoldenTensor): Verdict {
  if (`${got.shape}` !== `${want.shape}`) return { ratio: Number.POSITIVE_INFINITY, fault: `shape (${got.shape}), expected (${want.shape})` };
  const allowed = want.dtype === "i32" ? 0 : Math.max(10 * want.f32Err, 3e-6 * want.scale, 1e-7);
  let worst = 0;
  let at = 0;
  for (let i = 0; i < want.data.length; i++) {
    const [g, w] = [got.data[i]!, want.data[i]!];
    // Equal infinities are right, and NaN for NaN; any other mixture is as wrong as can be.
    const off = Object.is(g, w) || g === w ? 0 : Math.abs(g - w);
    if (!(off <= worst)) [worst, at] = [Number.isNaN(off) ? Number.POSITIVE_INFINITY : off, i];
  }
  const ratio = worst === 0 ? 0 : worst / allowed;
  if (ratio <= 1) return { ratio, fault: "" };
  return { ratio, fault: `element ${at}: got ${got.data[at]}, expected ${want.data[at]}, off by ${worst.toExponential(2)}, allowed ${allowed.toExponential(2)}` };
}

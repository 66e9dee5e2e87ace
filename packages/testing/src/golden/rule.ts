// When a result counts as PyTorch's: the rule of golden/README.md.

import type { Data } from "@nn/tensor";
import type { GoldenTensor } from "./case.js";

/** A result, as it was read back. */
export interface Got {
  readonly shape: readonly number[];
  readonly data: Data | readonly number[];
}

export interface Verdict {
  /** Greatest error in units of what is allowed: passed if ≤ 1. */
  readonly ratio: number;
  /** What is wrong, with the numbers; empty if nothing is. */
  readonly fault: string;
}

/** The greatest allowed |got − want| of a tensor. */
export function toleranceOf({ f32Err, scale }: Pick<GoldenTensor, "f32Err" | "scale">): number {
  return Math.max(10 * f32Err, 3e-6 * scale, 1e-7);
}

/** `max |got − want| ≤ max(10 · f32_err, 3e-6 · scale, 1e-7)`; integers, NaN and infinities exactly. */
export function compare(got: Got, want: GoldenTensor): Verdict {
  const wrong = (fault: string): Verdict => ({ ratio: Number.POSITIVE_INFINITY, fault });
  if (`${got.shape}` !== `${want.shape}`) return wrong(`shape (${got.shape}) instead of (${want.shape})`);
  if (want.dtype === "i32" && got.data instanceof Float32Array) return wrong("f32 instead of integers");
  if (want.dtype === "f32" && (got.data instanceof Int32Array || got.data instanceof Uint32Array))
    return wrong("integers instead of f32");

  const allowed = want.dtype === "i32" ? 0 : toleranceOf(want);
  let worst = -1;
  let at = 0;
  for (let i = 0; i < want.data.length; i++) {
    const error = distance(got.data[i]!, want.data[i]!);
    if (error > worst) {
      worst = error;
      at = i;
    }
  }
  const ratio = worst <= 0 ? 0 : worst / allowed;
  if (ratio <= 1) return { ratio, fault: "" };
  const numbers = `got ${got.data[at]}, want ${want.data[at]} at element ${at} of (${want.shape})`;
  return { ratio, fault: `${numbers}; error ${worst.toPrecision(3)}, allowed ${allowed.toPrecision(3)}` };
}

/** Infinite where one is NaN or infinite and the other is not just that. */
function distance(got: number, want: number): number {
  if (Object.is(got, want) || got === want) return 0;
  const d = Math.abs(got - want);
  return Number.isNaN(d) ? Number.POSITIVE_INFINITY : d;
}

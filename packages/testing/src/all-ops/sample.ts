// A sample: a function of tensors and inputs for it that lie where its gradient can be checked.

import { type DType, sizeOf, type Tensor, tensor } from "@nn/tensor";

/** An input as plain numbers: a tensor of it is made for each backend. */
export interface Input {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly data: readonly number[];
}

export interface Sample {
  /** Name of the exported function, then maybe what is special: `"norm p=1"`. */
  readonly name: string;
  readonly inputs: readonly Input[];
  run(...xs: Tensor[]): Tensor | readonly Tensor[];
  /** Why it has no gradient to check. */
  readonly flat?: string;
}

export function sample(name: string, inputs: readonly Input[], run: Sample["run"]): Sample {
  return { name, inputs, run };
}

/** A sample without a gradient. */
export function flat(name: string, reason: string, inputs: readonly Input[], run: Sample["run"]): Sample {
  return { name, inputs, run, flat: reason };
}

/** The exported name of a sample. */
export const functionOf = ({ name }: Pick<Sample, "name">): string => name.split(" ")[0]!;

export function tensorOf({ shape, dtype, data }: Input): Tensor {
  return tensor([...data], { shape, dtype });
}

/** The results as a list. */
export function outputsOf(s: Sample, xs: readonly Tensor[]): readonly Tensor[] {
  const y = s.run(...xs);
  return Array.isArray(y) ? (y as readonly Tensor[]) : [y as Tensor];
}

// ── inputs ─────────────────────────────────────────────────────────────────────────────────────────

/** Numbers that look random, from 0 to 1: multiples of the golden ratio. */
const noise = (i: number, seed: number): number => ((i + 1) * 0.6180339887 + seed * 0.7548776662) % 1;

/**
 * Floats from `low` to `high`, none within 0.05 of a kink: finite differences must not cross it.
 *
 * @param seed so that two inputs differ
 */
export function floats(
  shape: readonly number[],
  low = -2,
  high = 2,
  { kinks = [], seed = 0 }: { kinks?: readonly number[]; seed?: number } = {},
): Input {
  const data = Array.from({ length: sizeOf(shape) }, (_, i) => {
    const v = low + (high - low) * noise(i, seed);
    const near = kinks.find((k) => Math.abs(v - k) < 0.05);
    return near === undefined ? v : near + (v < near ? -0.06 : 0.06);
  });
  return { shape, dtype: "f32", data };
}

/** Floats of which no two are within 0.1 of each other, in no order: for maxima and sorting. */
export function distinct(shape: readonly number[], seed = 0): Input {
  const n = sizeOf(shape);
  const order = Array.from({ length: n }, (_, i) => i).sort((a, b) => noise(a, seed) - noise(b, seed));
  const data = new Array<number>(n);
  order.forEach((i, rank) => {
    data[i] = (rank - n / 2) * 0.15 + 0.03;
  });
  return { shape, dtype: "f32", data };
}

export function ints(shape: readonly number[], low: number, high: number, seed = 0): Input {
  return {
    shape,
    dtype: "i32",
    data: Array.from({ length: sizeOf(shape) }, (_, i) => Math.floor(low + (high - low) * noise(i, seed))),
  };
}

export function bools(shape: readonly number[], seed = 0): Input {
  return { shape, dtype: "bool", data: Array.from({ length: sizeOf(shape) }, (_, i) => Number(noise(i, seed) < 0.5)) };
}

export function given(shape: readonly number[], data: readonly number[], dtype: DType = "f32"): Input {
  return { shape, dtype, data };
}

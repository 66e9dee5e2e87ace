/**
 * Labelled samples as plain arrays: the form in which a network gets its data, wherever they come
 * from (drawn, generated or read from files). Tensors are made of them batch by batch, in `train.ts`.
 */
export interface Dataset {
  readonly count: number;
  /** Of one sample, e.g. (1, 28, 28). */
  readonly shape: readonly number[];
  /** All samples one after the other: count · (product of shape) values. */
  readonly inputs: Float32Array;
  /** count class numbers, from 0. */
  readonly labels: Int32Array;
}

/** Digits are 28×28 images of one channel, 0 (paper) to 1 (ink), row by row. */
export const SIDE = 28;
export const PIXELS = SIDE * SIDE;
export const IMAGE = [1, SIDE, SIDE] as const;

/** Arrays of one length, one after the other. */
export function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.length * parts[0].length);
  for (const [i, part] of parts.entries()) all.set(part, i * part.length);
  return all;
}

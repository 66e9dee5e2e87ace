/**
 * Labelled 28×28 grey images, the form in which the CNN gets its digits, wherever they come from:
 * drawn by `digits.ts` or read by `idx.ts`.
 */
export const SIDE = 28;
export const PIXELS = SIDE * SIDE;

export interface DigitSet {
  readonly count: number;
  /** count × 784 values, row by row, 0 (paper) to 1 (ink). */
  readonly pixels: Float32Array;
  /** count values, 0 to 9. */
  readonly labels: Int32Array;
}

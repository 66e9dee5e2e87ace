// What the three scans share: shape rule, input projection, and the loop over time.
//
// A scan is one layer in one direction over the whole sequence. It lowers to one product for the input at all steps, and to
// a loop (loop.ts) for the rest.

import { apply1, fail, matmulOp, type Spec, show, type Tensor } from "@nn/tensor";
import { raggedProduct } from "./ragged.js";

/** Attributes of `rnnScan`, `gruScan` and `lstmScan`. */
export interface ScanAttrs {
  /** Whether there are biases: inputs biasIh and biasHh. */
  readonly bias: boolean;
  /** From the last step to the first. */
  readonly reverse: boolean;
  /** Whether the last input is the rows' lengths (N) i32: a row's steps past its end give 0 and keep its state. */
  readonly lengths: boolean;
}

/** The inputs of a scan by name; the op has them as a list, in this order, without those that are not there. */
export interface ScanInputs<T> {
  /** (T, N, I) */
  readonly x: T;
  /** h0 (N, H), and for the LSTM c0; the first is fed back and is the output. */
  readonly states: readonly T[];
  /** (gates · H, I) */
  readonly weightIh: T;
  /** (gates · H, H), or (gates · H, P) with a projection. */
  readonly weightHh: T;
  /** (gates · H) */
  readonly biasIh?: T | undefined;
  readonly biasHh?: T | undefined;
  /** (P, H) */
  readonly weightHr?: T | undefined;
  /** (N) i32 */
  readonly lengths?: T | undefined;
}

/** The inputs as the list an op takes. */
export function listOf<T>({ x, states, weightIh, weightHh, biasIh, biasHh, weightHr, lengths }: ScanInputs<T>): T[] {
  return [x, ...states, weightIh, weightHh, biasIh, biasHh, weightHr, lengths].filter((t) => t !== undefined);
}

/** {@link listOf}, undone. */
export function named<T>(
  op: string,
  list: readonly T[],
  states: number,
  { bias, projection, lengths }: ScanAttrs & { projection?: boolean },
): ScanInputs<T> {
  const count = 3 + states + (bias ? 2 : 0) + (projection ? 1 : 0) + (lengths ? 1 : 0);
  if (list.length !== count)
    fail({
      op,
      expected: `${count} inputs`,
      got: `${list.length}`,
      hint: "attrs say which of the optional ones are there.",
    });
  let next = 0;
  const take = () => list[next++]!;
  return {
    x: take(),
    states: Array.from({ length: states }, take),
    weightIh: take(),
    weightHh: take(),
    biasIh: bias ? take() : undefined,
    biasHh: bias ? take() : undefined,
    weightHr: projection ? take() : undefined,
    lengths: lengths ? take() : undefined,
  };
}

/**
 * The shape rule of a scan with `gates` gates per unit.
 *
 * @returns specs of the outputs (T, N, H) and the final states
 */
export function inferScan(op: string, gates: number, { x, states, ...rest }: ScanInputs<Spec>): Spec[] {
  const want = (name: string, t: Spec | undefined, shape: readonly number[], dtype = "f32") => {
    if (!t || (show(t.shape) === show(shape) && t.dtype === dtype)) return;
    fail({ op, expected: `${name} ${show(shape)} ${dtype}`, got: `${show(t.shape)} ${t.dtype}` });
  };
  if (x.shape.length !== 3 || x.dtype !== "f32")
    fail({ op, expected: "x (T, N, I) f32", got: `${show(x.shape)} ${x.dtype}` });
  const [steps, rows, size] = x.shape as [number, number, number];
  if (steps === 0) fail({ op, expected: "x (T, N, I) with T ≥ 1", got: show(x.shape) });
  const hidden = rest.weightIh.shape[0]! / gates;
  const out = rest.weightHr ? rest.weightHr.shape[0]! : hidden;
  want("weightIh", rest.weightIh, [gates * Math.floor(hidden), size]);
  want("weightHh", rest.weightHh, [gates * hidden, out]);
  want("biasIh", rest.biasIh, [gates * hidden]);
  want("biasHh", rest.biasHh, [gates * hidden]);
  want("weightHr", rest.weightHr, [out, hidden]);
  want("lengths", rest.lengths, [rows], "i32");
  states.forEach((s, k) => {
    want(`${"hc"[k]}0`, s, [rows, k === 0 ? out : hidden]);
  });
  return [{ shape: [steps, rows, out], dtype: "f32" }, ...states.map(({ shape }): Spec => ({ shape, dtype: "f32" }))];
}

/** x (T, N, I) · weightᵀ (I, G) + bias (G): what the input adds to the gates at every step, as one product. */
export function projectInput({ x, weightIh, lengths }: ScanInputs<Tensor>, bias: Tensor | undefined): Tensor {
  if (lengths) return raggedProduct(x, weightIh, lengths, bias);
  // In order: a step alone gives what it gives in a sequence.
  const flat = apply1(matmulOp, [x.reshape([-1, x.shape[2]!]), weightIh.transpose()], { inOrder: true });
  const y = flat.reshape([...x.shape.slice(0, 2), weightIh.shape[0]!]);
  return bias ? y.add(bias) : y;
}

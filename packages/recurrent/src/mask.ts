// Masks: which steps of a batch count. Those that do are moved to the front of their rows, so that what follows has rows of
// unequal length, and nothing but those.

import {
  arange,
  cumsum,
  fail,
  gather,
  scatterAdd,
  show,
  Tensor,
  tensor,
  unsqueeze,
  where,
  zerosLike,
} from "@nn/tensor";
import { isInside } from "./ragged.js";

/** Options of a call of RNN, GRU, LSTM and RNNLayer: lengths, a mask, or neither. */
export interface ForwardOptions {
  /**
   * Length of each row, 1 to T, in any order; or a tensor (N) i32, whose values are not checked. As PyTorch's packed
   * sequences: outputs past a row's end are 0, final states are those of its last step, the reverse direction starts
   * there, and what x holds past it does not matter and has gradient 0.
   */
  readonly lengths?: readonly number[] | Tensor;
  /**
   * Which steps count: (T, N) bool, (N, T) with batchFirst, (T) without a batch. The others, anywhere in a row, are passed over, as
   * Keras' masking does: states go on unchanged, the output is 0, and what x holds there does not matter and has gradient 0. A row may have no step that counts.
   */
  readonly mask?: Tensor;
}

/**
 * Whether a step is before its row's end.
 *
 * @param lengths of the rows, whole numbers from 0 to `steps`; or a tensor (N) i32, whose values are not checked
 * @returns (T, N) bool, or (N, T) with batchFirst
 * @throws {@link NNError} if a length is not from 0 to `steps`, or the tensor is not (N) i32
 * @example
 * ```ts
 * maskOf([3, 1], 3, { batchFirst: true }); // [[true, true, true], [true, false, false]]
 * ```
 */
export function maskOf(
  lengths: readonly number[] | Tensor,
  steps: number,
  { batchFirst = false }: { readonly batchFirst?: boolean } = {},
): Tensor {
  const mask = isInside(lengthsOf("maskOf", lengths, { from: 0, to: steps }), steps).squeeze(2);
  return batchFirst ? mask.transpose(0, 1) : mask;
}

/**
 * Lengths as (N) i32.
 *
 * @param rows how many there must be
 */
export function lengthsOf(
  op: string,
  lengths: readonly number[] | Tensor,
  { from, to, rows }: { readonly from: number; readonly to: number; readonly rows?: number },
): Tensor {
  if (lengths instanceof Tensor) {
    if (lengths.dtype === "i32" && lengths.rank === 1 && lengths.size === (rows ?? lengths.size)) return lengths;
    return fail({ op, expected: `lengths (${rows ?? "N"}) i32`, got: `${show(lengths.shape)} ${lengths.dtype}` });
  }
  if (lengths.length !== (rows ?? lengths.length))
    fail({ op, expected: `${rows} lengths, one per row`, got: `${lengths.length}` });
  const odd = lengths.findIndex((n) => !(Number.isInteger(n) && n >= from && n <= to));
  if (odd >= 0) fail({ op, expected: `lengths from ${from} to ${to}`, got: `${lengths[odd]} for row ${odd}` });
  return tensor(Int32Array.from(lengths));
}

/** What lengths or a mask make of a batch: rows whose steps all count, up to their ends. */
export interface Rows {
  /** (T, N, …) */
  readonly x: Tensor;
  /** (N) i32; `undefined` where every row is whole. */
  readonly lengths: Tensor | undefined;
  /** From results (T, N, …), 0 past the rows' ends, to those of the steps as they were given. */
  restore(y: Tensor): Tensor;
}

/**
 * @param x (T, N, …)
 * @param order how x was given, which is how a mask is given: "TN", "NT", or "T" without a batch
 */
export function rowsOf(op: string, x: Tensor, { lengths, mask }: ForwardOptions, order: "TN" | "NT" | "T"): Rows {
  const [steps, rows] = x.shape as [number, number];
  if (lengths !== undefined && mask !== undefined)
    fail({ op, expected: "lengths or a mask", got: "both", hint: "maskOf(lengths, T) makes one of the other." });
  if (mask !== undefined) {
    const shape = { TN: [steps, rows], NT: [rows, steps], T: [steps] }[order];
    const fits = mask instanceof Tensor && mask.dtype === "bool" && show(mask.shape) === show(shape);
    if (!fits) {
      const expected = `a mask (${[...order].join(", ")}) = ${show(shape)} bool`;
      fail({ op, expected, got: mask instanceof Tensor ? `${show(mask.shape)} ${mask.dtype}` : "no tensor" });
    }
    return compacted(x, order === "TN" ? mask : order === "NT" ? mask.transpose(0, 1) : mask.unsqueeze(1));
  }
  const restore = (y: Tensor) => y;
  if (lengths === undefined) return { x, lengths, restore };
  if (order === "T")
    fail({
      op,
      expected: "lengths only with a batch, x (T, N, I)",
      got: "x (T, I)",
      hint: "Cut the sequence instead.",
    });
  const ends = lengthsOf(op, lengths, { from: 1, to: steps, rows });
  const isWhole = Array.isArray(lengths) && lengths.every((n) => n === steps);
  return { x, lengths: isWhole ? undefined : ends, restore };
}

/** The steps that count in front, in order; the others behind them. */
function compacted(x: Tensor, mask: Tensor): Rows {
  const counted = cumsum(mask.cast("i32"), 0); // (T, N)
  const lengths = counted.select(0, -1);
  const time = unsqueeze(arange(x.shape[0]!), 1);
  const places = where(mask, counted.sub(1), lengths.add(time).sub(counted));
  /** (T, N) with the axes of t. */
  const like = (t: Tensor, places: Tensor) => places.reshape([...places.shape, ...t.shape.slice(2).fill(1)]);
  const at = (t: Tensor) => like(t, places).expand(t.shape);
  // NaN in what does not count must not be seen, nor in gradients.
  const clean = where(like(x, mask), x, zerosLike(x));
  return { x: scatterAdd(zerosLike(x), 0, at(x), clean), lengths, restore: (y) => gather(y, 0, at(y)) };
}

// Batches of sequences of unequal length under the names of torch.nn.utils.rnn. A "packed" one is padded here: what skips the
// padding are the layers and their kernels, and not an arrangement in memory.

import { cat, fail, full, show, slice, stack, Tensor, where } from "@nn/tensor";
import { type ForwardOptions, lengthsOf } from "./mask.js";
import { isInside } from "./ragged.js";

/**
 * Sequences with their lengths, as RNN, GRU, LSTM and RNNLayer take and return them in the place of a tensor. A plain object of
 * tensors, so that compiled functions take it, too.
 */
export interface PackedSequence {
  /** (T, N, …), whatever `batchFirst` says; what it holds past a row's end does not matter. */
  readonly data: Tensor;
  /** (N) i32 */
  readonly lengths: Tensor;
}

/** Options of {@link packPaddedSequence} and of what pads. */
export interface BatchOrder {
  /** (N, T, …), not (T, N, …) (default false). */
  readonly batchFirst?: boolean;
}

/** Options of {@link padSequence}. */
export interface PadSequenceOptions extends BatchOrder {
  /** What stands past a row's end (default 0). */
  readonly paddingValue?: number;
  /** Whether padding goes behind the sequences or before them (default "right"). */
  readonly paddingSide?: "left" | "right";
}

/**
 * Sequences as one tensor, as
 * [torch.nn.utils.rnn.pad_sequence](https://pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pad_sequence.html).
 *
 * @param sequences (T_n, …) each, alike but for their lengths
 * @returns (T, N, …) with T the greatest length, or (N, T, …) with batchFirst
 * @throws {@link NNError} if there are none, or shapes or dtypes differ
 * @example
 * ```ts
 * padSequence([tensor([1, 2, 3]), tensor([4])], { batchFirst: true }); // [[1, 2, 3], [4, 0, 0]]
 * ```
 */
export function padSequence(
  sequences: readonly Tensor[],
  { batchFirst = false, paddingValue = 0, paddingSide = "right" }: PadSequenceOptions = {},
): Tensor {
  const op = "padSequence";
  const first = checkAlike(op, sequences);
  if (paddingSide !== "left" && paddingSide !== "right")
    fail({ op, expected: 'paddingSide "left" or "right"', got: `"${paddingSide}"` });
  const most = Math.max(...sequences.map((s) => s.shape[0]!));
  const padded = sequences.map((s) => {
    const missing = most - s.shape[0]!;
    if (missing === 0) return s;
    const padding = full([missing, ...first.shape.slice(1)], paddingValue, { dtype: first.dtype });
    return cat(paddingSide === "left" ? [padding, s] : [s, padding]);
  });
  return stack(padded, batchFirst ? 0 : 1);
}

/**
 * A padded batch with its lengths, as
 * [torch.nn.utils.rnn.pack_padded_sequence](https://pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pack_padded_sequence.html);
 * lengths in any order, which is PyTorch's `enforce_sorted=False`.
 *
 * @param x (T, N, …), or (N, T, …) with batchFirst
 * @param lengths of the rows, from 1 to T: then T is cut to the greatest; or a tensor (N) i32, whose values are not looked at
 * @throws {@link NNError} if x has fewer than two axes, or lengths do not fit
 * @example
 * ```ts
 * const packed = packPaddedSequence(x, [5, 3, 8], { batchFirst: true });
 * const { output, h } = gru.forward(packed);
 * padPackedSequence(output, { batchFirst: true }).output; // (3, 8, H)
 * ```
 */
export function packPaddedSequence(
  x: Tensor,
  lengths: readonly number[] | Tensor,
  { batchFirst = false }: BatchOrder = {},
): PackedSequence {
  const op = "packPaddedSequence";
  if (x.rank < 2) fail({ op, expected: batchFirst ? "x (N, T, …)" : "x (T, N, …)", got: show(x.shape) });
  const data = batchFirst ? x.transpose(0, 1) : x;
  const [steps, rows] = data.shape as [number, number];
  const ends = lengthsOf(op, lengths, { from: 1, to: steps, rows });
  const most = Array.isArray(lengths) ? Math.max(...(lengths as number[])) : steps;
  return { data: most < steps ? slice(data, [[0, most]]) : data, lengths: ends };
}

/**
 * Sequences packed, as
 * [torch.nn.utils.rnn.pack_sequence](https://pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pack_sequence.html).
 *
 * @param sequences (T_n, …) each, T_n ≥ 1, alike but for their lengths
 * @throws {@link NNError} if there are none, one has no step, or shapes or dtypes differ
 * @example
 * ```ts
 * gru.forward(packSequence([randn([5, 8]), randn([3, 8])]));
 * ```
 */
export function packSequence(sequences: readonly Tensor[]): PackedSequence {
  checkAlike("packSequence", sequences);
  return packPaddedSequence(
    padSequence(sequences),
    sequences.map((s) => s.shape[0]!),
  );
}

/** Options of {@link padPackedSequence}. */
export interface PadPackedOptions extends BatchOrder {
  /** What stands past a row's end (default 0). */
  readonly paddingValue?: number;
  /** T of the result, at least that of the data (default: that). */
  readonly totalLength?: number;
}

/**
 * {@link packPaddedSequence}, undone, as
 * [torch.nn.utils.rnn.pad_packed_sequence](https://pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pad_packed_sequence.html).
 *
 * @returns `output` (T, N, …), or (N, T, …) with batchFirst, and `lengths` (N) i32
 * @throws {@link NNError} if totalLength is less than the data's T
 * @example
 * ```ts
 * const { output, lengths } = padPackedSequence(packed, { totalLength: 20 });
 * ```
 */
export function padPackedSequence(
  { data, lengths }: PackedSequence,
  { batchFirst = false, paddingValue = 0, totalLength }: PadPackedOptions = {},
): { output: Tensor; lengths: Tensor } {
  const [steps, ...rest] = data.shape as [number, ...number[]];
  const total = totalLength ?? steps;
  if (!(Number.isInteger(total) && total >= steps))
    fail({ op: "padPackedSequence", expected: `totalLength to be a whole number ≥ ${steps}`, got: `${totalLength}` });
  const padding = (n: number) => full([n, ...rest], paddingValue, { dtype: data.dtype });
  const inside = isInside(lengths, steps).reshape([steps, rest[0]!, ...rest.slice(1).fill(1)]);
  const cut = where(inside, data, padding(steps));
  const output = total === steps ? cut : cat([cut, padding(total - steps)]);
  return { output: batchFirst ? output.transpose(0, 1) : output, lengths };
}

/**
 * Runs a layer on a tensor as it is, or on a packed one as on its data with its lengths.
 *
 * @param run from x, in the layer's order of axes, to the output and others
 */
export function throughPacked<X extends Tensor | PackedSequence, R extends readonly unknown[]>(
  op: string,
  x: X,
  batchFirst: boolean,
  options: ForwardOptions,
  run: (x: Tensor, options: ForwardOptions) => readonly [output: Tensor, ...others: R],
): [output: X, ...others: R] {
  const turn = (t: Tensor) => (batchFirst && t.rank > 1 ? t.transpose(0, 1) : t);
  if (x instanceof Tensor) {
    const [output, ...others] = run(x, options);
    return [output as X, ...others];
  }
  const { data, lengths } = x as PackedSequence;
  if (!(data instanceof Tensor && lengths instanceof Tensor))
    fail({ op, expected: "a tensor, or a packed sequence { data, lengths }", got: `{ ${Object.keys(x).join(", ")} }` });
  if (options.lengths !== undefined || options.mask !== undefined)
    fail({ op, expected: "a packed sequence alone", got: "one with lengths or a mask", hint: "It has lengths." });
  const [output, ...others] = run(turn(data), { lengths });
  return [{ data: turn(output), lengths } as PackedSequence as X, ...others];
}

/** The first one. */
function checkAlike(op: string, sequences: readonly Tensor[]): Tensor {
  const first = sequences[0] ?? fail({ op, expected: "at least one sequence", got: "none" });
  const text = ({ shape, dtype }: Tensor) => `(T${shape.slice(1).map((n) => `, ${n}`)}) ${dtype}`;
  const odd = sequences.find((s) => s.rank === 0 || text(s) !== text(first));
  if (odd) fail({ op, expected: `sequences ${text(first)}`, got: `${show(odd.shape)} ${odd.dtype}` });
  return first;
}

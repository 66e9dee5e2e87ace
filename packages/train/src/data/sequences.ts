// Sequences of different lengths: padded in their batch, and put together with others of about their length.

import { type DType, fail, type Tensor, tensor } from "@nn/tensor";
import { checkWhole } from "../check.js";
import { randomStream, range, shuffle } from "../random.js";
import { type Columns, type Dataset, dataset } from "./dataset.js";

/** Options of {@link padded} and {@link sequences}. */
export interface SequencesOptions {
  /** What is put behind short ones (default 0). Targets want what the loss leaves out: -100 for `crossEntropy`. */
  readonly padding?: number;
  /** Lengths of batches are multiples of this (default 1). Fewer different lengths mean fewer traces of compiled steps. */
  readonly multiple?: number;
  /** Numbers per time step (default 1, and no axis for it). */
  readonly features?: number;
  /** Default: as `tensor` has it. Token numbers in plain arrays want `"i32"`. */
  readonly dtype?: DType;
}

/** What models get of {@link sequences}. (A type, as an interface would be no structure of tensors to TypeScript.) */
export type Padded = {
  /** (N, T), or (N, T, features): T is the length of the longest in the batch. */
  readonly values: Tensor;
  /** (N), i32. */
  readonly lengths: Tensor;
};

/**
 * A dataset of sequences. A batch is `[{ values, lengths }, y, weights]`, padded to its longest.
 *
 * @param list time step after time step, of any lengths from 1 on
 * @param y targets, a row per sequence; for sequences of their own {@link padded}, or `sequences` where the loss asks for their lengths
 * @example
 * ```ts
 * const data = sequences(texts.map(vocabulary.encode), labels, { multiple: 8 });
 * loader(data, { batches: buckets(texts.map((t) => t.length), { batchSize: 32 }) });
 * sequences(words, padded(tags, { padding: -100 })); // a tag per word: y (N, T)
 * sequences(sounds, sequences(phonemes), { features: 40 }); // for CTC: y is { values, lengths }
 * ```
 */
export function sequences(list: readonly ArrayLike<number>[], y?: Columns, options: SequencesOptions = {}): Dataset {
  const values = padded(list, options);
  const lengths = Int32Array.from(list, ({ length }) => length / (options.features ?? 1));
  return dataset({ values, lengths }, y);
}

/**
 * The same without lengths: a batch is `[values]`, (N, T) or (N, T, features). Most often it is a column of a dataset: targets, or what
 * a decoder is given.
 *
 * @throws if a sequence is empty or no whole number of time steps, or their array cannot hold the padding
 * @example
 * ```ts
 * dataset({ source: sequences(german), before: padded(english.map((s) => [BOS, ...s])) }, padded(english.map((s) => [...s, EOS])));
 * ```
 */
export function padded(list: readonly ArrayLike<number>[], options: SequencesOptions = {}): Dataset {
  const { padding = 0, multiple = 1, features, dtype } = options;
  checkWhole("sequences", "multiple", multiple);
  if (features !== undefined) checkWhole("sequences", "features", features);
  const size = features ?? 1;
  for (const [i, { length }] of list.entries()) {
    if (length > 0 && length % size === 0) continue;
    fail({
      op: "sequences",
      expected: `sequences of ${size} numbers per time step, at least one`,
      got: `${length} numbers in number ${i}`,
    });
  }
  const example = list[0];
  const Values = (ArrayBuffer.isView(example) ? example.constructor : Float32Array) as new (n: number) => Float32Array;
  const [held] = new Values(1).fill(padding);
  if (held !== padding && !Object.is(held, Math.fround(padding))) {
    fail({
      op: "sequences",
      expected: `padding that a ${Values.name} can hold`,
      got: `${padding}`,
      hint: "Give the sequences as Int32Array.",
    });
  }
  return {
    length: list.length,
    batch(indices) {
      const chosen = Array.from(
        indices,
        (i) => list[i] ?? fail({ op: "sequences", expected: `numbers below ${list.length}`, got: `${i}` }),
      );
      const T = Math.ceil(Math.max(...chosen.map(({ length }) => length)) / size / multiple) * multiple;
      const values = new Values(chosen.length * T * size).fill(padding);
      for (const [n, sequence] of chosen.entries()) values.set(sequence, n * T * size);
      const shape = features === undefined ? [chosen.length, T] : [chosen.length, T, features];
      return [tensor(values, { shape, ...(dtype ? { dtype } : {}) })];
    },
  };
}

/** Options of {@link buckets}. */
export interface BucketOptions {
  readonly batchSize: number;
  /** Whether each epoch has an order of its own (default true). */
  readonly shuffle?: boolean;
  readonly seed?: number;
  /** How many batches' worth of samples are sorted by length at a time (default 50): more means less padding, and less chance. */
  readonly pool?: number;
}

/**
 * Batches of samples of about the same length, for a loader's `batches`: samples in random order are taken in pools, sorted there, cut into batches, and the batches
 * are put into random order. The number of batches is the same in every epoch.
 *
 * @param lengths one per sample
 */
export function buckets(
  lengths: ArrayLike<number>,
  { batchSize, shuffle: mix = true, seed = 0, pool = 50 }: BucketOptions,
): (epoch: number) => readonly Uint32Array[] {
  checkWhole("buckets", "batchSize", batchSize);
  checkWhole("buckets", "pool", pool);
  return (epoch) => {
    const random = randomStream(seed, epoch);
    const order = mix ? shuffle(range(lengths.length), random) : range(lengths.length);
    const batches: Uint32Array[] = [];
    for (let p = 0; p < order.length; p += pool * batchSize) {
      const sorted = order.slice(p, p + pool * batchSize).sort((a, b) => lengths[a] - lengths[b] || a - b);
      for (let i = 0; i < sorted.length; i += batchSize) batches.push(sorted.slice(i, i + batchSize));
    }
    return mix ? shuffle(batches, random) : batches;
  };
}

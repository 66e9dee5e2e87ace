// Loaders: a dataset cut into batches, in an order that is a function of seed and epoch alone. So where one is in the data
// is two numbers, epoch and batch, and any place can be gone to.

import { fail, Generator } from "@nn/tensor";
import { checkWhole } from "../check.js";
import { derivedSeed, randomStream, range, shuffle } from "../random.js";
import { alias, type Batch, dispose, mapTensors, type Tensors } from "../structure.js";
import type { Dataset } from "./dataset.js";

/** Batches, epoch by epoch: what `fit` trains on. */
export interface Loader {
  /** Batches of an epoch; undefined where nobody knows. */
  readonly length: number | undefined;
  /** What the batches depend on, as JSON: saved in checkpoints, so that a run is resumed on the same data. */
  readonly signature: string;
  /** The batches of an epoch (from 0), from number `from` on. The same arguments give the same batches. */
  epoch(epoch: number, from?: number): AsyncIterable<Batch>;
}

/** What a loader's `map` is told besides the batch. */
export interface MapContext {
  /** Random numbers of this batch alone: the same at the same place of the same epoch. */
  readonly generator: Generator;
  /** Such numbers from 0 to 1 for JavaScript. */
  readonly random: () => number;
}

/** Runs a loader's `map` on a batch; its random numbers depend on the place only. */
export async function mapBatch(
  map: NonNullable<LoaderOptions["map"]>,
  batch: Batch,
  ...place: number[]
): Promise<Batch> {
  const [seed, ...rest] = place;
  const generator = new Generator(derivedSeed(seed, ...rest, 1));
  try {
    return await map(batch, { generator, random: randomStream(seed, ...rest, 2) });
  } finally {
    generator.state.dispose();
  }
}

/** Options of {@link loader}. */
export interface LoaderOptions {
  /** Samples of a batch (default 32). */
  readonly batchSize?: number;
  /** Whether each epoch has an order of its own (default false). */
  readonly shuffle?: boolean;
  /** Of the order, and of `map`'s random numbers (default 0). */
  readonly seed?: number;
  /** Whether a last batch that is not full is left out (default false). */
  readonly dropLast?: boolean;
  /** How many batches are made ahead (default 0): pays if the dataset or `map` waits for something. */
  readonly prefetch?: number;
  /** Which samples are together in the batches of an epoch, e.g. {@link buckets}; instead of the four options above. */
  readonly batches?: (epoch: number) => readonly Uint32Array[];
  /** Changes each batch, e.g. augments it. It owns the batch that it is given. */
  readonly map?: (batch: Batch, context: MapContext) => Batch | Promise<Batch>;
}

/**
 * Batches of a dataset.
 *
 * @example
 * ```ts
 * const train = loader(dataset(images, labels), { batchSize: 64, shuffle: true, seed: 1 });
 * for await (const [x, y] of train.epoch(0)) …
 * ```
 */
export function loader(data: Dataset, options: LoaderOptions = {}): Loader {
  const { batchSize = 32, shuffle: mix = false, seed = 0, dropLast = false, prefetch = 0, map } = options;
  checkWhole("loader", "batchSize", batchSize);
  checkWhole("loader", "seed", seed, 0);
  checkWhole("loader", "prefetch", prefetch, 0);
  const { length: samples } = data;
  const cut = dropLast ? Math.floor(samples / batchSize) : Math.ceil(samples / batchSize);
  if (!options.batches && cut === 0) {
    const got = samples === 0 ? "none" : `${samples}, fewer than a batch, and dropLast`;
    fail({ op: "loader", expected: "samples", got });
  }

  const inOrder = (epoch: number): readonly Uint32Array[] => {
    const order = mix ? shuffle(range(samples), randomStream(seed, epoch)) : range(samples);
    return Array.from({ length: cut }, (_, i) => order.subarray(i * batchSize, (i + 1) * batchSize));
  };
  const batchesOf = options.batches ?? inOrder;
  const own = options.batches ? { batches: batchesOf(0).map((b) => b.length) } : { batchSize, mix, dropLast };
  return {
    length: options.batches ? batchesOf(0).length : cut,
    signature: JSON.stringify({ samples, seed, ...own }),
    async *epoch(epoch, from = 0) {
      const batches = batchesOf(epoch);
      const make = async (i: number): Promise<Batch> => {
        const batch = await data.batch(batches[i]);
        return map ? mapBatch(map, batch, seed, epoch, i) : batch;
      };
      const ahead: Promise<Batch>[] = [];
      try {
        for (let i = from; i < batches.length || ahead.length > 0; ) {
          while (i < batches.length && ahead.length <= prefetch) {
            const next = make(i++);
            next.catch(() => {}); // it is thrown where its turn comes
            ahead.push(next);
          }
          yield await ahead.shift()!;
        }
      } finally {
        for (const batch of ahead) batch.then(dispose, () => {});
      }
    },
  };
}

/** A loader of ready batches, the same in every epoch; they stay yours. */
export function batches(list: readonly Batch[]): Loader {
  if (list.length === 0) fail({ op: "batches", expected: "at least one batch [x, y]", got: "none" });
  return {
    length: list.length,
    signature: JSON.stringify({ batches: list.length }),
    async *epoch(_, from = 0) {
      // Handles of their own, as who takes a batch disposes of it.
      for (const batch of list.slice(from)) {
        yield mapTensors(batch.filter((part) => part !== undefined) as Tensors, alias) as Batch;
      }
    },
  };
}

/** What `fit`, `evaluate` and `predict` take: a loader, a dataset (in batches of 32, in order), or ready batches. */
export type Data = Loader | Dataset | readonly Batch[];

export function loaderOf(op: string, data: Data): Loader {
  if (Array.isArray(data)) return batches(data);
  if (data !== null && typeof data === "object") {
    if ("epoch" in data) return data;
    if ("batch" in data) return loader(data);
  }
  return fail({
    op,
    expected: "data: a loader, a dataset, or an array of batches [x, y]",
    got: data === null ? "null" : typeof data,
    hint: "loader(dataset(x, y), { batchSize: 32, shuffle: true }) makes a loader.",
  });
}

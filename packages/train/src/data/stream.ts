// Streams: batches of samples that come one after the other, from generators or async iterables.

import { checkWhole } from "../check.js";
import { randomStream } from "../random.js";
import type { Batch } from "../structure.js";
import { type CollateOptions, collate, type SamplePart } from "./dataset.js";
import { type Loader, type LoaderOptions, mapBatch } from "./loader.js";

/** A sample of a stream: `[x]`, `[x, y]` or `[x, y, weight]`. */
export type Sample = readonly SamplePart[];

/** Options of {@link stream}. */
export interface StreamOptions extends Pick<LoaderOptions, "batchSize" | "seed" | "dropLast" | "map">, CollateOptions {
  /** How many samples are held back to draw from at random (default 0: as they come). */
  readonly shuffle?: number;
  /** Name of what comes, for checkpoints: a run is only resumed on a stream of the same name. */
  readonly name?: string;
}

/**
 * A loader of samples that come one by one.
 *
 * @param source begins an epoch: called with its number (from 0). To be resumed exactly, it must give the same samples for the
 *   same number; those before the place of resumption are passed over
 * @example
 * ```ts
 * stream(function* () { for (let i = 0; i < 1000; i++) yield [[i / 1000], [Math.sin(i)]]; }, { shuffle: 100 });
 * stream(() => linesOf(file), { batchSize: 16 });
 * ```
 */
export function stream(
  source: (epoch: number) => Iterable<Sample> | AsyncIterable<Sample>,
  options: StreamOptions = {},
): Loader {
  const { batchSize = 32, seed = 0, dropLast = false, shuffle = 0, name = "stream", map } = options;
  checkWhole("stream", "batchSize", batchSize);
  checkWhole("stream", "shuffle", shuffle, 0);
  return {
    length: undefined,
    signature: JSON.stringify({ name, batchSize, seed, dropLast, shuffle }),
    async *epoch(epoch, from = 0) {
      let number = 0;
      const finish = async (list: readonly Sample[]): Promise<Batch> => {
        const batch = collate(list, options);
        return map ? mapBatch(map, batch, seed, epoch, number) : batch;
      };
      let list: Sample[] = [];
      for await (const sample of mixed(source(epoch), shuffle, randomStream(seed, epoch))) {
        list.push(sample);
        if (list.length < batchSize) continue;
        if (number >= from) yield await finish(list);
        number++;
        list = [];
      }
      if (list.length > 0 && !dropLast && number >= from) yield await finish(list);
    },
  };
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

/** Draws from a buffer of `size` samples, which what comes fills up again. */
async function* mixed<T>(source: Iterable<T> | AsyncIterable<T>, size: number, random: () => number): AsyncIterable<T> {
  const buffer: T[] = [];
  const draw = () => {
    const at = Math.floor(random() * buffer.length);
    const last = buffer.pop()!;
    if (at === buffer.length) return last;
    const drawn = buffer[at];
    buffer[at] = last;
    return drawn;
  };
  for await (const sample of source) {
    buffer.push(sample);
    if (buffer.length > size) yield size === 0 ? buffer.pop()! : draw();
  }
  while (buffer.length > 0) yield draw();
}

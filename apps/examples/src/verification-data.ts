/** Triplets to learn from, and pairs to judge. */
import { tensor } from "@nn/tensor";
import type { Dataset as Batches } from "@nn/train";
import { type Dataset, IMAGE, PIXELS } from "./dataset.js";
import type { Random } from "./random.js";

/** The samples of some classes. */
export function ofClasses(set: Dataset, wanted: (label: number) => boolean): Dataset {
  const kept = [...set.labels.keys()].filter((i) => wanted(set.labels[i]));
  const labels = Int32Array.from(kept, (i) => set.labels[i]);
  return { ...set, count: kept.length, inputs: gather(set, kept), labels };
}

/**
 * Batches of `count` triplets an epoch, new ones each time: images (3N, 1, 28, 28), first N anchors, then N others of their classes, then N of
 * other classes.
 */
export function drawTriplets(set: Dataset, count: number, source: Random): Batches {
  const members = new Map<number, number[]>();
  set.labels.forEach((label, i) => {
    members.set(label, [...(members.get(label) ?? []), i]);
  });
  const classes = [...members.values()];
  return {
    length: count,
    batch({ length }) {
      const triplets = Array.from({ length }, () => {
        const [own, other] = two(classes, source);
        return [...two(own, source), source.pick(other)];
      });
      const rows = [0, 1, 2].flatMap((part) => triplets.map((triplet) => triplet[part]));
      return [tensor(gather(set, rows), { shape: [rows.length, ...IMAGE] })];
    },
  };
}

/** `count` pairs of samples, half of them of one class. */
export function drawPairs({ labels, count: samples }: Dataset, count: number, source: Random): [number, number][] {
  return Array.from({ length: count }, (_, i) => {
    for (;;) {
      const [a, b] = [source.below(samples), source.below(samples)];
      if (a !== b && (labels[a] === labels[b]) === i < count / 2) return [a, b];
    }
  });
}

// ---------------------------------------------------------------------------------------------

/** Two different ones. */
function two<T>(items: readonly T[], source: Random): [T, T] {
  const first = source.below(items.length);
  return [items[first], items[(first + 1 + source.below(items.length - 1)) % items.length]];
}

function gather({ inputs }: Dataset, rows: readonly number[]): Float32Array {
  const values = new Float32Array(rows.length * PIXELS);
  rows.forEach((from, to) => {
    values.set(inputs.subarray(from * PIXELS, (from + 1) * PIXELS), to * PIXELS);
  });
  return values;
}

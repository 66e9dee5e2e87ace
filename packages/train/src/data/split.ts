// Splitting a dataset in two: for training, and to see whether it learnt.

import { fail } from "@nn/tensor";
import { checkShare } from "../check.js";
import { randomStream, range, shuffle } from "../random.js";
import { type Dataset, subset } from "./dataset.js";

/** Options of {@link split}. */
export interface SplitOptions {
  /** Of the choice (default 0). */
  readonly seed?: number;
  /** Whether samples are chosen at random (default true), or are the last ones. */
  readonly shuffle?: boolean;
  /** A class of each sample: both parts then have the same share of every class, as near as whole samples allow. */
  readonly stratify?: ArrayLike<number | string>;
}

/**
 * Splits off a share of the samples, e.g. for validation.
 *
 * @param share of the second part, from 0 to 1
 * @returns the rest, and that share
 * @throws if a part would be empty
 * @example
 * ```ts
 * const [train, validation] = split(data, 0.2, { seed: 1, stratify: labels });
 * ```
 */
export function split(data: Dataset, share: number, options: SplitOptions = {}): [rest: Dataset, part: Dataset] {
  const [rest, part] = splitIndices(data.length, share, options);
  return [subset(data, rest), subset(data, part)];
}

/** {@link split}, of the numbers 0 to n − 1; both parts in rising order. */
export function splitIndices(
  n: number,
  share: number,
  { seed = 0, shuffle: mix = true, stratify }: SplitOptions = {},
): [rest: Uint32Array, part: Uint32Array] {
  checkShare("split", "the share", share);
  if (stratify && stratify.length !== n) {
    fail({ op: "split", expected: `stratify with ${n} classes, one per sample`, got: `${stratify.length}` });
  }
  const order = mix ? shuffle(range(n), randomStream(seed)) : range(n).reverse();
  const part = new Set<number>();
  const groups = stratify ? groupsOf(order, stratify) : [order];
  for (const [g, take] of quotas(groups, share).entries()) for (const i of groups[g].slice(0, take)) part.add(i);
  if (part.size === 0 || part.size === n) {
    fail({ op: "split", expected: "samples in both parts", got: `${n - part.size} and ${part.size} of ${n}` });
  }
  return [range(n).filter((i) => !part.has(i)), range(n).filter((i) => part.has(i))];
}

/** How many of each group: the whole parts of their shares, and one more where the rest is largest. */
function quotas(groups: readonly ArrayLike<number>[], share: number): number[] {
  const exact = groups.map(({ length }) => length * share);
  const counts = exact.map(Math.floor);
  const sum = (list: readonly number[]) => list.reduce((a, b) => a + b, 0);
  const left = Math.round(sum(exact)) - sum(counts);
  const byRest = groups.map((_, g) => g).sort((a, b) => exact[b] - counts[b] - (exact[a] - counts[a]));
  for (const g of byRest.slice(0, left)) counts[g]++;
  return counts;
}

function groupsOf(order: Uint32Array, classes: ArrayLike<number | string>): number[][] {
  const groups = new Map<number | string, number[]>();
  for (const i of order) {
    const group = groups.get(classes[i]);
    if (group) group.push(i);
    else groups.set(classes[i], [i]);
  }
  return [...groups.values()];
}

/** How well distances tell pairs of the same from pairs of others: errors at every threshold, and where both are equal. */

/** A threshold: nearer pairs are taken for the same. Shares from 0 to 1. */
export interface Errors {
  readonly threshold: number;
  /** Of pairs of others, taken for the same. */
  readonly accepted: number;
  /** Of pairs of the same, taken for others. */
  readonly rejected: number;
}

/** At every distance that occurs, from the least to the greatest; before them one at which nothing is taken for the same. */
export function errorsAt(distances: ArrayLike<number>, same: readonly boolean[]): Errors[] {
  const order = Array.from(same.keys()).sort((a, b) => distances[a] - distances[b]);
  const total = same.filter(Boolean).length;
  let [hits, accepted] = [0, 0];
  const errors: Errors[] = [{ threshold: Number.NEGATIVE_INFINITY, accepted: 0, rejected: 1 }];
  order.forEach((i, at) => {
    if (same[i]) hits++;
    else accepted++;
    if (distances[i] === distances[order[at + 1]]) return; // the threshold takes equal ones together
    errors.push({ threshold: distances[i], accepted: accepted / (same.length - total), rejected: 1 - hits / total });
  });
  return errors;
}

/** The error rate at the threshold at which as many of both kinds are taken for the other. */
export function equalErrorRate(errors: readonly Errors[]): { readonly rate: number; readonly threshold: number } {
  const { accepted, rejected, threshold } = errors.find(({ accepted, rejected }) => accepted >= rejected)!;
  return { rate: (accepted + rejected) / 2, threshold };
}

/**
 * Seeded random numbers for the data generators (mulberry32 by Tommy Ettinger): the same seed draws
 * the same digits and sequences on every machine. The networks' own randomness (initial weights)
 * comes from `manualSeed` of @nn/tensor instead.
 */
export interface Random {
  /** Uniform in [low, high); [0, 1) by default. */
  uniform(low?: number, high?: number): number;
  /** Normal with mean 0 and standard deviation 1. */
  normal(): number;
  /** A whole number in [0, n). */
  below(n: number): number;
  pick<T>(items: readonly T[]): T;
  /** Shuffles in place, and returns its argument. */
  shuffle<T extends Uint32Array | unknown[]>(items: T): T;
}

export function random(seed: number): Random {
  let state = seed >>> 0;

  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 15), z | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (n: number): number => Math.floor(next() * n);

  return {
    uniform: (low = 0, high = 1) => low + (high - low) * next(),
    // Box-Muller; 1 - next() lies in (0, 1], so the logarithm is finite.
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
    below,
    pick: (items) => items[below(items.length)] as (typeof items)[number],
    shuffle: (items) => {
      for (let i = items.length - 1; i > 0; i--) {
        const j = below(i + 1);
        [items[i], items[j]] = [items[j], items[i]];
      }
      return items;
    },
  };
}

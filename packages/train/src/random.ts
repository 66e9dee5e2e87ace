// Random numbers for the order of data, on the JavaScript side: a pure function of seed and counter, so that nothing has to
// be kept to go on where one was. The tensors' own random numbers are those of @nn/tensor.

/**
 * A stream of numbers in [0, 1), multiples of 2⁻⁵³. The same seed and stream numbers give the same numbers.
 * Threefry-2x32 with 20 rounds (Salmon et al., 2011).
 */
export function randomStream(seed: number, ...stream: readonly number[]): () => number {
  let key = [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0] as const;
  for (const n of stream) key = threefry(key, [n >>> 0, Math.floor(n / 2 ** 32) >>> 0]);
  let counter = 0;
  return () => {
    const [a, b] = threefry(key, [counter >>> 0, Math.floor(counter / 2 ** 32)]);
    counter++;
    return ((a >>> 5) * 2 ** 26 + (b >>> 6)) * 2 ** -53;
  };
}

/** A seed made of a seed and stream numbers: for a Generator of @nn/tensor. */
export function derivedSeed(seed: number, ...stream: readonly number[]): number {
  return Math.floor(randomStream(seed, ...stream)() * 2 ** 53);
}

/** Puts a list into a random order, in place (Fisher and Yates). */
export function shuffle<T extends { [i: number]: unknown; readonly length: number }>(list: T, random: () => number): T {
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    const other = list[j];
    list[j] = list[i];
    list[i] = other;
  }
  return list;
}

/** `0, 1, …, n − 1`. */
export function range(n: number): Uint32Array {
  return Uint32Array.from({ length: n }, (_, i) => i);
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

type Pair = readonly [number, number];

export function threefry(key: Pair, counter: Pair): Pair {
  const keys = [key[0], key[1], 0x1bd11bda ^ key[0] ^ key[1]];
  const rotations = [13, 15, 26, 6, 17, 29, 16, 24];
  let a = (counter[0] + keys[0]) | 0;
  let b = (counter[1] + keys[1]) | 0;
  for (let round = 0; round < 20; round++) {
    const r = rotations[round % 8];
    a = (a + b) | 0;
    b = ((b << r) | (b >>> (32 - r))) ^ a;
    if (round % 4 !== 3) continue;
    const n = (round + 1) / 4;
    a = (a + keys[n % 3]) | 0;
    b = (b + keys[(n + 1) % 3] + n) | 0;
  }
  return [a >>> 0, b >>> 0];
}

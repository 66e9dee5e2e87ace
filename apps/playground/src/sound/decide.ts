// Which word a sound was, of what was said after every frame.

/** The word with the largest sum of probabilities (T, 1 + words), by its number. */
export function decide(probabilities: Float32Array, words: number): number {
  const sums = new Float32Array(words);
  for (let i = 0; i < probabilities.length; i++) {
    const at = i % (words + 1);
    if (at > 0) sums[at - 1] += probabilities[i];
  }
  return sums.indexOf(Math.max(...sums));
}

/**
 * Delayed recall, a task that only a memory solves. Somewhere in a sequence of distractors stands one
 * symbol; at the last step comes the cue, and the network has to name the symbol:
 *
 *     ~ - C ~ ~ : . - ~ : ? → C
 *
 * The symbol is equally likely at every step before the cue, so what must be bridged is up to 19
 * steps long, and guessing is right once in 8. (After Hochreiter and Schmidhuber, 1997, whose LSTM
 * was made for tasks like this one.)
 */
import type { Dataset } from "./dataset.js";
import { random } from "./random.js";

export const SYMBOLS = "ABCDEFGH";
export const STEPS = 20;
/** Values per step: one-hot over the symbols, the distractors and the cue. */
export const FEATURES = SYMBOLS.length + 4 + 1;

/** `count` sequences (20, 13) with the number of the symbol as label. Same seed, same sequences. */
export function drawSequences(count: number, seed: number): Dataset {
  const source = random(seed);
  const inputs = new Float32Array(count * STEPS * FEATURES);
  const labels = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const place = source.below(STEPS - 1);
    labels[i] = source.below(SYMBOLS.length);
    for (let step = 0; step < STEPS; step++) {
      const distractor = SYMBOLS.length + source.below(DISTRACTORS.length);
      const token = step === STEPS - 1 ? CUE : step === place ? labels[i] : distractor;
      inputs[(i * STEPS + step) * FEATURES + token] = 1;
    }
  }
  return { count, shape: [STEPS, FEATURES], inputs, labels };
}

/** Sequence number `i` as text: "~-C~~:.-~:?". */
export function spell({ inputs }: Dataset, i: number): string {
  return Array.from({ length: STEPS }, (_, step) => {
    const start = (i * STEPS + step) * FEATURES;
    return TOKENS[inputs.subarray(start, start + FEATURES).indexOf(1)];
  }).join("");
}

// ---------------------------------------------------------------------------------------------

const DISTRACTORS = "~-:.";
const TOKENS = `${SYMBOLS}${DISTRACTORS}?`;
const CUE = TOKENS.length - 1;

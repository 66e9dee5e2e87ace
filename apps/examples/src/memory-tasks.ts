/**
 * Two tasks that only a memory solves, with sequences as long as one likes. What must be remembered stands near the
 * beginning, so that nearly the whole sequence has to be bridged (Hochreiter and Schmidhuber, 1997).
 *
 * - Adding: each step has a number from 0 to 1 and a mark. Two numbers are marked, one among the first tenth and one
 *   among the first half; the answer is their sum. Who always says 1 has a mean squared error of 1/6.
 * - Recall: one of eight symbols stands among the first tenth, distractors everywhere else, the cue at the end; the answer is
 *   the symbol. Guessing is right once in 8.
 */
import { crossEntropy, mse } from "@nn/layers";
import type { Tensor } from "@nn/tensor";
import type { Random } from "./random.js";
import { FEATURES, SYMBOLS } from "./recall.js";

/** Sequences (count, steps, features) and their answers (count). */
export interface Sequences {
  readonly x: Float32Array;
  readonly y: Float32Array | Int32Array;
}

export interface Task {
  readonly name: string;
  readonly features: number;
  /** Numbers that the network gives per sequence. */
  readonly outputs: number;
  draw(count: number, steps: number, source: Random): Sequences;
  loss(outputs: Tensor, y: Tensor): Tensor;
  /** How good outputs are, and in what; `guess` is what is reached without memory. */
  score(outputs: Float32Array, y: Sequences["y"]): number;
  readonly measure: string;
  readonly guess: string;
  verdict(score: number): "solved" | "partly" | "failed";
  show(score: number): string;
}

export const adding: Task = {
  name: "adding problem",
  features: 2,
  outputs: 1,
  draw(count, steps, source) {
    const x = new Float32Array(count * steps * 2);
    const y = new Float32Array(count);
    for (let i = 0; i < count; i++) {
      const first = source.below(Math.ceil(steps / 10));
      let second = first;
      while (second === first) second = source.below(Math.floor(steps / 2));
      for (let t = 0; t < steps; t++) {
        const at = 2 * (i * steps + t);
        x[at] = source.uniform();
        if (t !== first && t !== second) continue;
        x[at + 1] = 1;
        y[i] += x[at];
      }
    }
    return { x, y };
  },
  loss: (outputs, y) => mse(outputs.squeeze(1), y),
  score: (outputs, y) => outputs.reduce((sum, value, i) => sum + (value - y[i]) ** 2, 0) / outputs.length,
  measure: "mean squared error",
  guess: "0.167",
  verdict: (score) => (score < 0.01 ? "solved" : score < 0.1 ? "partly" : "failed"),
  show: (score) => score.toFixed(4),
};

export const recall: Task = {
  name: "delayed recall",
  features: FEATURES,
  outputs: SYMBOLS.length,
  draw(count, steps, source) {
    const x = new Float32Array(count * steps * FEATURES);
    const y = new Int32Array(count);
    for (let i = 0; i < count; i++) {
      const place = source.below(Math.ceil(steps / 10));
      y[i] = source.below(SYMBOLS.length);
      for (let t = 0; t < steps; t++) {
        const distractor = SYMBOLS.length + source.below(FEATURES - SYMBOLS.length - 1);
        x[(i * steps + t) * FEATURES + (t === steps - 1 ? FEATURES - 1 : t === place ? y[i] : distractor)] = 1;
      }
    }
    return { x, y };
  },
  loss: crossEntropy,
  score(outputs, y) {
    let right = 0;
    y.forEach((answer, i) => {
      const own = outputs.subarray(i * SYMBOLS.length, (i + 1) * SYMBOLS.length);
      right += Number(own.indexOf(Math.max(...own)) === answer);
    });
    return right / y.length;
  },
  measure: "right, %",
  guess: "12.5",
  verdict: (score) => (score > 0.95 ? "solved" : score > 0.5 ? "partly" : "failed"),
  show: (score) => (100 * score).toFixed(1),
};

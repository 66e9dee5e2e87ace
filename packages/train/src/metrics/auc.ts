// Area under the ROC curve.

import { fail } from "@nn/tensor";
import { checkSame, StreamingMetric, type Values } from "./metric.js";

/**
 * Area under the ROC curve: the chance that a positive has a greater score than a negative; equal scores count half. Exact, so all
 * scores are kept. NaN if one of the classes is missing.
 *
 * Output: scores, of any scale; target of the same shape: 0 or 1.
 */
export class AUC extends StreamingMetric<{ positive: number[]; negative: number[] }> {
  override result(): number {
    const negative = Float64Array.from(this.state.negative).sort();
    const positive = Float64Array.from(this.state.positive).sort();
    let wins = 0;
    let below = 0; // negatives less than the positive at hand
    let upTo = 0; // negatives not greater
    for (const score of positive) {
      while (below < negative.length && negative[below] < score) below++;
      while (upTo < negative.length && negative[upTo] <= score) upTo++;
      wins += below + (upTo - below) / 2;
    }
    return wins / (positive.length * negative.length);
  }
  protected override start() {
    return { positive: [], negative: [] };
  }
  protected override add(output: Values, target: Values): void {
    checkSame(this.op, output, target);
    for (let i = 0; i < target.data.length; i++) {
      const [score, actual] = [output.data[i], target.data[i]];
      if (Number.isNaN(score)) fail({ op: this.op, expected: "scores that are numbers", got: "NaN" });
      if (actual !== 0 && actual !== 1) fail({ op: this.op, expected: "targets of 0 and 1", got: `${actual}` });
      (actual === 1 ? this.state.positive : this.state.negative).push(score);
    }
  }
}

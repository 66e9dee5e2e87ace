// Perplexity of a language model.

import { fail, show } from "@nn/tensor";
import { checkClass } from "./classes.js";
import { StreamingMetric, type Values } from "./metric.js";

/**
 * exp of the mean negative log likelihood per target. Output: logits (N, C, positions…); target: class numbers (N, positions…).
 *
 * @example
 * ```ts
 * new Perplexity({ ignoreIndex: vocabulary.pad });
 * ```
 */
export class Perplexity extends StreamingMetric<{ sum: number; count: number }> {
  readonly #ignore: number;

  constructor({ ignoreIndex = -100 }: { readonly ignoreIndex?: number } = {}) {
    super();
    this.#ignore = ignoreIndex;
  }
  override result(): number {
    return Math.exp(this.state.sum / this.state.count);
  }
  protected override start() {
    return { sum: 0, count: 0 };
  }
  protected override add({ data, shape }: Values, target: Values): void {
    const [n, classes, ...rest] = shape;
    if (shape.length < 2 || [n, ...rest].join() !== target.shape.join()) {
      fail({
        op: this.op,
        expected: "logits (N, C, positions…) and targets (N, positions…)",
        got: `${show(shape)} and ${show(target.shape)}`,
      });
    }
    const positions = rest.reduce((a, b) => a * b, 1);
    for (let i = 0; i < n * positions; i++) {
      const actual = target.data[i];
      if (actual === this.#ignore) continue;
      checkClass(this.op, actual, classes);
      const at = (c: number) => data[(Math.floor(i / positions) * classes + c) * positions + (i % positions)];
      let top = Number.NEGATIVE_INFINITY;
      for (let c = 0; c < classes; c++) top = Math.max(top, at(c));
      let sum = 0;
      for (let c = 0; c < classes; c++) sum += Math.exp(at(c) - top);
      this.state.sum += top + Math.log(sum) - at(actual);
      this.state.count++;
    }
  }
}

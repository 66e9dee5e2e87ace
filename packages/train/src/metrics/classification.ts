// Metrics of decisions: accuracy, top-k, precision, recall, F1, the confusion matrix, mean IoU. All but the first two are
// read off the confusion matrix.

import { fail, show } from "@nn/tensor";
import { checkWhole } from "../check.js";
import { type ClassOptions, checkClass, decisions } from "./classes.js";
import { type MetricValue, StreamingMetric, type Values, zeros } from "./metric.js";

/**
 * Share of decisions that are right. Output (N, C, positions…) and target (N, positions…) of class numbers; or both of one shape, decided
 * by a threshold.
 *
 * @example
 * ```ts
 * fit(model, { …, metrics: { accuracy: new Accuracy() } });
 * new Accuracy({ threshold: 0 }); // of single logits
 * ```
 */
export class Accuracy extends StreamingMetric<{ right: number; total: number }> {
  readonly #options: ClassOptions;

  constructor(options: ClassOptions = {}) {
    super();
    this.#options = options;
  }
  override result(): number {
    return this.state.right / this.state.total;
  }
  protected override start() {
    return { right: 0, total: 0 };
  }
  protected override add(output: Values, target: Values): void {
    for (const [predicted, actual] of decisions(this.op, output, target, this.#options).each) {
      this.state.total++;
      if (predicted === actual) this.state.right++;
    }
  }
}

/**
 * Share of targets that are among the k greatest outputs. Of equals, those of lower number come first.
 *
 * @example
 * ```ts
 * new TopKAccuracy(5);
 * ```
 */
export class TopKAccuracy extends StreamingMetric<{ right: number; total: number }> {
  readonly #k: number;
  readonly #ignore: number;

  /** @param k how many guesses there are */
  constructor(k: number, { ignoreIndex = -100 }: Pick<ClassOptions, "ignoreIndex"> = {}) {
    super();
    this.#k = checkWhole("TopKAccuracy", "k", k);
    this.#ignore = ignoreIndex;
  }
  override result(): number {
    return this.state.right / this.state.total;
  }
  protected override start() {
    return { right: 0, total: 0 };
  }
  protected override add({ data, shape }: Values, target: Values): void {
    const [n, classes] = shape;
    if (shape.length !== 2 || target.shape.join() !== `${n}`) {
      fail({
        op: this.op,
        expected: "outputs (N, C) and targets (N)",
        got: `${show(shape)} and ${show(target.shape)}`,
      });
    }
    for (let i = 0; i < n; i++) {
      const actual = target.data[i];
      if (actual === this.#ignore) continue;
      checkClass(this.op, actual, classes);
      const own = data[i * classes + actual];
      let before = 0;
      for (let c = 0; c < classes; c++) {
        const v = data[i * classes + c];
        if (v > own || (v === own && c < actual) || (Number.isNaN(v) && c !== actual)) before++;
      }
      this.state.total++;
      if (before < this.#k && !Number.isNaN(own)) this.state.right++;
    }
  }
}

/** Options of {@link ConfusionMatrix}. */
export interface ConfusionOptions extends ClassOptions {
  /** How many classes there are (default: as many as the first output tells apart). */
  readonly numClasses?: number;
}

/**
 * How often class r (row) was taken for class c (column), as scikit-learn's `confusion_matrix`. Shapes as {@link Accuracy}.
 */
export class ConfusionMatrix extends StreamingMetric<{ counts: number[][] }> {
  readonly #options: ConfusionOptions;

  constructor(options: ConfusionOptions = {}) {
    super();
    this.#options = options;
  }
  override result(): MetricValue {
    return this.state.counts.map((row) => [...row]);
  }
  protected override start() {
    const { numClasses: n = 0 } = this.#options;
    return { counts: Array.from({ length: n }, () => zeros(n)) };
  }
  protected override add(output: Values, target: Values): void {
    const { classes, each } = decisions(this.op, output, target, this.#options);
    const { counts } = this.state;
    if (counts.length === 0) counts.push(...Array.from({ length: classes }, () => zeros(classes)));
    if (classes > counts.length) {
      fail({ op: this.op, expected: `outputs of ${counts.length} classes, as before`, got: `${classes}` });
    }
    for (const [predicted, actual] of each) counts[actual][predicted]++;
  }

  /** Of each class: right ones, those wrongly taken for it, those of it taken for others. */
  protected perClass(): { tp: number; fp: number; fn: number }[] {
    const { counts } = this.state;
    return counts.map((row, c) => {
      const tp = row[c];
      const fn = row.reduce((a, b) => a + b, 0) - tp;
      const fp = counts.reduce((sum, other) => sum + other[c], 0) - tp;
      return { tp, fp, fn };
    });
  }
}

/** How classes are put together. */
export interface AverageOptions extends ConfusionOptions {
  /**
   * `"macro"` (default): the mean of the classes that occur, in targets or decisions; `"micro"`: of all decisions together; `"binary"`: class 1
   * alone; `"none"`: each class by itself, NaN for those that do not occur.
   */
  readonly average?: "macro" | "micro" | "binary" | "none";
}

abstract class Averaged extends ConfusionMatrix {
  readonly #average: NonNullable<AverageOptions["average"]>;

  constructor(options: AverageOptions = {}) {
    super(options);
    const { average = "macro" } = options;
    if (!["macro", "micro", "binary", "none"].includes(average)) {
      fail({ op: this.op, expected: 'average "macro", "micro", "binary" or "none"', got: `"${average}"` });
    }
    this.#average = average;
  }
  override result(): number | readonly number[] {
    const each = this.perClass();
    const occurs = ({ tp, fp, fn }: Counts) => tp + fp + fn > 0;
    const values = each.map((c) => (occurs(c) ? this.of(c) : Number.NaN));
    switch (this.#average) {
      case "none":
        return values;
      case "binary":
        return values[1] ?? Number.NaN;
      case "micro":
        return this.of(
          each.reduce((a, b) => ({ tp: a.tp + b.tp, fp: a.fp + b.fp, fn: a.fn + b.fn }), { tp: 0, fp: 0, fn: 0 }),
        );
      default: {
        const known = values.filter((_, c) => occurs(each[c]));
        return known.reduce((a, b) => a + b, 0) / known.length;
      }
    }
  }
  /** The figure of one class. */
  protected abstract of(counts: Counts): number;
}

interface Counts {
  readonly tp: number;
  readonly fp: number;
  readonly fn: number;
}

/** a / b; 0 where b is 0, as scikit-learn. */
const share = (a: number, b: number): number => (b === 0 ? 0 : a / b);

/** Right ones among those taken for a class: tp / (tp + fp); 0 if there are none. Shapes as {@link Accuracy}. */
export class Precision extends Averaged {
  protected override of({ tp, fp }: Counts): number {
    return share(tp, tp + fp);
  }
}

/** Those of a class that were found: tp / (tp + fn); 0 if there are none. Shapes as {@link Accuracy}. */
export class Recall extends Averaged {
  protected override of({ tp, fn }: Counts): number {
    return share(tp, tp + fn);
  }
}

/**
 * Harmonic mean of precision and recall: 2 tp / (2 tp + fp + fn). Shapes as {@link Accuracy}.
 *
 * @example
 * ```ts
 * new F1(); // the mean of the classes
 * new F1({ average: "binary", threshold: 0 }); // of class 1, outputs are single logits
 * ```
 */
export class F1 extends Averaged {
  protected override of({ tp, fp, fn }: Counts): number {
    return share(2 * tp, 2 * tp + fp + fn);
  }
}

/** Intersection over union, tp / (tp + fp + fn): by default the mean of the classes that occur. Shapes as {@link Accuracy}. */
export class MeanIoU extends Averaged {
  protected override of({ tp, fp, fn }: Counts): number {
    return share(tp, tp + fp + fn);
  }
}

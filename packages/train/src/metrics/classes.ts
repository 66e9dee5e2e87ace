// Classes: which one an output means, and which one was right.

import { fail, show } from "@nn/tensor";
import type { Values } from "./metric.js";

/** How class metrics read outputs and targets. */
export interface ClassOptions {
  /** Targets that do not count (default −100, as in the losses). */
  readonly ignoreIndex?: number;
  /**
   * Where an output with as many numbers as the target becomes class 1: above this (default 0.5; logits want 0). Outputs with
   * an axis of classes need none.
   */
  readonly threshold?: number;
  /** Whether targets have an axis of classes, too, with one-hot rows or probabilities (default false). */
  readonly oneHot?: boolean;
}

/** Decisions, one after the other. */
export interface Decisions {
  /** How many classes the output tells apart; 2 where it is a number per target. */
  readonly classes: number;
  readonly each: Iterable<readonly [predicted: number, actual: number]>;
}

/**
 * Pairs of predicted and actual class. Output (N, C, positions…) with target (N, positions…): the class with the greatest number, the
 * first of equals. Output of the target's shape: whether it is above the threshold; with `oneHot`, both mean their greatest along axis 1.
 */
export function decisions(op: string, output: Values, target: Values, options: ClassOptions): Decisions {
  const { ignoreIndex = -100, threshold = 0.5, oneHot = false } = options;
  const [n, classes = 0, ...rest] = output.shape;
  const same = output.shape.join() === target.shape.join();
  const hasClasses = !same && output.shape.length >= 2 && [n, ...rest].join() === target.shape.join();
  if ((!hasClasses && !same) || (oneHot && !(same && classes > 1))) {
    fail({
      op,
      expected: oneHot
        ? "outputs and targets (N, C, positions…)"
        : "outputs (N, C, positions…) with targets (N, positions…), or both of one shape",
      got: `${show(output.shape)} and ${show(target.shape)}`,
    });
  }
  const several = oneHot || (hasClasses && classes > 1);
  return several ? { classes, each: byClass() } : { classes: 2, each: elementwise() };

  function* elementwise(): Iterable<readonly [number, number]> {
    for (let i = 0; i < target.data.length; i++) {
      const actual = target.data[i];
      if (actual !== ignoreIndex) yield [output.data[i] > threshold ? 1 : 0, actual > 0.5 ? 1 : 0];
    }
  }
  function* byClass(): Iterable<readonly [number, number]> {
    const positions = rest.reduce((a, b) => a * b, 1);
    for (let s = 0; s < n; s++) {
      for (let p = 0; p < positions; p++) {
        const start = s * classes * positions + p;
        const actual = hasClasses ? target.data[s * positions + p] : greatest(target.data, start, classes, positions);
        if (actual === ignoreIndex) continue;
        checkClass(op, actual, classes);
        yield [greatest(output.data, start, classes, positions), actual];
      }
    }
  }
}

/** Index of the first greatest of `n` numbers; NaN is greater than all. */
function greatest(data: ArrayLike<number>, start: number, n: number, stride: number): number {
  let best = 0;
  for (let c = 0; c < n; c++) {
    const v = data[start + c * stride];
    if (Number.isNaN(v)) return c;
    if (v > data[start + best * stride]) best = c;
  }
  return best;
}

export function checkClass(op: string, actual: number, classes: number): void {
  if (Number.isInteger(actual) && actual >= 0 && actual < classes) return;
  fail({ op, expected: `targets that are classes from 0 to ${classes - 1}`, got: `${actual}` });
}

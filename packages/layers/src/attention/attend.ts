// What all attention here ends in: weights from scores and masks, and the mean of the values with these weights.

import { arange, broadcastOrFail, fail, show, type Tensor, where } from "@nn/tensor";
import { dropout } from "../dropout.js";

/** What attention gives. */
export interface Attended {
  /** The mean of the values with the weights. */
  readonly output: Tensor;
  /** How much each query takes of each key: at least 0, with sum 1, or all 0 where every key is masked. */
  readonly weights: Tensor;
}

/** The score of a key that is masked. Finite, so that no difference of two of them is NaN. */
const NEVER = -1e30;

/**
 * @param scores (…, L, S)
 * @param values (…, S, V)
 * @param masks broadcastable to the scores: bool, true where a key takes part, or f32, added to them
 * @param p probability that a weight is dropped
 */
export function attend(op: string, scores: Tensor, values: Tensor, masks: readonly (Tensor | null)[], p = 0): Attended {
  let sums = scores;
  let open: Tensor | null = null;
  for (const mask of masks) {
    if (!mask) continue;
    checkMask(op, mask, scores);
    if (mask.dtype === "f32") sums = sums.add(mask);
    const here = mask.dtype === "f32" ? mask.gt(NEVER) : mask;
    open = open ? open.logicalAnd(here) : here;
  }
  // The second choice matters where every key is masked: softmax would spread its weight evenly over them.
  const weights = open ? where(open, where(open, sums, NEVER).softmax(-1), 0) : sums.softmax(-1);
  const kept = p > 0 ? dropout(weights, p) : weights;
  return { output: kept.matmul(values), weights: kept };
}

/** (L, S): query i takes part in keys 0 to i. */
export function causalMask(queries: number, keys: number): Tensor {
  return arange(queries).unsqueeze(1).ge(arange(keys));
}

/** PyTorch's masks of layers, where true hides, as {@link attend} wants them. */
export function inverted(mask: Tensor): Tensor {
  return mask.dtype === "bool" ? mask.logicalNot() : mask;
}

function checkMask(op: string, mask: Tensor, scores: Tensor): void {
  const whole = show(scores.shape);
  if (mask.dtype !== "bool" && mask.dtype !== "f32") {
    fail({ op, expected: "a mask of dtype bool, or f32 to be added", got: `${mask.dtype} ${show(mask.shape)}` });
  }
  if (show(broadcastOrFail(op, mask.shape, scores.shape)) === whole) return;
  fail({ op, expected: `a mask that broadcasts to (…, queries, keys) ${whole}`, got: show(mask.shape) });
}

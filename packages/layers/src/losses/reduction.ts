// What becomes of the losses of the elements; and the checks all losses share.

import { fail, show, type Tensor } from "@nn/tensor";
import { checkChoice } from "../check.js";

/** What becomes of the losses of the elements: nothing, their mean (the default), their sum. */
export type Reduction = "none" | "mean" | "sum";

/** Options every loss has. */
export interface LossOptions {
  /** Default "mean". */
  readonly reduction?: Reduction;
}

export function checkReduction<R extends string = Reduction>(op: string, reduction: R, ...more: R[]): R {
  return checkChoice(op, "reduction", reduction, ["none" as R, "mean" as R, "sum" as R, ...more]);
}

export function reduced(x: Tensor, reduction: Reduction): Tensor {
  return reduction === "none" ? x : reduction === "sum" ? x.sum() : x.mean();
}

export function checkSameShape(op: string, x: Tensor, target: Tensor): void {
  if (show(x.shape) === show(target.shape)) return;
  fail({
    op,
    expected: `a target of the input's shape ${show(x.shape)}`,
    got: show(target.shape),
    hint: "Broadcasting here is nearly always a mistake; reshape one of them.",
  });
}

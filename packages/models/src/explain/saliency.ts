// saliency: how much each number of an input moves an output.

import { grad, type Module, scope, type Tensor } from "@nn/tensor";
import { call, inEvaluation } from "../observe.js";
import { scoreOf, type Target } from "./target.js";

/** Options of {@link saliency}. */
export interface SaliencyOptions {
  /** Whether to give the greatest absolute value over the channels, a map per sample as in the paper (default false). */
  readonly maxOverChannels?: boolean;
}

/**
 * The gradient of a class score in the input (Simonyan, Vedaldi and Zisserman, 2013, "Deep inside convolutional
 * networks"), in evaluation; the model stays as it is.
 *
 * @param x (N, C, …) f32
 * @param target a class, one per sample, or a function from the output to a scalar
 * @returns the shape of x; with `maxOverChannels` (N, …)
 * @throws {@link NNError} if there is no such class
 * @example
 * ```ts
 * const map = saliency(model, images, 3, { maxOverChannels: true }); // (N, H, W)
 * ```
 */
export function saliency(
  model: Module,
  x: Tensor,
  target: Target,
  { maxOverChannels = false }: SaliencyOptions = {},
): Tensor {
  return scope(() => {
    const score = () => scoreOf("saliency", call(model, x), target);
    const [g] = inEvaluation(model, () => grad(score, [x]));
    return maxOverChannels ? g!.abs().max(1) : g!;
  });
}

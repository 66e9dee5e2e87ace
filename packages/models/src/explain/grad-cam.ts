// Grad-CAM: where a convolutional network looks for a class.

import { interpolate } from "@nn/conv";
import { fail, grad, type Module, registerForwardHook, scope, show, type Tensor } from "@nn/tensor";
import { call, inEvaluation } from "../observe.js";
import { moduleAt, outputsOf } from "./activations.js";
import { scoreOf, type Target } from "./target.js";

/** Options of {@link gradCam}. */
export interface GradCamOptions {
  /** Size of the map: of x (`true`, default), of the layer (`false`), or a size per axis. Linear between the pixels. */
  readonly upsample?: boolean | readonly number[];
}

/**
 * Grad-CAM (Selvaraju et al., 2017): the channels of a layer's output, each weighted by the mean of its gradient,
 * `relu(Σ αₖ · Aₖ)` with `αₖ = mean over positions of ∂score/∂Aₖ`; then divided by its maximum, so that each map lies in
 * [0, 1] (all 0 where nothing speaks for the class). In evaluation; the model stays as it is.
 *
 * @param x (N, C, …spatial)
 * @param layer path of a module whose output is (N, K, …), usually the last convolutional block
 * @param target a class, one per sample, or a function from the output to a scalar
 * @returns (N, …spatial)
 * @throws {@link NNError} if there is no such layer or class, or the layer runs more than once
 * @example
 * ```ts
 * const heat = gradCam(resnet, images, "layer4", 281); // (N, 224, 224)
 * ```
 */
export function gradCam(
  model: Module,
  x: Tensor,
  layer: string,
  target: Target,
  { upsample = true }: GradCamOptions = {},
): Tensor {
  const op = "gradCam";
  const wanted = moduleAt(op, model, layer);
  return scope(() => {
    const { output: a, runs } = outputsOf(model, x, new Set([wanted])).get(wanted) ?? { output: x, runs: 0 };
    if (runs !== 1)
      fail({ op, expected: `"${layer}" to run once`, got: `${runs} runs`, hint: "Name the module around it." });
    if (a.rank < 3) {
      fail({ op, expected: "a layer with output (N, K, …spatial)", got: `${show(a.shape)} from "${layer}"` });
    }
    // The layer's output becomes what to differentiate in.
    const handle = registerForwardHook(wanted, () => a);
    const score = () => scoreOf(op, call(model, x), target);
    let g: Tensor | undefined;
    try {
      [g] = inEvaluation(model, () => grad(score, [a]));
    } finally {
      handle.remove();
    }

    const axes = a.shape.slice(2).map((_, i) => 2 + i);
    let map = g!.mean(axes, { keepDims: true }).mul(a).sum(1, { keepDims: true }).relu(); // (N, 1, …)
    if (upsample !== false) {
      const mode = (["linear", "bilinear", "trilinear"] as const)[axes.length - 1]!;
      map = interpolate(map, { size: upsample === true ? x.shape.slice(2) : upsample, mode });
    }
    const top = map.max(axes, { keepDims: true });
    return map.div(top.add(top.eq(0))).squeeze(1);
  });
}

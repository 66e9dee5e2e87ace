// LayerNorm: normalises over the last axes.

import { Module, ones, scope, sizeOf, type Tensor, type Variable, zeros } from "@nn/tensor";
import { checkNumber } from "../check.js";
import { parameter } from "../parameter.js";
import { normalizeRows } from "./batch-norm-op.js";
import { axesBefore, lastAxes } from "./last-axes.js";

/** Options of {@link LayerNorm}. */
export interface LayerNormOptions {
  /** Added to the variance (default 1e-5). */
  readonly eps?: number;
  /** Whether to learn a scale and a shift (default true). */
  readonly elementwiseAffine?: boolean;
  /** Whether to learn the shift, too (default true). */
  readonly bias?: boolean;
}

/**
 * Normalises over the last axes (Ba et al., 2016;
 * [torch.nn.LayerNorm](https://pytorch.org/docs/stable/generated/torch.nn.LayerNorm.html)):
 * `(x − mean) / √(variance + eps) · weight + bias`, with the biased variance.
 *
 * x (…, normalizedShape) → the same. State: `weight`, `bias` of `normalizedShape`, 1 and 0 at first.
 *
 * @example
 * ```ts
 * new LayerNorm(64).forward(randn([8, 10, 64]));
 * ```
 */
export class LayerNorm extends Module {
  readonly normalizedShape: readonly number[];
  readonly weight: Variable | null;
  readonly bias: Variable | null;
  readonly eps: number;

  /**
   * @param normalizedShape sizes of the last axes; a number is one axis
   * @throws if a size is not a whole number ≥ 1, or eps < 0
   */
  constructor(
    normalizedShape: number | readonly number[],
    { eps = 1e-5, elementwiseAffine = true, bias = true }: LayerNormOptions = {},
  ) {
    super();
    const shape = lastAxes("LayerNorm", normalizedShape);
    this.normalizedShape = shape;
    this.eps = checkNumber("LayerNorm", "eps", eps, 0);
    this.weight = elementwiseAffine ? parameter(() => ones(shape)) : null;
    this.bias = elementwiseAffine && bias ? parameter(() => zeros(shape)) : null;
  }

  /** @throws if the last axes of x are not `normalizedShape` */
  override forward(x: Tensor): Tensor {
    const first = axesBefore("layerNorm", x, this.normalizedShape);
    const row = sizeOf(this.normalizedShape);
    return scope(() => {
      const [weight, bias] = [this.weight, this.bias].map((v) => v?.value.reshape([row]));
      return normalizeRows(x, [sizeOf(x.shape.slice(0, first)), row], this.eps, weight, bias);
    });
  }
}

// RMSNorm: divides by the root of the mean square over the last axes.

import { Module, ones, scope, type Tensor, type Variable } from "@nn/tensor";
import { checkNumber } from "../check.js";
import { parameter } from "../parameter.js";
import { axesBefore, lastAxes } from "./last-axes.js";

/** Options of {@link RMSNorm}. */
export interface RMSNormOptions {
  /** Added to the mean square (default 2⁻²³, the resolution of f32 numbers, as PyTorch). */
  readonly eps?: number;
  /** Whether to learn a scale (default true). */
  readonly elementwiseAffine?: boolean;
}

/**
 * Divides by the root mean square over the last axes (Zhang and Sennrich, 2019;
 * [torch.nn.RMSNorm](https://pytorch.org/docs/stable/generated/torch.nn.RMSNorm.html)):
 * `x / √(mean(x²) + eps) · weight`: {@link LayerNorm} without mean and shift.
 *
 * x (…, normalizedShape) → the same. State: `weight` of `normalizedShape`, 1 at first.
 *
 * @example
 * ```ts
 * new RMSNorm(64).forward(randn([8, 10, 64]));
 * ```
 */
export class RMSNorm extends Module {
  readonly normalizedShape: readonly number[];
  readonly weight: Variable | null;
  readonly eps: number;

  /**
   * @param normalizedShape sizes of the last axes; a number is one axis
   * @throws if a size is not a whole number ≥ 1, or eps < 0
   */
  constructor(
    normalizedShape: number | readonly number[],
    { eps = 2 ** -23, elementwiseAffine = true }: RMSNormOptions = {},
  ) {
    super();
    this.normalizedShape = lastAxes("RMSNorm", normalizedShape);
    this.eps = checkNumber("RMSNorm", "eps", eps, 0);
    this.weight = elementwiseAffine ? parameter(() => ones(this.normalizedShape)) : null;
  }

  /** @throws if the last axes of x are not `normalizedShape` */
  override forward(x: Tensor): Tensor {
    const first = axesBefore("rmsNorm", x, this.normalizedShape);
    return scope(() => {
      const axes = this.normalizedShape.map((_, i) => first + i);
      const y = x.mul(x.square().mean(axes, { keepDims: true }).add(this.eps).rsqrt());
      return this.weight ? y.mul(this.weight.value) : y;
    });
  }
}

// Negative log likelihoods of counts and of noisy numbers: poissonNLL, gaussianNLL.

import { fail, Module, maximum, scope, show, square, stopGradient, type Tensor, where } from "@nn/tensor";
import { checkPositive } from "../check.js";
import { checkReduction, checkSameShape, type LossOptions, reduced } from "./reduction.js";

/** Options of {@link poissonNLL}. */
export interface PoissonNLLOptions extends LossOptions {
  /** Whether x is the logarithm of the rate (default true). */
  readonly logInput?: boolean;
  /** Whether to add Stirling's approximation of `log t!` where t > 1 (default false): it moves no gradient. */
  readonly full?: boolean;
  /** Added to the rate before its logarithm is taken, without logInput (default 1e-8). */
  readonly eps?: number;
}

/**
 * Of counts t that are Poisson distributed: `eˣ − t·x`, or without `logInput` `x − t·log(x + eps)`, as
 * [torch.nn.functional.poisson_nll_loss](https://pytorch.org/docs/stable/generated/torch.nn.functional.poisson_nll_loss.html).
 *
 * @param x any shape
 * @param target x's shape; any dtype
 * @returns a scalar, or with reduction "none" x's shape
 * @throws if the shapes differ
 * @example
 * ```ts
 * poissonNLL(model.forward(x), visitors);
 * ```
 */
export function poissonNLL(
  x: Tensor,
  target: Tensor,
  { logInput = true, full = false, eps = 1e-8, reduction = "mean" }: PoissonNLLOptions = {},
): Tensor {
  checkReduction("poissonNLL", reduction);
  checkPositive("poissonNLL", "eps", eps);
  checkSameShape("poissonNLL", x, target);
  return scope(() => {
    const t = target.cast("f32");
    const losses = logInput ? x.exp().sub(t.mul(x)) : x.sub(t.mul(x.add(eps).log()));
    return reduced(full ? losses.add(stirling(t)) : losses, reduction);
  });
}

/** Options of {@link gaussianNLL}. */
export interface GaussianNLLOptions extends LossOptions {
  /** Whether to add the constant `½·log 2π` (default false). */
  readonly full?: boolean;
  /** The least variance that is used (default 1e-6). */
  readonly eps?: number;
}

/**
 * Of numbers t with mean x and a variance: `½·(log v + (x − t)²/v)`, v = max(variance, eps), as
 * [torch.nn.functional.gaussian_nll_loss](https://pytorch.org/docs/stable/generated/torch.nn.functional.gaussian_nll_loss.html).
 * Below eps, the gradient of the variance is that at eps.
 *
 * @param x any shape
 * @param target x's shape
 * @param variance x's shape, or with a last axis of 1, or without the last axis: one for several elements
 * @returns a scalar, or with reduction "none" x's shape
 * @throws if the shapes do not fit
 * @example
 * ```ts
 * gaussianNLL(mean, y, logVariance.exp());
 * ```
 */
export function gaussianNLL(
  x: Tensor,
  target: Tensor,
  variance: Tensor,
  { full = false, eps = 1e-6, reduction = "mean" }: GaussianNLLOptions = {},
): Tensor {
  checkReduction("gaussianNLL", reduction);
  checkPositive("gaussianNLL", "eps", eps);
  checkSameShape("gaussianNLL", x, target);
  const [all, fewer] = [show(x.shape), x.shape.slice(0, -1)];
  const given = show(variance.shape);
  if (given !== all && given !== show(fewer) && given !== show([...fewer, 1])) {
    fail({ op: "gaussianNLL", expected: `variance ${all} or ${show(fewer)} or ${show([...fewer, 1])}`, got: given });
  }
  return scope(() => {
    const wide = given !== all && given === show(fewer) ? variance.unsqueeze(-1) : variance;
    const v = where(wide.lt(eps), wide.sub(stopGradient(wide)).add(eps), wide);
    const losses = v
      .log()
      .add(square(x.sub(target)).div(v))
      .mul(0.5);
    return reduced(full ? losses.add(0.5 * Math.log(2 * Math.PI)) : losses, reduction);
  });
}

/**
 * {@link poissonNLL} as a module:
 * [torch.nn.PoissonNLLLoss](https://pytorch.org/docs/stable/generated/torch.nn.PoissonNLLLoss.html).
 *
 * @example
 * ```ts
 * new PoissonNLLLoss({ full: true }).forward(model.forward(x), visitors);
 * ```
 */
export class PoissonNLLLoss extends Module {
  constructor(private readonly options: PoissonNLLOptions = {}) {
    super();
    checkReduction("PoissonNLLLoss", options.reduction ?? "mean");
    checkPositive("PoissonNLLLoss", "eps", options.eps ?? 1);
  }
  override forward(x: Tensor, target: Tensor): Tensor {
    return poissonNLL(x, target, this.options);
  }
}

/**
 * {@link gaussianNLL} as a module:
 * [torch.nn.GaussianNLLLoss](https://pytorch.org/docs/stable/generated/torch.nn.GaussianNLLLoss.html).
 *
 * @example
 * ```ts
 * new GaussianNLLLoss().forward(mean, y, logVariance.exp());
 * ```
 */
export class GaussianNLLLoss extends Module {
  constructor(private readonly options: GaussianNLLOptions = {}) {
    super();
    checkReduction("GaussianNLLLoss", options.reduction ?? "mean");
    checkPositive("GaussianNLLLoss", "eps", options.eps ?? 1);
  }
  override forward(x: Tensor, target: Tensor, variance: Tensor): Tensor {
    return gaussianNLL(x, target, variance, this.options);
  }
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

/** `t·log t − t + ½·log(2π·t)` where t > 1, else 0. */
function stirling(t: Tensor): Tensor {
  const safe = maximum(t, 1);
  const sum = safe
    .mul(safe.log())
    .sub(safe)
    .add(
      safe
        .mul(2 * Math.PI)
        .log()
        .mul(0.5),
    );
  return where(t.gt(1), sum, 0);
}

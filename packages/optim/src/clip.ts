// Clipping of gradients, on their way to the update.

import { div, fail, norm, scope, stack, type Tensor } from "@nn/tensor";

/** Options of {@link clipGradNorm}. */
export interface ClipGradNormOptions {
  /** p of the norm (default 2); `Infinity` for the greatest absolute value. */
  readonly normType?: number;
}

/**
 * Scales gradients down so that the norm of all of them together is at most `maxNorm`: by
 * `min(1, maxNorm / (total + 1e-6))`, as
 * [torch.nn.utils.clip_grad_norm_](https://pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_norm_.html).
 *
 * @param gradients any shapes
 * @returns the new gradients, and the scalar norm that the old ones had
 * @throws if there are none, maxNorm < 0, or normType ≤ 0
 * @example
 * ```ts
 * optimizer.minimize(loss, { transform: (g) => clipGradNorm(g, 1).gradients });
 * ```
 */
export function clipGradNorm(
  gradients: readonly Tensor[],
  maxNorm: number,
  { normType = 2 }: ClipGradNormOptions = {},
): { gradients: Tensor[]; totalNorm: Tensor } {
  if (!(maxNorm >= 0) || !(normType > 0)) {
    fail({ op: "clipGradNorm", expected: "maxNorm ≥ 0 and normType > 0", got: `${maxNorm} and ${normType}` });
  }
  if (gradients.length === 0) fail({ op: "clipGradNorm", expected: "at least one gradient", got: "none" });
  return scope(() => {
    const norms = gradients.map((g) => norm(g, null, { p: normType }));
    const totalNorm = norm(stack(norms), null, { p: normType });
    const factor = div(maxNorm, totalNorm.add(1e-6)).clamp(null, 1);
    return { gradients: gradients.map((g) => g.mul(factor)), totalNorm };
  });
}

/**
 * {@link clipGradNorm} of each gradient by itself: each has a norm of at most `maxNorm`, whatever the others.
 *
 * @throws as clipGradNorm
 * @example
 * ```ts
 * optimizer.minimize(loss, { transform: (g) => clipEachGradNorm(g, 0.1) });
 * ```
 */
export function clipEachGradNorm(
  gradients: readonly Tensor[],
  maxNorm: number,
  options: ClipGradNormOptions = {},
): Tensor[] {
  return scope(() => gradients.flatMap((g) => clipGradNorm([g], maxNorm, options).gradients));
}

/**
 * Clamps every element to ±`clipValue`, as
 * [torch.nn.utils.clip_grad_value_](https://pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_value_.html).
 *
 * @throws if clipValue < 0
 * @example
 * ```ts
 * optimizer.minimize(loss, { transform: (g) => clipGradValue(g, 0.5) });
 * ```
 */
export function clipGradValue(gradients: readonly Tensor[], clipValue: number): Tensor[] {
  if (!(clipValue >= 0)) fail({ op: "clipGradValue", expected: "clipValue ≥ 0", got: `${clipValue}` });
  return gradients.map((g) => g.clamp(-clipValue, clipValue));
}

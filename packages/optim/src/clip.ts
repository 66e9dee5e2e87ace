// Clipping of gradients.

import { fail, norm, stack, type Tensor } from "@nn/tensor";

/**
 * Scales gradients down so that the norm of all of them together is at most `maxNorm`: by
 * `min(1, maxNorm / (total + 1e-6))`, as [torch.nn.utils.clip_grad_norm_](https://pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_norm_.html).
 *
 * @param options.normType p of the norm (default 2; `Infinity` for the greatest)
 * @returns the gradients, and the norm they had
 * @example
 * ```ts
 * optimizer.minimize(loss, { transform: (g) => clipGradNorm(g, 1).gradients });
 * ```
 */
export function clipGradNorm(
  gradients: readonly Tensor[], maxNorm: number, { normType = 2 }: { readonly normType?: number } = {},
): { gradients: Tensor[]; totalNorm: Tensor } {
  if (!(maxNorm >= 0) || !(normType > 0)) fail({ op: "clipGradNorm", expected: "maxNorm ≥ 0 and normType > 0", got: `${maxNorm} and ${normType}` });
  if (gradients.length === 0) fail({ op: "clipGradNorm", expected: "at least one gradient", got: "none" });
  const totalNorm = norm(stack(gradients.map((g) => norm(g, null, { p: normType }))), null, { p: normType });
  const factor = totalNorm.add(1e-6).reciprocal().mul(maxNorm).clamp(null, 1);
  return { gradients: gradients.map((g) => g.mul(factor)), totalNorm };
}

/** Clamps every element to ±`clipValue`, as [torch.nn.utils.clip_grad_value_](https://pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_value_.html). */
export function clipGradValue(gradients: readonly Tensor[], clipValue: number): Tensor[] {
  if (!(clipValue >= 0)) fail({ op: "clipGradValue", expected: "clipValue ≥ 0", got: `${clipValue}` });
  return gradients.map((g) => g.clamp(-clipValue, clipValue));
}

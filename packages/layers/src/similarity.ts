// Lengths and angles of vectors: normalize and cosineSimilarity.

import { maximum, norm, scope, type Tensor } from "@nn/tensor";

/** Options of {@link normalize}. */
export interface NormalizeOptions {
  /** Which norm becomes 1 (default 2); `Infinity`: the greatest absolute value. */
  readonly p?: number;
  /** Along which axes the vectors lie (default 1). */
  readonly axis?: number | readonly number[];
  /** The least number to divide by (default 1e-12). */
  readonly eps?: number;
}

/**
 * Vectors divided by their norm, `x / max(‖x‖ₚ, eps)`, as
 * [torch.nn.functional.normalize](https://pytorch.org/docs/stable/generated/torch.nn.functional.normalize.html).
 *
 * @param x any shape with such an axis
 * @returns x's shape
 * @throws if there is no such axis
 * @example
 * ```ts
 * normalize(tensor([[3, 4]])); // [[0.6, 0.8]]
 * ```
 */
export function normalize(x: Tensor, { p = 2, axis = 1, eps = 1e-12 }: NormalizeOptions = {}): Tensor {
  return scope(() => x.div(maximum(norm(x, axis, { p, keepDims: true }), eps)));
}

/** Options of {@link cosineSimilarity}. */
export interface CosineSimilarityOptions {
  /** Along which axis the vectors lie (default 1). */
  readonly axis?: number;
  /** The least number to divide by (default 1e-8). */
  readonly eps?: number;
}

/**
 * The cosine of the angle between vectors, `a · b / (max(‖a‖, eps) · max(‖b‖, eps))`, as
 * [torch.nn.functional.cosine_similarity](https://pytorch.org/docs/stable/generated/torch.nn.functional.cosine_similarity.html).
 *
 * @param a any shape with such an axis
 * @param b a shape that broadcasts with a's
 * @returns their common shape without the axis
 * @throws if there is no such axis, or the shapes do not broadcast
 * @example
 * ```ts
 * cosineSimilarity(tensor([[3, 4]]), tensor([[4, 3]])); // [0.96]
 * ```
 */
export function cosineSimilarity(a: Tensor, b: Tensor, { axis = 1, eps = 1e-8 }: CosineSimilarityOptions = {}): Tensor {
  return scope(() => normalize(a, { axis, eps }).mul(normalize(b, { axis, eps })).sum(axis));
}

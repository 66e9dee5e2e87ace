// Losses of distances and angles between vectors: pairwiseDistance, tripletMargin, cosineEmbedding.

import { fail, Module, minimum, norm, relu, scope, show, type Tensor, where } from "@nn/tensor";
import { checkNumber, checkPositive } from "../check.js";
import { cosineSimilarity } from "../similarity.js";
import { checkReduction, checkSameShape, type LossOptions, reduced } from "./reduction.js";

/** Options of {@link pairwiseDistance}. */
export interface PairwiseDistanceOptions {
  /** Which norm (default 2); `Infinity`: the greatest difference. */
  readonly p?: number;
  /** Added to every difference, so that there is a gradient at 0 (default 1e-6). */
  readonly eps?: number;
  /** Whether the last axis stays, with size 1 (default false). */
  readonly keepDims?: boolean;
}

/**
 * Distance of vectors along the last axis, `‖a − b + eps‖ₚ`, as
 * [torch.nn.functional.pairwise_distance](https://pytorch.org/docs/stable/generated/torch.nn.functional.pairwise_distance.html).
 *
 * @param a (…, D)
 * @param b a shape that broadcasts with a's
 * @returns their common shape without the last axis
 * @throws if the shapes do not broadcast, or p ≤ 0
 * @example
 * ```ts
 * pairwiseDistance(tensor([[3, 4]]), tensor([[0, 0]])); // [5]
 * ```
 */
export function pairwiseDistance(
  a: Tensor,
  b: Tensor,
  { p = 2, eps = 1e-6, keepDims = false }: PairwiseDistanceOptions = {},
): Tensor {
  return scope(() => norm(a.sub(b).add(eps), -1, { p, keepDims }));
}

/** Options of {@link tripletMargin}. */
export interface TripletMarginOptions extends LossOptions {
  /** By how much the negative must be farther away (default 1). */
  readonly margin?: number;
  /** Which norm (default 2). */
  readonly p?: number;
  /** As for {@link pairwiseDistance} (default 1e-6). */
  readonly eps?: number;
  /** Whether the distance from the positive to the negative counts where it is less (default false). */
  readonly swap?: boolean;
}

/**
 * That a positive is nearer to the anchor than a negative: `max(0, d(a, p) − d(a, n) + margin)`, as
 * [torch.nn.functional.triplet_margin_loss](https://pytorch.org/docs/stable/generated/torch.nn.functional.triplet_margin_loss.html).
 *
 * @param anchor (N, D) or (D)
 * @param positive the same shape
 * @param negative the same shape
 * @returns a scalar, or with reduction "none" (N)
 * @throws if the shapes differ, or margin or p is not above 0
 * @example
 * ```ts
 * tripletMargin(embed(face), embed(samePerson), embed(another), { margin: 0.2 });
 * ```
 */
export function tripletMargin(
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  { margin = 1, p = 2, eps = 1e-6, swap = false, reduction = "mean" }: TripletMarginOptions = {},
): Tensor {
  checkReduction("tripletMargin", reduction);
  checkPositive("tripletMargin", "margin", margin);
  checkSameShape("tripletMargin", anchor, positive);
  checkSameShape("tripletMargin", anchor, negative);
  return scope(() => {
    const distance = (a: Tensor, b: Tensor) => pairwiseDistance(a, b, { p, eps });
    const away = distance(anchor, negative);
    const least = swap ? minimum(away, distance(positive, negative)) : away;
    return reduced(relu(distance(anchor, positive).sub(least).add(margin)), reduction);
  });
}

/** Options of {@link cosineEmbedding}. */
export interface CosineEmbeddingOptions extends LossOptions {
  /** Which cosine is small enough for vectors that are not alike, from −1 to 1 (default 0). */
  readonly margin?: number;
}

/**
 * Of the angle between vectors: `1 − cos` where the target is 1 (alike), `max(0, cos − margin)` where it is −1, as
 * [torch.nn.functional.cosine_embedding_loss](https://pytorch.org/docs/stable/generated/torch.nn.functional.cosine_embedding_loss.html).
 *
 * @param a (N, D) or (D)
 * @param b the same shape
 * @param target 1 or −1, (N) or a scalar; any dtype
 * @returns a scalar, or with reduction "none" the target's shape
 * @throws if the shapes do not fit, or margin is not from −1 to 1
 * @example
 * ```ts
 * cosineEmbedding(embed(question), embed(answer), fits);
 * ```
 */
export function cosineEmbedding(
  a: Tensor,
  b: Tensor,
  target: Tensor,
  { margin = 0, reduction = "mean" }: CosineEmbeddingOptions = {},
): Tensor {
  checkReduction("cosineEmbedding", reduction);
  checkCosine("cosineEmbedding", margin);
  checkSameShape("cosineEmbedding", a, b);
  const want = show(a.shape.slice(0, -1));
  if (show(target.shape) !== want) {
    fail({ op: "cosineEmbedding", expected: `a target ${want}, one per pair`, got: show(target.shape) });
  }
  return scope(() => {
    const cos = cosineSimilarity(a, b, { axis: -1 });
    return reduced(where(target.eq(1), cos.neg().add(1), relu(cos.sub(margin))), reduction);
  });
}

/**
 * {@link tripletMargin} as a module:
 * [torch.nn.TripletMarginLoss](https://pytorch.org/docs/stable/generated/torch.nn.TripletMarginLoss.html).
 *
 * @example
 * ```ts
 * new TripletMarginLoss({ swap: true }).forward(anchor, positive, negative);
 * ```
 */
export class TripletMarginLoss extends Module {
  constructor(private readonly options: TripletMarginOptions = {}) {
    super();
    checkReduction("TripletMarginLoss", options.reduction ?? "mean");
    checkPositive("TripletMarginLoss", "margin", options.margin ?? 1);
    checkPositive("TripletMarginLoss", "p", options.p ?? 2);
  }
  override forward(anchor: Tensor, positive: Tensor, negative: Tensor): Tensor {
    return tripletMargin(anchor, positive, negative, this.options);
  }
}

/**
 * {@link cosineEmbedding} as a module:
 * [torch.nn.CosineEmbeddingLoss](https://pytorch.org/docs/stable/generated/torch.nn.CosineEmbeddingLoss.html).
 *
 * @example
 * ```ts
 * new CosineEmbeddingLoss({ margin: 0.2 }).forward(a, b, alike);
 * ```
 */
export class CosineEmbeddingLoss extends Module {
  constructor(private readonly options: CosineEmbeddingOptions = {}) {
    super();
    checkReduction("CosineEmbeddingLoss", options.reduction ?? "mean");
    checkCosine("CosineEmbeddingLoss", options.margin ?? 0);
  }
  override forward(a: Tensor, b: Tensor, target: Tensor): Tensor {
    return cosineEmbedding(a, b, target, this.options);
  }
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

function checkCosine(op: string, margin: number): void {
  checkNumber(op, "margin", margin, -1);
  if (margin > 1) fail({ op, expected: "margin from -1 to 1", got: `${margin}` });
}

// Losses that are 0 beyond a margin, of targets 1 and −1: hingeEmbedding, marginRanking, softMargin.

import { logSigmoid, Module, relu, scope, type Tensor, where } from "@nn/tensor";
import { checkNumber } from "../check.js";
import { checkReduction, checkSameShape, type LossOptions, reduced } from "./reduction.js";

/** Options of {@link hingeEmbedding} and {@link marginRanking}. */
export interface MarginOptions extends LossOptions {
  /** Up to where it counts: by default 1 for hingeEmbedding, 0 for marginRanking. */
  readonly margin?: number;
}

/**
 * Of distances x: `x` where the target is 1 (alike), `max(0, margin − x)` where it is −1, as
 * [torch.nn.functional.hinge_embedding_loss](https://pytorch.org/docs/stable/generated/torch.nn.functional.hinge_embedding_loss.html).
 *
 * @param x any shape
 * @param target 1 or −1, x's shape; any dtype
 * @returns a scalar, or with reduction "none" x's shape
 * @throws if the shapes differ
 * @example
 * ```ts
 * hingeEmbedding(pairwiseDistance(a, b), alike);
 * ```
 */
export function hingeEmbedding(
  x: Tensor,
  target: Tensor,
  { margin = 1, reduction = "mean" }: MarginOptions = {},
): Tensor {
  checkReduction("hingeEmbedding", reduction);
  checkNumber("hingeEmbedding", "margin", margin);
  checkSameShape("hingeEmbedding", x, target);
  return scope(() => reduced(where(target.eq(1), x, relu(x.neg().add(margin))), reduction));
}

/**
 * Whether a ranks above b (target 1) or below (−1): `max(0, −t·(a − b) + margin)`, as
 * [torch.nn.functional.margin_ranking_loss](https://pytorch.org/docs/stable/generated/torch.nn.functional.margin_ranking_loss.html).
 *
 * @param a any shape
 * @param b a's shape
 * @param target 1 or −1, a's shape; any dtype
 * @returns a scalar, or with reduction "none" a's shape
 * @throws if the shapes differ
 * @example
 * ```ts
 * marginRanking(model.forward(better), model.forward(worse), ones([64, 1]), { margin: 0.5 });
 * ```
 */
export function marginRanking(
  a: Tensor,
  b: Tensor,
  target: Tensor,
  { margin = 0, reduction = "mean" }: MarginOptions = {},
): Tensor {
  checkReduction("marginRanking", reduction);
  checkNumber("marginRanking", "margin", margin);
  checkSameShape("marginRanking", a, b);
  checkSameShape("marginRanking", a, target);
  return scope(() => reduced(relu(target.mul(b.sub(a)).add(margin)), reduction));
}

/**
 * `log(1 + e^(−t·x))` of targets 1 and −1, as
 * [torch.nn.functional.soft_margin_loss](https://pytorch.org/docs/stable/generated/torch.nn.functional.soft_margin_loss.html);
 * without overflow. Shapes as {@link hingeEmbedding}.
 *
 * @example
 * ```ts
 * softMargin(model.forward(x), isCat.mul(2).sub(1));
 * ```
 */
export function softMargin(x: Tensor, target: Tensor, { reduction = "mean" }: LossOptions = {}): Tensor {
  checkReduction("softMargin", reduction);
  checkSameShape("softMargin", x, target);
  return scope(() => reduced(logSigmoid(x.mul(target)).neg(), reduction));
}

/**
 * {@link hingeEmbedding} as a module:
 * [torch.nn.HingeEmbeddingLoss](https://pytorch.org/docs/stable/generated/torch.nn.HingeEmbeddingLoss.html).
 *
 * @example
 * ```ts
 * new HingeEmbeddingLoss({ margin: 2 }).forward(distances, alike);
 * ```
 */
export class HingeEmbeddingLoss extends Module {
  constructor(private readonly options: MarginOptions = {}) {
    super();
    checkReduction("HingeEmbeddingLoss", options.reduction ?? "mean");
    checkNumber("HingeEmbeddingLoss", "margin", options.margin ?? 1);
  }
  override forward(x: Tensor, target: Tensor): Tensor {
    return hingeEmbedding(x, target, this.options);
  }
}

/**
 * {@link marginRanking} as a module:
 * [torch.nn.MarginRankingLoss](https://pytorch.org/docs/stable/generated/torch.nn.MarginRankingLoss.html).
 *
 * @example
 * ```ts
 * new MarginRankingLoss({ margin: 0.5 }).forward(a, b, isAbove);
 * ```
 */
export class MarginRankingLoss extends Module {
  constructor(private readonly options: MarginOptions = {}) {
    super();
    checkReduction("MarginRankingLoss", options.reduction ?? "mean");
    checkNumber("MarginRankingLoss", "margin", options.margin ?? 0);
  }
  override forward(a: Tensor, b: Tensor, target: Tensor): Tensor {
    return marginRanking(a, b, target, this.options);
  }
}

/**
 * {@link softMargin} as a module:
 * [torch.nn.SoftMarginLoss](https://pytorch.org/docs/stable/generated/torch.nn.SoftMarginLoss.html).
 *
 * @example
 * ```ts
 * new SoftMarginLoss().forward(model.forward(x), sign);
 * ```
 */
export class SoftMarginLoss extends Module {
  constructor(private readonly options: LossOptions = {}) {
    super();
    checkReduction("SoftMarginLoss", options.reduction ?? "mean");
  }
  override forward(x: Tensor, target: Tensor): Tensor {
    return softMargin(x, target, this.options);
  }
}

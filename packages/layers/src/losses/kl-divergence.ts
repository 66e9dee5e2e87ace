// Kullback–Leibler divergence.

import { eq, log, Module, scope, type Tensor, where } from "@nn/tensor";
import { checkReduction, checkSameShape, type Reduction, reduced } from "./reduction.js";

/** Options of {@link klDiv}. */
export interface KLDivOptions {
  /** Default "mean", over all elements; "batchmean" divides the sum by the size of axis 0, which is the divergence. */
  readonly reduction?: Reduction | "batchmean";
  /** Whether the target is log-probabilities, too (default false). */
  readonly logTarget?: boolean;
}

/**
 * Kullback–Leibler divergence `t · (log t − x)` of log-probabilities x from the target, as
 * [torch.nn.functional.kl_div](https://pytorch.org/docs/stable/generated/torch.nn.functional.kl_div.html).
 *
 * @param x log-probabilities, any shape
 * @param target probabilities, x's shape
 * @returns a scalar, or with reduction "none" x's shape
 * @throws if the shapes differ
 * @example
 * ```ts
 * klDiv(student.logSoftmax(1), teacher.softmax(1), { reduction: "batchmean" });
 * ```
 */
export function klDiv(x: Tensor, target: Tensor, { reduction = "mean", logTarget = false }: KLDivOptions = {}): Tensor {
  checkReduction<Reduction | "batchmean">("klDiv", reduction, "batchmean");
  checkSameShape("klDiv", x, target);
  return scope(() => {
    const losses = logTarget ? target.exp().mul(target.sub(x)) : entropy(target).sub(target.mul(x));
    return reduction === "batchmean" ? losses.sum().mul(1 / (x.shape[0] ?? 1)) : reduced(losses, reduction);
  });
}

/**
 * {@link klDiv} as a module: [torch.nn.KLDivLoss](https://pytorch.org/docs/stable/generated/torch.nn.KLDivLoss.html).
 *
 * @example
 * ```ts
 * new KLDivLoss({ reduction: "batchmean" }).forward(student.logSoftmax(1), teacher.softmax(1));
 * ```
 */
export class KLDivLoss extends Module {
  constructor(private readonly options: KLDivOptions = {}) {
    super();
    checkReduction<Reduction | "batchmean">("KLDivLoss", options.reduction ?? "mean", "batchmean");
  }
  override forward(x: Tensor, target: Tensor): Tensor {
    return klDiv(x, target, this.options);
  }
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

/** `t · log t`, which is 0 at t = 0. */
function entropy(t: Tensor): Tensor {
  const none = eq(t, 0);
  return where(none, 0, t.mul(log(where(none, 1, t))));
}

// Focal loss: cross entropy that cares less for what is already right.

import { fail, logSigmoid, Module, scope, type Tensor } from "@nn/tensor";
import { checkNumber, checkProbability } from "../check.js";
import { crossEntropy } from "./cross-entropy.js";
import { checkReduction, checkSameShape, type LossOptions, reduced } from "./reduction.js";

/** Options of {@link focal}. */
export interface FocalOptions extends LossOptions {
  /** How much less (default 2); 0 is the cross entropy. */
  readonly gamma?: number;
  /** Weight of each class, (C). */
  readonly weight?: Tensor;
}

/**
 * Focal loss over classes, `−weight_t · (1 − p_t)^gamma · log p_t` with p the softmax of the logits (Lin et al., 2017).
 * With reduction "mean" the sum is divided by the number of targets, whatever the weights.
 *
 * @param logits (C), (N, C) or (N, C, positions…)
 * @param target class numbers i32 of the logits' shape without C
 * @returns a scalar, or with reduction "none" a loss per target
 * @throws if the shapes or dtypes do not fit, or gamma < 0
 * @example
 * ```ts
 * focal(model.forward(x), labels, { gamma: 1 });
 * ```
 */
export function focal(
  logits: Tensor,
  target: Tensor,
  { gamma = 2, weight, reduction = "mean" }: FocalOptions = {},
): Tensor {
  checkReduction("focal", reduction);
  checkNumber("focal", "gamma", gamma, 0);
  if (target.dtype === "f32") {
    fail({
      op: "focal",
      expected: "class numbers of dtype i32",
      got: "a target of dtype f32",
      hint: "For probabilities per element there is sigmoidFocal.",
    });
  }
  return scope(() => {
    const plain = crossEntropy(logits, target, { reduction: "none" });
    const weighted = weight ? crossEntropy(logits, target, { reduction: "none", weight }) : plain;
    return reduced(weighted.mul(miss(plain, gamma)), reduction);
  });
}

/** Options of {@link sigmoidFocal}. */
export interface SigmoidFocalOptions extends LossOptions {
  /** How much less (default 2). */
  readonly gamma?: number;
  /** Weight of the positive answers, `1 − alpha` for the negative (default 0.25); null: none. */
  readonly alpha?: number | null;
}

/**
 * Focal loss of independent yes-or-no answers, `alpha_t · (1 − p_t)^gamma · −log p_t`, as
 * [torchvision.ops.sigmoid_focal_loss](https://pytorch.org/vision/stable/generated/torchvision.ops.sigmoid_focal_loss.html),
 * which does not reduce by default.
 *
 * @param logits any shape
 * @param target 0 or 1, the logits' shape; any dtype
 * @returns a scalar, or with reduction "none" the logits' shape
 * @throws if the shapes differ, gamma < 0, or alpha is not from 0 to 1
 * @example
 * ```ts
 * sigmoidFocal(model.forward(x), isObject, { reduction: "sum" });
 * ```
 */
export function sigmoidFocal(
  logits: Tensor,
  target: Tensor,
  { gamma = 2, alpha = 0.25, reduction = "mean" }: SigmoidFocalOptions = {},
): Tensor {
  checkReduction("sigmoidFocal", reduction);
  checkNumber("sigmoidFocal", "gamma", gamma, 0);
  if (alpha !== null) checkProbability("sigmoidFocal", "alpha", alpha);
  checkSameShape("sigmoidFocal", logits, target);
  return scope(() => {
    const t = target.cast("f32");
    const plain = t.neg().add(1).mul(logits).sub(logSigmoid(logits)); // −log p_t
    // p_t of t between 0 and 1, too: p·t + (1 − p)·(1 − t)
    const p = logits.sigmoid();
    const right = p.mul(t.mul(2).sub(1)).sub(t).add(1);
    const losses = plain.mul(right.neg().add(1).pow(gamma));
    return reduced(alpha === null ? losses : losses.mul(t.mul(2 * alpha - 1).add(1 - alpha)), reduction);
  });
}

/**
 * {@link focal} as a module.
 *
 * @example
 * ```ts
 * new FocalLoss({ gamma: 1 }).forward(model.forward(x), labels);
 * ```
 */
export class FocalLoss extends Module {
  constructor(private readonly options: FocalOptions = {}) {
    super();
    checkReduction("FocalLoss", options.reduction ?? "mean");
    checkNumber("FocalLoss", "gamma", options.gamma ?? 2, 0);
  }
  override forward(logits: Tensor, target: Tensor): Tensor {
    return focal(logits, target, this.options);
  }
}

/**
 * {@link sigmoidFocal} as a module.
 *
 * @example
 * ```ts
 * new SigmoidFocalLoss({ alpha: 0.5 }).forward(model.forward(x), isObject);
 * ```
 */
export class SigmoidFocalLoss extends Module {
  constructor(private readonly options: SigmoidFocalOptions = {}) {
    super();
    checkReduction("SigmoidFocalLoss", options.reduction ?? "mean");
    checkNumber("SigmoidFocalLoss", "gamma", options.gamma ?? 2, 0);
  }
  override forward(logits: Tensor, target: Tensor): Tensor {
    return sigmoidFocal(logits, target, this.options);
  }
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

/** `(1 − p)^gamma` from −log p. */
function miss(loss: Tensor, gamma: number): Tensor {
  return loss.neg().exp().neg().add(1).pow(gamma);
}

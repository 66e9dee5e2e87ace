// Cross entropy of logits, and the negative log likelihood of log-probabilities.

import {
  apply1,
  fail,
  gather,
  logSoftmax,
  Module,
  ne,
  scope,
  show,
  type Tensor,
  type Variable,
  where,
} from "@nn/tensor";
import { checkProbability } from "../check.js";
import { buffer } from "../parameter.js";
import { checkClasses, crossEntropyOp, lossOf } from "./cross-entropy-op.js";
import { checkReduction, type LossOptions, type Reduction, reduced } from "./reduction.js";

/** Options of {@link nllLoss}. */
export interface NLLLossOptions extends LossOptions {
  /** Weight of each class, (C). With reduction "mean" the mean is weighted, too. */
  readonly weight?: Tensor;
  /** Targets of this class count nothing (default −100). Only for class numbers. */
  readonly ignoreIndex?: number;
}

/** Options of {@link crossEntropy}. */
export interface CrossEntropyOptions extends NLLLossOptions {
  /** Share of the target that is spread over all classes (default 0). */
  readonly labelSmoothing?: number;
}

/**
 * Cross entropy of logits, as
 * [torch.nn.functional.cross_entropy](https://pytorch.org/docs/stable/generated/torch.nn.functional.cross_entropy.html).
 *
 * With reduction "mean", the sum is divided by the weights of the targets that count; for probabilities by the number
 * of targets, whatever the weights.
 *
 * @param logits (C), (N, C) or (N, C, positions…)
 * @param target class numbers i32 of the logits' shape without C, or probabilities f32 of the logits' shape
 * @returns a scalar, or with reduction "none" a loss per target
 * @throws if the shapes or dtypes do not fit, or (where the backend can tell) a class number is out of range
 * @example
 * ```ts
 * crossEntropy(model.forward(x), labels, { labelSmoothing: 0.1 });
 * ```
 */
export function crossEntropy(
  logits: Tensor,
  target: Tensor,
  { weight, ignoreIndex = -100, reduction = "mean", labelSmoothing = 0 }: CrossEntropyOptions = {},
): Tensor {
  const op = "crossEntropy";
  checkReduction(op, reduction);
  checkProbability(op, "labelSmoothing", labelSmoothing);
  const { axis, classes } = classAxis(op, logits, weight);
  const probable = target.dtype === "f32";
  if (probable) checkProbabilities(logits, target, ignoreIndex);
  return scope(() => {
    const logp = () => {
      const all = logSoftmax(logits, axis);
      return weight ? all.mul(weight.reshape(all.shape.map((_, i) => (i === axis ? -1 : 1)))) : all;
    };
    if (probable) {
      const wanted = labelSmoothing > 0 ? target.mul(1 - labelSmoothing).add(labelSmoothing / classes) : target;
      return reduced(wanted.mul(logp()).sum(axis).neg(), reduction);
    }
    const chosen = apply1(crossEntropyOp, [logits.cast("f32"), target], { axis, ignoreIndex });
    const weights = weightsOf(target, weight, ignoreIndex);
    let losses = weight ? chosen.mul(weights) : chosen;
    if (labelSmoothing > 0) {
      // The smooth part: every class with its weight, for the targets that count.
      const smooth = where(ne(target, ignoreIndex), logp().sum(axis), 0);
      losses = losses.mul(1 - labelSmoothing).sub(smooth.mul(labelSmoothing / classes));
    }
    return weightedMean(losses, weights, reduction);
  });
}

/**
 * Negative log likelihood of log-probabilities; shapes and options as {@link crossEntropy} with class numbers
 * ([torch.nn.functional.nll_loss](https://pytorch.org/docs/stable/generated/torch.nn.functional.nll_loss.html)).
 *
 * @example
 * ```ts
 * nllLoss(model.forward(x).logSoftmax(1), labels);
 * ```
 */
export function nllLoss(
  logp: Tensor,
  target: Tensor,
  { weight, ignoreIndex = -100, reduction = "mean" }: NLLLossOptions = {},
): Tensor {
  checkReduction("nllLoss", reduction);
  const { axis } = classAxis("nllLoss", logp, weight);
  checkClasses("nllLoss", logp, target, axis);
  return scope(() => {
    const losses = lossOf("nllLoss", logp, target, { axis, ignoreIndex });
    const weights = weightsOf(target, weight, ignoreIndex);
    return weightedMean(weight ? losses.mul(weights) : losses, weights, reduction);
  });
}

/**
 * {@link crossEntropy} as a module:
 * [torch.nn.CrossEntropyLoss](https://pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html).
 * State: `weight` (C), if given.
 *
 * @example
 * ```ts
 * new CrossEntropyLoss({ ignoreIndex: 0 }).forward(model.forward(x), labels);
 * ```
 */
export class CrossEntropyLoss extends Module {
  readonly weight: Variable | null;
  readonly #options: CrossEntropyOptions;

  constructor({ weight, ...options }: CrossEntropyOptions = {}) {
    super();
    checkReduction("CrossEntropyLoss", options.reduction ?? "mean");
    checkProbability("CrossEntropyLoss", "labelSmoothing", options.labelSmoothing ?? 0);
    this.weight = weight ? buffer(() => weight) : null;
    this.#options = options;
  }

  override forward(logits: Tensor, target: Tensor): Tensor {
    return crossEntropy(logits, target, this.weight ? { ...this.#options, weight: this.weight.value } : this.#options);
  }
}

/**
 * {@link nllLoss} as a module: [torch.nn.NLLLoss](https://pytorch.org/docs/stable/generated/torch.nn.NLLLoss.html).
 * State: `weight` (C), if given.
 *
 * @example
 * ```ts
 * new NLLLoss().forward(model.forward(x).logSoftmax(1), labels);
 * ```
 */
export class NLLLoss extends Module {
  readonly weight: Variable | null;
  readonly #options: NLLLossOptions;

  constructor({ weight, ...options }: NLLLossOptions = {}) {
    super();
    checkReduction("NLLLoss", options.reduction ?? "mean");
    this.weight = weight ? buffer(() => weight) : null;
    this.#options = options;
  }

  override forward(logp: Tensor, target: Tensor): Tensor {
    return nllLoss(logp, target, this.weight ? { ...this.#options, weight: this.weight.value } : this.#options);
  }
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

/** Where the classes are: axis 1, or the only one. */
function classAxis(op: string, x: Tensor, weight: Tensor | undefined): { axis: number; classes: number } {
  if (x.rank === 0) fail({ op, expected: "input (C), (N, C) or (N, C, …)", got: "a scalar" });
  const axis = x.rank === 1 ? 0 : 1;
  const classes = x.shape[axis];
  if (weight && (weight.rank !== 1 || weight.size !== classes)) {
    fail({ op, expected: `weight (${classes}), one number per class`, got: show(weight.shape) });
  }
  return { axis, classes };
}

function checkProbabilities(logits: Tensor, target: Tensor, ignoreIndex: number): void {
  const op = "crossEntropy";
  if (show(target.shape) !== show(logits.shape)) {
    const numbers = show(logits.shape.toSpliced(logits.rank === 1 ? 0 : 1, 1));
    fail({
      op,
      expected: `class numbers ${numbers} of dtype i32, or probabilities ${show(logits.shape)} of dtype f32`,
      got: `f32 ${show(target.shape)}`,
      hint: 'Convert class numbers with .cast("i32").',
    });
  }
  if (ignoreIndex >= 0) {
    fail({ op, expected: "class numbers of dtype i32 with ignoreIndex", got: "probabilities of dtype f32" });
  }
}

/** What each target weighs: 0 if it does not count. */
function weightsOf(target: Tensor, weight: Tensor | undefined, ignoreIndex: number): Tensor {
  const counts = ne(target, ignoreIndex);
  if (!weight) return counts.cast("f32");
  return where(counts, gather(weight, 0, where(counts, target, 0).flatten()).reshape(target.shape), 0);
}

function weightedMean(losses: Tensor, weights: Tensor, reduction: Reduction): Tensor {
  return reduction === "mean" ? losses.sum().div(weights.sum()) : reduced(losses, reduction);
}

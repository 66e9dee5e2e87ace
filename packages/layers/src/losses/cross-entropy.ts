// Cross entropy of logits, and the negative log likelihood of log-probabilities.

import { fail, gather, logSoftmax, Module, ne, scope, show, type Tensor, type Variable, where } from "@nn/tensor";
import { checkIntegers, checkProbability, withNumbersOf } from "../check.js";
import { buffer } from "../parameter.js";
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
    const logp = logSoftmax(logits, axis);
    const perClass = weight && alongAxis(weight, axis, logits.rank);
    if (probable) {
      const wanted = labelSmoothing > 0 ? target.mul(1 - labelSmoothing).add(labelSmoothing / classes) : target;
      const weighted = wanted.mul(logp);
      const losses = (perClass ? weighted.mul(perClass) : weighted).sum(axis).neg();
      return reduced(losses, reduction);
    }
    const { losses, weights, counts } = pick(op, logp, target, axis, perClass, ignoreIndex);
    if (labelSmoothing === 0) return weightedMean(losses, weights, reduction);
    // The smooth part: every class with its weight, for the targets that count.
    const smooth = (perClass ? logp.mul(perClass) : logp).sum(axis).neg();
    const even = where(counts, smooth.mul(labelSmoothing / classes), 0);
    return weightedMean(losses.mul(1 - labelSmoothing).add(even), weights, reduction);
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
  return scope(() => {
    const perClass = weight && alongAxis(weight, axis, logp.rank);
    const { losses, weights } = pick("nllLoss", logp, target, axis, perClass, ignoreIndex);
    return weightedMean(losses, weights, reduction);
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

function alongAxis(weight: Tensor, axis: number, rank: number): Tensor {
  return weight.reshape(Array.from({ length: rank }, (_, i) => (i === axis ? -1 : 1)));
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

/** Per target: whether it counts, its weight (0 if not), and −weight · logp of its class. */
function pick(
  op: string,
  logp: Tensor,
  target: Tensor,
  axis: number,
  perClass: Tensor | undefined,
  ignoreIndex: number,
): { losses: Tensor; weights: Tensor; counts: Tensor } {
  checkIntegers(op, "class numbers", target);
  const want = logp.shape.toSpliced(axis, 1);
  if (show(target.shape) !== show(want)) {
    fail({
      op,
      expected: `targets ${show(want)} for input ${show(logp.shape)}`,
      got: show(target.shape),
      hint: "Classes are axis 1 of the input; targets are class numbers, without that axis.",
    });
  }
  const counts = ne(target, ignoreIndex);
  const at = where(counts, target, 0).unsqueeze(axis);
  const hint = "Check the labels, or set ignoreIndex.";
  const chosen = withNumbersOf(op, "class numbers", logp.shape[axis], hint, () => gather(logp, axis, at).reshape(want));
  const given = perClass && gather(perClass.expand(logp.shape), axis, at).reshape(want);
  const weights = given ? where(counts, given, 0) : counts.cast("f32");
  // Not times 0: a target that does not count may stand before a log-probability of −∞.
  const losses = where(counts, (given ? chosen.mul(given) : chosen).neg(), 0);
  return { losses, weights, counts };
}

function weightedMean(losses: Tensor, weights: Tensor, reduction: Reduction): Tensor {
  return reduction === "mean" ? losses.sum().div(weights.sum()) : reduced(losses, reduction);
}

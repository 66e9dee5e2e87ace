// Losses, as torch.nn.functional: https://pytorch.org/docs/stable/nn.functional.html#loss-functions

import { abs, eq, fail, gather, log, logSigmoid, logSoftmax, mul, ne, NNError, show, square, type Tensor, where } from "@nn/tensor";
import { checkIntegers } from "./check.js";

/** What becomes of the losses of the elements (default "mean"). */
export type Reduction = "none" | "mean" | "sum";

export interface LossOptions {
  readonly reduction?: Reduction;
}

function reduced(x: Tensor, reduction: Reduction = "mean"): Tensor {
  if (reduction === "none") return x;
  if (reduction === "sum") return x.sum();
  if (reduction === "mean") return x.mean();
  return fail({ op: "loss", expected: 'reduction "none", "mean" or "sum"', got: `"${reduction}"` });
}

function sameShapes(op: string, x: Tensor, target: Tensor): void {
  if (show(x.shape) !== show(target.shape)) {
    fail({ op, expected: `a target of the input's shape ${show(x.shape)}`, got: show(target.shape), hint: "Broadcasting here is nearly always a mistake; reshape one of them." });
  }
}

/** `(x − t)²`. */
export function mse(x: Tensor, target: Tensor, { reduction }: LossOptions = {}): Tensor {
  sameShapes("mse", x, target);
  return reduced(square(x.sub(target)), reduction);
}

/** `|x − t|`. */
export function l1(x: Tensor, target: Tensor, { reduction }: LossOptions = {}): Tensor {
  sameShapes("l1", x, target);
  return reduced(abs(x.sub(target)), reduction);
}

/** Quadratic within ±`beta` (default 1), linear outside: `d²/(2·beta)` or `|d| − beta/2`. */
export function smoothL1(x: Tensor, target: Tensor, { reduction, beta = 1 }: LossOptions & { readonly beta?: number } = {}): Tensor {
  if (beta === 0) return l1(x, target, reduction ? { reduction } : {});
  return reduced(huber(x, target, { delta: beta, reduction: "none" }).mul(1 / beta), reduction);
}

/** Quadratic within ±`delta` (default 1), linear outside: `d²/2` or `delta·(|d| − delta/2)` (Huber, 1964). */
export function huber(x: Tensor, target: Tensor, { reduction, delta = 1 }: LossOptions & { readonly delta?: number } = {}): Tensor {
  sameShapes("huber", x, target);
  const d = abs(x.sub(target));
  return reduced(where(d.lt(delta), square(d).mul(0.5), d.sub(delta / 2).mul(delta)), reduction);
}

export interface ClassLossOptions extends LossOptions {
  /** Weight of each class, (C). With reduction "mean", the mean is weighted, too. */
  readonly weight?: Tensor;
  /** Targets of this class count nothing (default −100). Only for class numbers. */
  readonly ignoreIndex?: number;
}

/**
 * Cross entropy of logits, as [torch.nn.CrossEntropyLoss](https://pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html).
 *
 * @param logits (C), (N, C) or (N, C, positions…)
 * @param target class numbers i32 of the logits' shape without C, or probabilities f32 of the logits' shape
 * @param options.labelSmoothing share of the target that is spread over all classes (default 0)
 * @returns a scalar, or with reduction "none" a loss per target
 * @example
 * ```ts
 * crossEntropy(model.forward(x), labels, { labelSmoothing: 0.1 });
 * ```
 */
export function crossEntropy(
  logits: Tensor, target: Tensor,
  { weight, ignoreIndex = -100, reduction = "mean", labelSmoothing = 0 }: ClassLossOptions & { readonly labelSmoothing?: number } = {},
): Tensor {
  const axis = logits.rank === 1 ? 0 : 1;
  const classes = classCount("crossEntropy", logits, weight);
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) fail({ op: "crossEntropy", expected: "labelSmoothing from 0 to 1", got: `${labelSmoothing}` });
  const logp = logSoftmax(logits, axis);
  const perClass = weight?.reshape(logits.shape.map((d, i) => (i === axis ? d : 1)));
  if (target.dtype === "f32") {
    if (show(target.shape) !== show(logits.shape)) {
      fail({
        op: "crossEntropy",
        expected: `class numbers of dtype i32, or probabilities ${show(logits.shape)} of dtype f32`,
        got: `f32 ${show(target.shape)}`,
        hint: 'Convert class numbers with .cast("i32").',
      });
    }
    const wanted = labelSmoothing > 0 ? target.mul(1 - labelSmoothing).add(labelSmoothing / classes) : target;
    const weighted = wanted.mul(logp);
    const losses = (perClass ? weighted.mul(perClass) : weighted).sum(axis).neg();
    return reduction === "mean" ? losses.sum().mul(1 / Math.max(1, losses.size)) : reduced(losses, reduction);
  }
  const { losses: plain, weights } = pick("crossEntropy", logp, target, axis, perClass, ignoreIndex);
  if (labelSmoothing === 0) return weightedMean(plain, weights, reduction);
  // The smooth part: every class with its weight, for the targets that count.
  const counted = ne(target, ignoreIndex).cast("f32");
  const smooth = (perClass ? logp.mul(perClass) : logp).sum(axis).neg().mul(counted);
  const losses = plain.mul(1 - labelSmoothing).add(smooth.mul(labelSmoothing / classes));
  return weightedMean(losses, weights, reduction);
}

/**
 * Negative log likelihood of log-probabilities; shapes and options as {@link crossEntropy} with class numbers
 * ([torch.nn.NLLLoss](https://pytorch.org/docs/stable/generated/torch.nn.NLLLoss.html)).
 */
export function nllLoss(logp: Tensor, target: Tensor, { weight, ignoreIndex = -100, reduction = "mean" }: ClassLossOptions = {}): Tensor {
  const axis = logp.rank === 1 ? 0 : 1;
  classCount("nllLoss", logp, weight);
  const perClass = weight?.reshape(logp.shape.map((d, i) => (i === axis ? d : 1)));
  const { losses, weights } = pick("nllLoss", logp, target, axis, perClass, ignoreIndex);
  return weightedMean(losses, weights, reduction);
}

function classCount(op: string, x: Tensor, weight: Tensor | undefined): number {
  if (x.rank === 0) fail({ op, expected: "input (C), (N, C) or (N, C, …)", got: "a scalar" });
  const classes = x.shape[x.rank === 1 ? 0 : 1]!;
  if (weight && (weight.rank !== 1 || weight.size !== classes)) fail({ op, expected: `weight (${classes})`, got: show(weight.shape) });
  return classes;
}

/** Per target: its weight (0 where ignored), and −weight · logp of its class. */
function pick(op: string, logp: Tensor, target: Tensor, axis: number, perClass: Tensor | undefined, ignoreIndex: number) {
  checkIntegers(op, "targets", target);
  const want = logp.shape.toSpliced(axis, 1);
  if (show(target.shape) !== show(want)) {
    fail({ op, expected: `targets ${show(want)} for input ${show(logp.shape)}`, got: show(target.shape), hint: "Classes are axis 1 of the input." });
  }
  const counts = ne(target, ignoreIndex);
  const safe = where(counts, target, 0).unsqueeze(axis);
  const chosen = inClasses(op, logp.shape[axis]!, () => gather(logp, axis, safe).reshape(want));
  const ones = counts.cast("f32");
  const weights = perClass ? gather(perClass.expand(logp.shape), axis, safe).reshape(want).mul(ones) : ones;
  return { losses: mul(chosen, weights).neg(), weights };
}

/** Says "class" where gather says "index". */
function inClasses(op: string, classes: number, body: () => Tensor): Tensor {
  try {
    return body();
  } catch (e) {
    if (e instanceof NNError && e.op === "gather") {
      fail({ op, expected: `class numbers from 0 to ${classes - 1}`, got: e.got, hint: "Check the labels, or set ignoreIndex." });
    }
    throw e;
  }
}

function weightedMean(losses: Tensor, weights: Tensor, reduction: Reduction): Tensor {
  return reduction === "mean" ? losses.sum().div(weights.sum()) : reduced(losses, reduction);
}

/** Binary cross entropy of probabilities; logarithms are bounded below by −100, as PyTorch's are. */
export function binaryCrossEntropy(p: Tensor, target: Tensor, { weight, reduction }: LossOptions & { readonly weight?: Tensor } = {}): Tensor {
  sameShapes("binaryCrossEntropy", p, target);
  const t = target.cast("f32");
  const losses = t.mul(log(p).clamp(-100, null)).add(t.neg().add(1).mul(log(p.neg().add(1)).clamp(-100, null))).neg();
  return reduced(weight ? losses.mul(weight) : losses, reduction);
}

/** Binary cross entropy of logits, without overflow; `posWeight` weighs the positive class. */
export function binaryCrossEntropyWithLogits(
  logits: Tensor, target: Tensor,
  { weight, posWeight, reduction }: LossOptions & { readonly weight?: Tensor; readonly posWeight?: Tensor } = {},
): Tensor {
  sameShapes("binaryCrossEntropyWithLogits", logits, target);
  const t = target.cast("f32");
  const negative = t.neg().add(1).mul(logits);
  const pull = posWeight ? t.mul(posWeight.sub(1)).add(1) : undefined;
  const slope = logSigmoid(logits).neg();
  const losses = negative.add(pull ? slope.mul(pull) : slope);
  return reduced(weight ? losses.mul(weight) : losses, reduction);
}

/** Kullback–Leibler divergence from log-probabilities `x` to the target (log-probabilities with `logTarget`). "batchmean" divides by N. */
export function klDiv(
  x: Tensor, target: Tensor,
  { reduction = "mean", logTarget = false }: { readonly reduction?: Reduction | "batchmean"; readonly logTarget?: boolean } = {},
): Tensor {
  sameShapes("klDiv", x, target);
  // t · log t is 0 at t = 0.
  const losses = logTarget
    ? target.exp().mul(target.sub(x))
    : where(eq(target, 0), 0, target.mul(log(where(eq(target, 0), 1, target)))).sub(target.mul(x));
  return reduction === "batchmean" ? losses.sum().mul(1 / (x.shape[0] ?? 1)) : reduced(losses, reduction);
}

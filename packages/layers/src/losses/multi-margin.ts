// Margins between the scores of classes: multiMargin, multiLabelMargin, multiLabelSoftMargin.

import {
  arange,
  cumsum,
  fail,
  gather,
  logSigmoid,
  Module,
  oneHot,
  relu,
  scope,
  show,
  square,
  type Tensor,
  type Variable,
  where,
} from "@nn/tensor";
import { checkIntegers, checkNumber, withNumbersOf } from "../check.js";
import { buffer } from "../parameter.js";
import { checkReduction, checkSameShape, type LossOptions, reduced } from "./reduction.js";

/** Options of {@link multiMargin}. */
export interface MultiMarginOptions extends LossOptions {
  /** 1 (the default) for the hinge, 2 for its square. */
  readonly p?: 1 | 2;
  /** By how much the right class must be ahead (default 1). */
  readonly margin?: number;
  /** Weight of each class, (C). */
  readonly weight?: Tensor;
}

/**
 * That the right class is ahead of all others: `Σ max(0, margin − x_t + x_i)ᵖ / C` over the classes i ≠ t, as
 * [torch.nn.functional.multi_margin_loss](https://pytorch.org/docs/stable/generated/torch.nn.functional.multi_margin_loss.html).
 *
 * @param x scores (N, C) or (C)
 * @param target class numbers i32 (N) or a scalar
 * @returns a scalar, or with reduction "none" the target's shape
 * @throws if the shapes or dtypes do not fit, or p is neither 1 nor 2
 * @example
 * ```ts
 * multiMargin(model.forward(x), labels);
 * ```
 */
export function multiMargin(
  x: Tensor,
  target: Tensor,
  { p = 1, margin = 1, weight, reduction = "mean" }: MultiMarginOptions = {},
): Tensor {
  const op = "multiMargin";
  checkReduction(op, reduction);
  checkPower(op, p);
  checkNumber(op, "margin", margin);
  const classes = checkScores(op, x, weight);
  checkIntegers(op, "class numbers", target);
  const want = x.shape.slice(0, -1);
  if (show(target.shape) !== show(want)) {
    fail({ op, expected: `class numbers ${show(want)} for scores ${show(x.shape)}`, got: show(target.shape) });
  }
  return scope(() => {
    const at = target.unsqueeze(-1);
    const right = withNumbersOf(op, "class numbers", classes, "Check the labels.", () => gather(x, -1, at));
    const behind = relu(x.sub(right).add(margin));
    const others = where(arange(classes).eq(at), 0, p === 2 ? square(behind) : behind);
    const losses = others.sum(-1).mul(1 / classes);
    const own = weight && gather(weight.expand(x.shape), -1, at).reshape(want);
    return reduced(own ? losses.mul(own) : losses, reduction);
  });
}

/**
 * That every class that applies is ahead of every other by 1: `Σ max(0, 1 − x_j + x_i) / C` over such pairs, as
 * [torch.nn.functional.multilabel_margin_loss](https://pytorch.org/docs/stable/generated/torch.nn.functional.multilabel_margin_loss.html).
 *
 * @param x scores (N, C) or (C)
 * @param target x's shape, i32: the numbers of the classes that apply, then −1 to the end
 * @returns a scalar, or with reduction "none" (N)
 * @throws if the shapes or dtypes do not fit
 * @example
 * ```ts
 * multiLabelMargin(model.forward(x), tensor([[3, 0, -1, -1]], { dtype: "i32" }));
 * ```
 */
export function multiLabelMargin(x: Tensor, target: Tensor, { reduction = "mean" }: LossOptions = {}): Tensor {
  const op = "multiLabelMargin";
  checkReduction(op, reduction);
  const classes = checkScores(op, x);
  checkIntegers(op, "class numbers", target);
  checkSameShape(op, x, target);
  return scope(() => {
    const counts = cumsum(target.lt(0), -1).eq(0); // what stands behind a −1 does not count
    const at = where(counts, target, 0);
    const right = withNumbersOf(op, "class numbers", classes, "Check the labels.", () => gather(x, -1, at));
    const applies = where(counts, at, -1);
    const other = oneHot(applies, classes).sum(-2, { keepDims: true }).eq(0);
    const behind = relu(x.unsqueeze(-2).sub(right.unsqueeze(-1)).add(1));
    const losses = where(counts.unsqueeze(-1).logicalAnd(other), behind, 0)
      .sum([-2, -1])
      .mul(1 / classes);
    return reduced(losses, reduction);
  });
}

/** Options of {@link multiLabelSoftMargin}. */
export interface MultiLabelSoftMarginOptions extends LossOptions {
  /** Weight of each class, (C). */
  readonly weight?: Tensor;
}

/**
 * Binary cross entropy of logits, averaged over the classes, as
 * [torch.nn.functional.multilabel_soft_margin_loss](https://pytorch.org/docs/stable/generated/torch.nn.functional.multilabel_soft_margin_loss.html).
 *
 * @param x logits (N, C) or (C)
 * @param target 0 or 1, x's shape; any dtype
 * @returns a scalar, or with reduction "none" (N)
 * @throws if the shapes do not fit
 * @example
 * ```ts
 * multiLabelSoftMargin(model.forward(x), applies);
 * ```
 */
export function multiLabelSoftMargin(
  x: Tensor,
  target: Tensor,
  { weight, reduction = "mean" }: MultiLabelSoftMarginOptions = {},
): Tensor {
  const op = "multiLabelSoftMargin";
  checkReduction(op, reduction);
  checkScores(op, x, weight);
  checkSameShape(op, x, target);
  return scope(() => {
    // −t·log σ(x) − (1 − t)·log σ(−x)
    const losses = target.cast("f32").neg().add(1).mul(x).sub(logSigmoid(x));
    return reduced((weight ? losses.mul(weight) : losses).mean(-1), reduction);
  });
}

/**
 * {@link multiMargin} as a module:
 * [torch.nn.MultiMarginLoss](https://pytorch.org/docs/stable/generated/torch.nn.MultiMarginLoss.html).
 * State: `weight` (C), if given.
 *
 * @example
 * ```ts
 * new MultiMarginLoss({ p: 2 }).forward(model.forward(x), labels);
 * ```
 */
export class MultiMarginLoss extends Module {
  readonly weight: Variable | null;
  readonly #options: MultiMarginOptions;

  constructor({ weight, ...options }: MultiMarginOptions = {}) {
    super();
    checkReduction("MultiMarginLoss", options.reduction ?? "mean");
    checkPower("MultiMarginLoss", options.p ?? 1);
    this.weight = weight ? buffer(() => weight) : null;
    this.#options = options;
  }
  override forward(x: Tensor, target: Tensor): Tensor {
    return multiMargin(x, target, this.weight ? { ...this.#options, weight: this.weight.value } : this.#options);
  }
}

/**
 * {@link multiLabelMargin} as a module:
 * [torch.nn.MultiLabelMarginLoss](https://pytorch.org/docs/stable/generated/torch.nn.MultiLabelMarginLoss.html).
 *
 * @example
 * ```ts
 * new MultiLabelMarginLoss().forward(model.forward(x), classes);
 * ```
 */
export class MultiLabelMarginLoss extends Module {
  constructor(private readonly options: LossOptions = {}) {
    super();
    checkReduction("MultiLabelMarginLoss", options.reduction ?? "mean");
  }
  override forward(x: Tensor, target: Tensor): Tensor {
    return multiLabelMargin(x, target, this.options);
  }
}

/**
 * {@link multiLabelSoftMargin} as a module:
 * [torch.nn.MultiLabelSoftMarginLoss](https://pytorch.org/docs/stable/generated/torch.nn.MultiLabelSoftMarginLoss.html).
 * State: `weight` (C), if given.
 *
 * @example
 * ```ts
 * new MultiLabelSoftMarginLoss().forward(model.forward(x), applies);
 * ```
 */
export class MultiLabelSoftMarginLoss extends Module {
  readonly weight: Variable | null;
  readonly #options: LossOptions;

  constructor({ weight, ...options }: MultiLabelSoftMarginOptions = {}) {
    super();
    checkReduction("MultiLabelSoftMarginLoss", options.reduction ?? "mean");
    this.weight = weight ? buffer(() => weight) : null;
    this.#options = options;
  }
  override forward(x: Tensor, target: Tensor): Tensor {
    const { weight } = this;
    return multiLabelSoftMargin(x, target, weight ? { ...this.#options, weight: weight.value } : this.#options);
  }
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

/** Scores (N, C) or (C): the number of classes. */
function checkScores(op: string, x: Tensor, weight?: Tensor): number {
  const classes = x.shape.at(-1);
  if (classes === undefined || x.rank > 2) return fail({ op, expected: "scores (N, C) or (C)", got: show(x.shape) });
  if (weight && (weight.rank !== 1 || weight.size !== classes)) {
    fail({ op, expected: `weight (${classes}), one number per class`, got: show(weight.shape) });
  }
  return classes;
}

function checkPower(op: string, p: number): void {
  if (p !== 1 && p !== 2) fail({ op, expected: "p to be 1 or 2", got: `${p}` });
}

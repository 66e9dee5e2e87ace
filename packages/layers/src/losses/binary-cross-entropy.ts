// Binary cross entropy, of probabilities and of logits.

import {
  apply1,
  defineOp,
  type Expr,
  expr,
  logSigmoid,
  Module,
  type OpDef,
  scope,
  type Tensor,
  type Variable,
} from "@nn/tensor";
import { buffer } from "../parameter.js";
import { checkReduction, checkSameShape, type LossOptions, reduced } from "./reduction.js";

/** Options of {@link binaryCrossEntropy}. */
export interface BinaryCrossEntropyOptions extends LossOptions {
  /** Weight of each element; broadcasts to the input's shape. */
  readonly weight?: Tensor;
}

/** Options of {@link binaryCrossEntropyWithLogits}. */
export interface BinaryCrossEntropyWithLogitsOptions extends BinaryCrossEntropyOptions {
  /** Weight of the positive answers; broadcasts to the input's shape, e.g. (C): one per class. */
  readonly posWeight?: Tensor;
}

/**
 * Binary cross entropy of probabilities, `−t·log p − (1 − t)·log(1 − p)`, as
 * [torch.nn.functional.binary_cross_entropy](https://pytorch.org/docs/stable/generated/torch.nn.functional.binary_cross_entropy.html):
 * logarithms are at least −100. Prefer {@link binaryCrossEntropyWithLogits}, which loses no accuracy near 0 and 1.
 *
 * @param p probabilities from 0 to 1, any shape
 * @param target from 0 to 1, p's shape; any dtype
 * @returns a scalar, or with reduction "none" p's shape
 * @throws if the shapes differ
 * @example
 * ```ts
 * binaryCrossEntropy(model.forward(x).sigmoid(), isCat);
 * ```
 */
export function binaryCrossEntropy(
  p: Tensor,
  target: Tensor,
  { weight, reduction = "mean" }: BinaryCrossEntropyOptions = {},
): Tensor {
  checkReduction("binaryCrossEntropy", reduction);
  checkSameShape("binaryCrossEntropy", p, target);
  return scope(() => {
    const losses = apply1(binaryCrossEntropyOp, [p.cast("f32"), target.cast("f32")], {});
    return reduced(weight ? losses.mul(weight) : losses, reduction);
  });
}

/**
 * Binary cross entropy of logits, without overflow, as
 * [torch.nn.functional.binary_cross_entropy_with_logits](https://pytorch.org/docs/stable/generated/torch.nn.functional.binary_cross_entropy_with_logits.html);
 * shapes as {@link binaryCrossEntropy}.
 *
 * @example
 * ```ts
 * binaryCrossEntropyWithLogits(model.forward(x), isCat, { posWeight: tensor([3]) });
 * ```
 */
export function binaryCrossEntropyWithLogits(
  logits: Tensor,
  target: Tensor,
  { weight, posWeight, reduction = "mean" }: BinaryCrossEntropyWithLogitsOptions = {},
): Tensor {
  checkReduction("binaryCrossEntropyWithLogits", reduction);
  checkSameShape("binaryCrossEntropyWithLogits", logits, target);
  return scope(() => {
    const t = target.cast("f32");
    // (1 − t)·x + (1 + (posWeight − 1)·t) · softplus(−x)
    const slope = logSigmoid(logits).neg();
    const positive = posWeight ? slope.mul(t.mul(posWeight.sub(1)).add(1)) : slope;
    const losses = t.neg().add(1).mul(logits).add(positive);
    return reduced(weight ? losses.mul(weight) : losses, reduction);
  });
}

/**
 * {@link binaryCrossEntropy} as a module: [torch.nn.BCELoss](https://pytorch.org/docs/stable/generated/torch.nn.BCELoss.html).
 * State: `weight`, if given.
 *
 * @example
 * ```ts
 * new BCELoss().forward(model.forward(x).sigmoid(), isCat);
 * ```
 */
export class BCELoss extends Module {
  readonly weight: Variable | null;
  readonly #options: LossOptions;

  constructor({ weight, ...options }: BinaryCrossEntropyOptions = {}) {
    super();
    checkReduction("BCELoss", options.reduction ?? "mean");
    this.weight = weight ? buffer(() => weight) : null;
    this.#options = options;
  }

  override forward(p: Tensor, target: Tensor): Tensor {
    return binaryCrossEntropy(p, target, this.weight ? { ...this.#options, weight: this.weight.value } : this.#options);
  }
}

/**
 * {@link binaryCrossEntropyWithLogits} as a module:
 * [torch.nn.BCEWithLogitsLoss](https://pytorch.org/docs/stable/generated/torch.nn.BCEWithLogitsLoss.html).
 * State: `weight` and `pos_weight`, if given.
 *
 * @example
 * ```ts
 * new BCEWithLogitsLoss({ posWeight: tensor([3]) }).forward(model.forward(x), isCat);
 * ```
 */
export class BCEWithLogitsLoss extends Module {
  readonly weight: Variable | null;
  readonly pos_weight: Variable | null;
  readonly #options: LossOptions;

  constructor({ weight, posWeight, ...options }: BinaryCrossEntropyWithLogitsOptions = {}) {
    super();
    checkReduction("BCEWithLogitsLoss", options.reduction ?? "mean");
    this.weight = weight ? buffer(() => weight) : null;
    this.pos_weight = posWeight ? buffer(() => posWeight) : null;
    this.#options = options;
  }

  override forward(logits: Tensor, target: Tensor): Tensor {
    return binaryCrossEntropyWithLogits(logits, target, {
      ...this.#options,
      ...(this.weight ? { weight: this.weight.value } : {}),
      ...(this.pos_weight ? { posWeight: this.pos_weight.value } : {}),
    });
  }
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

/** log p and log(1 − p), at least −100. */
const logs = (p: Expr) =>
  [expr.call("log", p), expr.call("log1p", expr.call("neg", p))].map((log) =>
    expr.call("max", log, expr.num(-100)),
  ) as [Expr, Expr];

/**
 * An op for its gradient at 0 and 1, where the formula's own would be infinite or lose the sign: PyTorch's is
 * `(p − t) / max(p·(1 − p), 1e-12)`.
 */
const binaryCrossEntropyOp: OpDef<object> = /* @__PURE__ */ defineOp({
  name: "layers/binaryCrossEntropy",
  infer: ([p]) => [p],
  expr([p, t]) {
    const [yes, no] = logs(p);
    return expr.call(
      "neg",
      expr.call("add", expr.call("mul", t, yes), expr.call("mul", expr.call("sub", expr.num(1), t), no)),
    );
  },
  vjp([ct], { ins: [p, t], needs }) {
    const slope = () => p.sub(t).div(p.mul(p.neg().add(1)).clamp(1e-12, null));
    return [needs[0] ? ct!.mul(slope()) : null, needs[1] ? ct!.mul(apply1(logOddsOp, [p], {})).neg() : null];
  },
});

/** log p − log(1 − p), of the bounded logarithms: the gradient in −t. */
const logOddsOp: OpDef<object> = /* @__PURE__ */ defineOp({
  name: "layers/logOdds",
  infer: ([p]) => [p],
  expr([p]) {
    const [yes, no] = logs(p);
    return expr.call("sub", yes, no);
  },
});

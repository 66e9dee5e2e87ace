// Losses of the difference between two tensors: mse, l1, smoothL1, huber.

import { abs, Module, scope, square, type Tensor, where } from "@nn/tensor";
import { checkNumber, checkPositive } from "../check.js";
import { checkReduction, checkSameShape, type LossOptions, reduced } from "./reduction.js";

/**
 * Mean squared error, `(x − t)²`, as
 * [torch.nn.functional.mse_loss](https://pytorch.org/docs/stable/generated/torch.nn.functional.mse_loss.html).
 *
 * @param x any shape
 * @param target x's shape
 * @returns a scalar, or with reduction "none" x's shape
 * @throws if the shapes differ
 * @example
 * ```ts
 * mse(model.forward(x), y);
 * ```
 */
export function mse(x: Tensor, target: Tensor, { reduction = "mean" }: LossOptions = {}): Tensor {
  checkReduction("mse", reduction);
  checkSameShape("mse", x, target);
  return scope(() => reduced(square(x.sub(target)), reduction));
}

/**
 * Absolute error, `|x − t|`, as
 * [torch.nn.functional.l1_loss](https://pytorch.org/docs/stable/generated/torch.nn.functional.l1_loss.html); shapes as
 * {@link mse}.
 *
 * @example
 * ```ts
 * l1(model.forward(x), y, { reduction: "sum" });
 * ```
 */
export function l1(x: Tensor, target: Tensor, { reduction = "mean" }: LossOptions = {}): Tensor {
  checkReduction("l1", reduction);
  checkSameShape("l1", x, target);
  return scope(() => reduced(abs(x.sub(target)), reduction));
}

/** Options of {@link smoothL1}. */
export interface SmoothL1Options extends LossOptions {
  /** Where the quadratic part ends (default 1); 0 is {@link l1}. */
  readonly beta?: number;
}

/**
 * Quadratic within ±`beta`, linear outside: `d² / (2·beta)` or `|d| − beta/2`, as
 * [torch.nn.functional.smooth_l1_loss](https://pytorch.org/docs/stable/generated/torch.nn.functional.smooth_l1_loss.html);
 * shapes as {@link mse}.
 *
 * @example
 * ```ts
 * smoothL1(boxes, wanted, { beta: 0.1 });
 * ```
 */
export function smoothL1(x: Tensor, target: Tensor, { reduction = "mean", beta = 1 }: SmoothL1Options = {}): Tensor {
  checkReduction("smoothL1", reduction);
  checkNumber("smoothL1", "beta", beta, 0);
  checkSameShape("smoothL1", x, target);
  if (beta === 0) return l1(x, target, { reduction });
  return scope(() => reduced(quadraticThenLinear(x.sub(target), beta).mul(1 / beta), reduction));
}

/** Options of {@link huber}. */
export interface HuberOptions extends LossOptions {
  /** Where the quadratic part ends (default 1). */
  readonly delta?: number;
}

/**
 * Quadratic within ±`delta`, linear outside: `d²/2` or `delta · (|d| − delta/2)` (Huber, 1964), as
 * [torch.nn.functional.huber_loss](https://pytorch.org/docs/stable/generated/torch.nn.functional.huber_loss.html); shapes
 * as {@link mse}.
 *
 * @example
 * ```ts
 * huber(model.forward(x), y, { delta: 2 });
 * ```
 */
export function huber(x: Tensor, target: Tensor, { reduction = "mean", delta = 1 }: HuberOptions = {}): Tensor {
  checkReduction("huber", reduction);
  checkPositive("huber", "delta", delta);
  checkSameShape("huber", x, target);
  return scope(() => reduced(quadraticThenLinear(x.sub(target), delta), reduction));
}

/**
 * {@link mse} as a module: [torch.nn.MSELoss](https://pytorch.org/docs/stable/generated/torch.nn.MSELoss.html).
 *
 * @example
 * ```ts
 * new MSELoss().forward(model.forward(x), y);
 * ```
 */
export class MSELoss extends Module {
  constructor(private readonly options: LossOptions = {}) {
    super();
    checkReduction("MSELoss", options.reduction ?? "mean");
  }
  override forward(x: Tensor, target: Tensor): Tensor {
    return mse(x, target, this.options);
  }
}

/**
 * {@link l1} as a module: [torch.nn.L1Loss](https://pytorch.org/docs/stable/generated/torch.nn.L1Loss.html).
 *
 * @example
 * ```ts
 * new L1Loss({ reduction: "sum" }).forward(model.forward(x), y);
 * ```
 */
export class L1Loss extends Module {
  constructor(private readonly options: LossOptions = {}) {
    super();
    checkReduction("L1Loss", options.reduction ?? "mean");
  }
  override forward(x: Tensor, target: Tensor): Tensor {
    return l1(x, target, this.options);
  }
}

/**
 * {@link smoothL1} as a module: [torch.nn.SmoothL1Loss](https://pytorch.org/docs/stable/generated/torch.nn.SmoothL1Loss.html).
 *
 * @example
 * ```ts
 * new SmoothL1Loss({ beta: 0.1 }).forward(boxes, wanted);
 * ```
 */
export class SmoothL1Loss extends Module {
  constructor(private readonly options: SmoothL1Options = {}) {
    super();
    checkReduction("SmoothL1Loss", options.reduction ?? "mean");
    checkNumber("SmoothL1Loss", "beta", options.beta ?? 1, 0);
  }
  override forward(x: Tensor, target: Tensor): Tensor {
    return smoothL1(x, target, this.options);
  }
}

/**
 * {@link huber} as a module: [torch.nn.HuberLoss](https://pytorch.org/docs/stable/generated/torch.nn.HuberLoss.html).
 *
 * @example
 * ```ts
 * new HuberLoss({ delta: 2 }).forward(model.forward(x), y);
 * ```
 */
export class HuberLoss extends Module {
  constructor(private readonly options: HuberOptions = {}) {
    super();
    checkReduction("HuberLoss", options.reduction ?? "mean");
    checkPositive("HuberLoss", "delta", options.delta ?? 1);
  }
  override forward(x: Tensor, target: Tensor): Tensor {
    return huber(x, target, this.options);
  }
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

/** `d²/2` within ±`bound`, `bound · (|d| − bound/2)` outside. */
function quadraticThenLinear(difference: Tensor, bound: number): Tensor {
  const d = abs(difference);
  return where(d.lt(bound), square(d).mul(0.5), d.sub(bound / 2).mul(bound));
}

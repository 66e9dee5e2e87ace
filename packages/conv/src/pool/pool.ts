// Pooling as functions and layers.

import { apply1, fail, Module, show, type Tensor } from "@nn/tensor";
import { perAxis, type Size } from "../sizes.js";
import { avgPoolOp, maxPoolOp, type PoolAttrs } from "./op.js";

export interface PoolOptions {
  /** Default: the kernel size, so that windows do not overlap. */
  readonly stride?: Size;
  /** Before and after each axis alike, at most half the kernel (default 0). */
  readonly padding?: Size;
  /** Round the output size up instead of down (default false). */
  readonly ceilMode?: boolean;
}

export interface MaxPoolOptions extends PoolOptions {
  /** Distance of the window's elements (default 1). */
  readonly dilation?: Size;
}

export interface AvgPoolOptions extends PoolOptions {
  /** Whether padding counts in the mean (default true). */
  readonly countIncludePad?: boolean;
  /** Divide by this instead of the window's size. */
  readonly divisorOverride?: number;
}

function attrsOf(op: string, axes: number, kernelSize: Size, { stride, padding = 0, dilation = 1, ceilMode = false }: MaxPoolOptions): PoolAttrs {
  const kernel = perAxis(op, "kernelSize", kernelSize, axes);
  const pads = perAxis(op, "padding", padding, axes, 0);
  if (pads.some((p, i) => p > kernel[i]! / 2)) fail({ op, expected: "padding of at most half the kernel size", got: `padding ${show(pads)} for ${show(kernel)}` });
  return { kernel, stride: perAxis(op, "stride", stride ?? kernelSize, axes), padding: pads, dilation: perAxis(op, "dilation", dilation, axes), ceilMode };
}

/** Runs on (N, C, S…); a single sample may leave out N. */
function batched(x: Tensor, axes: number, f: (x: Tensor) => Tensor): Tensor {
  return x.rank === axes + 1 ? f(x.unsqueeze(0)).squeeze(0) : f(x);
}

/**
 * Greatest element of each window, over as many spatial axes as `kernelSize` has numbers
 * ([torch.nn.functional.max_pool2d](https://pytorch.org/docs/stable/generated/torch.nn.functional.max_pool2d.html)). The
 * gradient goes to the first of equals.
 *
 * @param x (N, C, S…) or (C, S…)
 * @example
 * ```ts
 * maxPool(randn([8, 16, 28, 28]), [2, 2]).shape; // [8, 16, 14, 14]
 * ```
 */
export function maxPool(x: Tensor, kernelSize: readonly number[], options: MaxPoolOptions = {}): Tensor {
  const attrs = attrsOf("maxPool", kernelSize.length, kernelSize, options);
  return batched(x, kernelSize.length, (t) => apply1(maxPoolOp, [t], attrs));
}

/** Mean of each window ([torch.nn.functional.avg_pool2d](https://pytorch.org/docs/stable/generated/torch.nn.functional.avg_pool2d.html)); otherwise as {@link maxPool}. */
export function avgPool(x: Tensor, kernelSize: readonly number[], { countIncludePad = true, divisorOverride = 0, ...options }: AvgPoolOptions = {}): Tensor {
  const attrs = attrsOf("avgPool", kernelSize.length, kernelSize, options);
  return batched(x, kernelSize.length, (t) => apply1(avgPoolOp, [t], { ...attrs, countIncludePad, divisorOverride }));
}

abstract class MaxPool extends Module {
  readonly kernelSize: readonly number[];
  protected constructor(axes: number, kernelSize: Size, readonly options: MaxPoolOptions) {
    super();
    this.kernelSize = perAxis(this.constructor.name, "kernelSize", kernelSize, axes);
    attrsOf(this.constructor.name, axes, kernelSize, options);
  }
  override forward(x: Tensor): Tensor {
    return maxPool(x, this.kernelSize, this.options);
  }
}

abstract class AvgPool extends Module {
  readonly kernelSize: readonly number[];
  protected constructor(axes: number, kernelSize: Size, readonly options: AvgPoolOptions) {
    super();
    this.kernelSize = perAxis(this.constructor.name, "kernelSize", kernelSize, axes);
    attrsOf(this.constructor.name, axes, kernelSize, options);
  }
  override forward(x: Tensor): Tensor {
    return avgPool(x, this.kernelSize, this.options);
  }
}

/** {@link maxPool} over (N, C, L): [torch.nn.MaxPool1d](https://pytorch.org/docs/stable/generated/torch.nn.MaxPool1d.html). */
export class MaxPool1d extends MaxPool {
  constructor(kernelSize: Size, options: MaxPoolOptions = {}) {
    super(1, kernelSize, options);
  }
}

/** {@link maxPool} over (N, C, H, W): [torch.nn.MaxPool2d](https://pytorch.org/docs/stable/generated/torch.nn.MaxPool2d.html). */
export class MaxPool2d extends MaxPool {
  constructor(kernelSize: Size, options: MaxPoolOptions = {}) {
    super(2, kernelSize, options);
  }
}

/** {@link maxPool} over (N, C, D, H, W): [torch.nn.MaxPool3d](https://pytorch.org/docs/stable/generated/torch.nn.MaxPool3d.html). */
export class MaxPool3d extends MaxPool {
  constructor(kernelSize: Size, options: MaxPoolOptions = {}) {
    super(3, kernelSize, options);
  }
}

/** {@link avgPool} over (N, C, L): [torch.nn.AvgPool1d](https://pytorch.org/docs/stable/generated/torch.nn.AvgPool1d.html). */
export class AvgPool1d extends AvgPool {
  constructor(kernelSize: Size, options: AvgPoolOptions = {}) {
    super(1, kernelSize, options);
  }
}

/** {@link avgPool} over (N, C, H, W): [torch.nn.AvgPool2d](https://pytorch.org/docs/stable/generated/torch.nn.AvgPool2d.html). */
export class AvgPool2d extends AvgPool {
  constructor(kernelSize: Size, options: AvgPoolOptions = {}) {
    super(2, kernelSize, options);
  }
}

/** {@link avgPool} over (N, C, D, H, W): [torch.nn.AvgPool3d](https://pytorch.org/docs/stable/generated/torch.nn.AvgPool3d.html). */
export class AvgPool3d extends AvgPool {
  constructor(kernelSize: Size, options: AvgPoolOptions = {}) {
    super(3, kernelSize, options);
  }
}

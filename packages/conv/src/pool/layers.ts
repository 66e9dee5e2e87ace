// MaxPool1d … AvgPool3d: options around maxPool() and avgPool().

import { Module, type Tensor } from "@nn/tensor";
import type { Size } from "../spatial.js";
import { type AvgPoolOptions, avgPool } from "./avg-pool.js";
import { type MaxPoolOptions, maxPool, maxPoolWithIndices } from "./max-pool.js";
import { poolWindows } from "./windows.js";

/** What MaxPool1d, MaxPool2d and MaxPool3d have in common. */
export abstract class MaxPoolNd extends Module {
  readonly kernelSize: readonly number[];
  readonly options: MaxPoolOptions;

  protected constructor(axes: number, kernelSize: Size, options: MaxPoolOptions) {
    super();
    this.kernelSize = poolWindows(this.constructor.name, kernelSize, options, axes).kernelSize;
    this.options = { ...options };
  }

  /**
   * @param x (N, C, …spatial), or (C, …spatial) without a batch
   * @returns the greatest element of each window; see {@link maxPool}
   */
  forward(x: Tensor): Tensor {
    return maxPool(x, this.kernelSize, this.options);
  }

  /** {@link forward} and where the maxima are: see {@link maxPoolWithIndices}. PyTorch's `return_indices`. */
  forwardWithIndices(x: Tensor): { values: Tensor; indices: Tensor } {
    return maxPoolWithIndices(x, this.kernelSize, this.options);
  }
}

/**
 * Max-pooling over one axis.
 * As [torch.nn.MaxPool1d](https://pytorch.org/docs/stable/generated/torch.nn.MaxPool1d.html).
 *
 * @example
 * ```ts
 * new MaxPool1d(3, { stride: 2 }).forward(zeros([2, 4, 11])).shape; // [2, 4, 5]
 * ```
 */
export class MaxPool1d extends MaxPoolNd {
  /**
   * @param kernelSize elements of a window
   * @param options stride kernelSize, padding 0, dilation 1 and ceilMode false where not given
   * @throws {@link NNError} if an option does not fit
   */
  constructor(kernelSize: Size, options: MaxPoolOptions = {}) {
    super(1, kernelSize, options);
  }
}

/**
 * Max-pooling over two axes.
 * As [torch.nn.MaxPool2d](https://pytorch.org/docs/stable/generated/torch.nn.MaxPool2d.html).
 *
 * @example
 * ```ts
 * new MaxPool2d(2).forward(zeros([8, 16, 28, 28])).shape; // [8, 16, 14, 14]
 * ```
 */
export class MaxPool2d extends MaxPoolNd {
  /**
   * @param kernelSize one number, or [height, width]
   * @param options stride kernelSize, padding 0, dilation 1 and ceilMode false where not given
   * @throws {@link NNError} if an option does not fit
   */
  constructor(kernelSize: Size, options: MaxPoolOptions = {}) {
    super(2, kernelSize, options);
  }
}

/**
 * Max-pooling over three axes.
 * As [torch.nn.MaxPool3d](https://pytorch.org/docs/stable/generated/torch.nn.MaxPool3d.html).
 *
 * @example
 * ```ts
 * new MaxPool3d([1, 2, 2]).forward(zeros([2, 4, 8, 16, 16])).shape; // [2, 4, 8, 8, 8]
 * ```
 */
export class MaxPool3d extends MaxPoolNd {
  /**
   * @param kernelSize one number, or [depth, height, width]
   * @param options stride kernelSize, padding 0, dilation 1 and ceilMode false where not given
   * @throws {@link NNError} if an option does not fit
   */
  constructor(kernelSize: Size, options: MaxPoolOptions = {}) {
    super(3, kernelSize, options);
  }
}

/** What AvgPool1d, AvgPool2d and AvgPool3d have in common. */
export abstract class AvgPoolNd extends Module {
  readonly kernelSize: readonly number[];
  readonly options: AvgPoolOptions;

  protected constructor(axes: number, kernelSize: Size, options: AvgPoolOptions) {
    super();
    this.kernelSize = poolWindows(this.constructor.name, kernelSize, options, axes).kernelSize;
    this.options = { ...options };
  }

  /**
   * @param x (N, C, …spatial), or (C, …spatial) without a batch
   * @returns the mean of each window; see {@link avgPool}
   */
  forward(x: Tensor): Tensor {
    return avgPool(x, this.kernelSize, this.options);
  }
}

/**
 * Average-pooling over one axis.
 * As [torch.nn.AvgPool1d](https://pytorch.org/docs/stable/generated/torch.nn.AvgPool1d.html).
 *
 * @example
 * ```ts
 * new AvgPool1d(2).forward(zeros([2, 4, 10])).shape; // [2, 4, 5]
 * ```
 */
export class AvgPool1d extends AvgPoolNd {
  /**
   * @param kernelSize elements of a window
   * @param options stride kernelSize, padding 0, ceilMode false and countIncludePad true where not given
   * @throws {@link NNError} if an option does not fit
   */
  constructor(kernelSize: Size, options: AvgPoolOptions = {}) {
    super(1, kernelSize, options);
  }
}

/**
 * Average-pooling over two axes.
 * As [torch.nn.AvgPool2d](https://pytorch.org/docs/stable/generated/torch.nn.AvgPool2d.html).
 *
 * @example
 * ```ts
 * new AvgPool2d(3, { stride: 2, padding: 1 }).forward(zeros([8, 16, 28, 28])).shape; // [8, 16, 14, 14]
 * ```
 */
export class AvgPool2d extends AvgPoolNd {
  /**
   * @param kernelSize one number, or [height, width]
   * @param options stride kernelSize, padding 0, ceilMode false and countIncludePad true where not given
   * @throws {@link NNError} if an option does not fit
   */
  constructor(kernelSize: Size, options: AvgPoolOptions = {}) {
    super(2, kernelSize, options);
  }
}

/**
 * Average-pooling over three axes.
 * As [torch.nn.AvgPool3d](https://pytorch.org/docs/stable/generated/torch.nn.AvgPool3d.html).
 *
 * @example
 * ```ts
 * new AvgPool3d(2).forward(zeros([2, 4, 8, 16, 16])).shape; // [2, 4, 4, 8, 8]
 * ```
 */
export class AvgPool3d extends AvgPoolNd {
  /**
   * @param kernelSize one number, or [depth, height, width]
   * @param options stride kernelSize, padding 0, ceilMode false and countIncludePad true where not given
   * @throws {@link NNError} if an option does not fit
   */
  constructor(kernelSize: Size, options: AvgPoolOptions = {}) {
    super(3, kernelSize, options);
  }
}

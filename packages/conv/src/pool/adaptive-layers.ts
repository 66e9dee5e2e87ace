// AdaptiveAvgPool1d … AdaptiveMaxPool3d: a size around adaptiveAvgPool() and adaptiveMaxPool().

import { Module, type Tensor } from "@nn/tensor";
import {
  type AdaptiveSize,
  adaptiveAvgPool,
  adaptiveMaxPool,
  adaptiveMaxPoolWithIndices,
  adaptiveSizes,
} from "./adaptive.js";

/** What they all have in common. */
abstract class AdaptivePool extends Module {
  /** One per spatial axis; null leaves it as it is. */
  readonly outputSize: readonly (number | null)[];

  constructor(axes: number, outputSize: AdaptiveSize) {
    super();
    this.outputSize = adaptiveSizes(this.constructor.name, outputSize, axes);
  }
}

/** What AdaptiveAvgPool1d, 2d and 3d have in common. */
abstract class AdaptiveAvgPool extends AdaptivePool {
  /**
   * @param x (N, C, …spatial), or (C, …spatial) without a batch
   * @returns (N, C, …outputSize), the means; see {@link adaptiveAvgPool}
   */
  override forward(x: Tensor): Tensor {
    return adaptiveAvgPool(x, this.outputSize);
  }
}

/** What AdaptiveMaxPool1d, 2d and 3d have in common. */
abstract class AdaptiveMaxPool extends AdaptivePool {
  /**
   * @param x (N, C, …spatial), or (C, …spatial) without a batch
   * @returns (N, C, …outputSize), the maxima; see {@link adaptiveMaxPool}
   */
  override forward(x: Tensor): Tensor {
    return adaptiveMaxPool(x, this.outputSize);
  }

  /** {@link forward} and where the maxima are: see {@link adaptiveMaxPoolWithIndices}. PyTorch's `return_indices`. */
  forwardWithIndices(x: Tensor): { values: Tensor; indices: Tensor } {
    return adaptiveMaxPoolWithIndices(x, this.outputSize);
  }
}

/**
 * Adaptive average-pooling over one axis.
 * As [torch.nn.AdaptiveAvgPool1d](https://pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool1d.html).
 *
 * @example
 * ```ts
 * new AdaptiveAvgPool1d(5).forward(zeros([2, 4, 11])).shape; // [2, 4, 5]
 * ```
 */
export class AdaptiveAvgPool1d extends AdaptiveAvgPool {
  /**
   * @param outputSize elements of the output, or null for as many as the input has
   * @throws {@link NNError} if it is something else
   */
  constructor(outputSize: AdaptiveSize) {
    super(1, outputSize);
  }
}

/**
 * Adaptive average-pooling over two axes.
 * As [torch.nn.AdaptiveAvgPool2d](https://pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool2d.html).
 *
 * @example
 * ```ts
 * new AdaptiveAvgPool2d(1).forward(zeros([8, 16, 9, 7])).shape; // [8, 16, 1, 1]
 * ```
 */
export class AdaptiveAvgPool2d extends AdaptiveAvgPool {
  /**
   * @param outputSize one number, or [height, width]; null leaves an axis as it is
   * @throws {@link NNError} if it is something else
   */
  constructor(outputSize: AdaptiveSize) {
    super(2, outputSize);
  }
}

/**
 * Adaptive average-pooling over three axes.
 * As [torch.nn.AdaptiveAvgPool3d](https://pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool3d.html).
 *
 * @example
 * ```ts
 * new AdaptiveAvgPool3d([null, 3, 3]).forward(zeros([2, 4, 8, 9, 7])).shape; // [2, 4, 8, 3, 3]
 * ```
 */
export class AdaptiveAvgPool3d extends AdaptiveAvgPool {
  /**
   * @param outputSize one number, or [depth, height, width]; null leaves an axis as it is
   * @throws {@link NNError} if it is something else
   */
  constructor(outputSize: AdaptiveSize) {
    super(3, outputSize);
  }
}

/**
 * Adaptive max-pooling over one axis.
 * As [torch.nn.AdaptiveMaxPool1d](https://pytorch.org/docs/stable/generated/torch.nn.AdaptiveMaxPool1d.html).
 *
 * @example
 * ```ts
 * new AdaptiveMaxPool1d(5).forward(zeros([2, 4, 11])).shape; // [2, 4, 5]
 * ```
 */
export class AdaptiveMaxPool1d extends AdaptiveMaxPool {
  /**
   * @param outputSize elements of the output, or null for as many as the input has
   * @throws {@link NNError} if it is something else
   */
  constructor(outputSize: AdaptiveSize) {
    super(1, outputSize);
  }
}

/**
 * Adaptive max-pooling over two axes.
 * As [torch.nn.AdaptiveMaxPool2d](https://pytorch.org/docs/stable/generated/torch.nn.AdaptiveMaxPool2d.html).
 *
 * @example
 * ```ts
 * new AdaptiveMaxPool2d(1).forward(zeros([8, 16, 9, 7])).shape; // [8, 16, 1, 1]
 * ```
 */
export class AdaptiveMaxPool2d extends AdaptiveMaxPool {
  /**
   * @param outputSize one number, or [height, width]; null leaves an axis as it is
   * @throws {@link NNError} if it is something else
   */
  constructor(outputSize: AdaptiveSize) {
    super(2, outputSize);
  }
}

/**
 * Adaptive max-pooling over three axes.
 * As [torch.nn.AdaptiveMaxPool3d](https://pytorch.org/docs/stable/generated/torch.nn.AdaptiveMaxPool3d.html).
 *
 * @example
 * ```ts
 * new AdaptiveMaxPool3d([null, 3, 3]).forward(zeros([2, 4, 8, 9, 7])).shape; // [2, 4, 8, 3, 3]
 * ```
 */
export class AdaptiveMaxPool3d extends AdaptiveMaxPool {
  /**
   * @param outputSize one number, or [depth, height, width]; null leaves an axis as it is
   * @throws {@link NNError} if it is something else
   */
  constructor(outputSize: AdaptiveSize) {
    super(3, outputSize);
  }
}

// Depthwise and separable convolution: groups of one channel, and a 1×1 convolution after them.

import { Module, scope, type Tensor } from "@nn/tensor";
import type { Size } from "../spatial.js";
import { Conv1d, Conv2d, type ConvLayerOptions } from "./layers.js";

/** Options of {@link DepthwiseConv1d}, {@link DepthwiseConv2d}, {@link SeparableConv1d} and {@link SeparableConv2d}. */
export interface DepthwiseOptions extends Omit<ConvLayerOptions, "groups"> {
  /** Kernels per channel (default 1). */
  readonly multiplier?: number;
}

/**
 * A {@link Conv1d} in which every channel has kernels of its own and sees no other: groups = channels.
 * State keys `weight` (channels · multiplier, 1, kernel) and `bias`.
 *
 * @example
 * ```ts
 * new DepthwiseConv1d(8, 5, { padding: "causal" }).forward(zeros([2, 8, 100])).shape; // [2, 8, 100]
 * ```
 */
export class DepthwiseConv1d extends Conv1d {
  /**
   * @param channels of the input, (N, channels, L); the output has `multiplier` times as many
   * @param kernelSize elements of a window
   * @param options multiplier 1, and as {@link Conv1d}
   * @throws {@link NNError} if an option does not fit
   */
  constructor(channels: number, kernelSize: Size, { multiplier = 1, ...options }: DepthwiseOptions = {}) {
    super(channels, channels * multiplier, kernelSize, { ...options, groups: channels });
  }
}

/**
 * A {@link Conv2d} in which every channel has kernels of its own and sees no other: groups = channels.
 * State keys `weight` (channels · multiplier, 1, …kernel) and `bias`.
 *
 * @example
 * ```ts
 * new DepthwiseConv2d(32, 3, { padding: 1 }).forward(zeros([8, 32, 14, 14])).shape; // [8, 32, 14, 14]
 * ```
 */
export class DepthwiseConv2d extends Conv2d {
  /**
   * @param channels of the input, (N, channels, H, W); the output has `multiplier` times as many
   * @param kernelSize one number, or [height, width]
   * @param options multiplier 1, and as {@link Conv2d}
   * @throws {@link NNError} if an option does not fit
   */
  constructor(channels: number, kernelSize: Size, { multiplier = 1, ...options }: DepthwiseOptions = {}) {
    super(channels, channels * multiplier, kernelSize, { ...options, groups: channels });
  }
}

/**
 * A depthwise convolution, then one of kernel 1 that mixes the channels (Chollet, [Xception](https://arxiv.org/abs/1610.02357)):
 * for a kernel of k, about k times cheaper than a {@link Conv1d}. One bias, at the end: a second would be part of it.
 * State keys `depthwise.weight`, `pointwise.weight`, `pointwise.bias`.
 *
 * @example
 * ```ts
 * new SeparableConv1d(8, 16, 5, { padding: "same" }).forward(zeros([2, 8, 100])).shape; // [2, 16, 100]
 * ```
 */
export class SeparableConv1d extends Module {
  readonly depthwise: DepthwiseConv1d;
  readonly pointwise: Conv1d;

  /**
   * @param inChannels channels of the input, (N, inChannels, L)
   * @param outChannels channels of the output
   * @param kernelSize elements of a window
   * @param options multiplier 1, and as {@link Conv1d}
   * @throws {@link NNError} if an option does not fit
   */
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: Size,
    { bias = true, ...options }: DepthwiseOptions = {},
  ) {
    super();
    this.depthwise = new DepthwiseConv1d(inChannels, kernelSize, { ...options, bias: false });
    this.pointwise = new Conv1d(this.depthwise.outChannels, outChannels, 1, { bias });
  }

  override forward(x: Tensor): Tensor {
    return scope(() => this.pointwise.forward(this.depthwise.forward(x)));
  }
}

/**
 * A depthwise convolution, then one of kernel 1 that mixes the channels (Chollet, [Xception](https://arxiv.org/abs/1610.02357)):
 * for a 3×3 kernel about nine times cheaper than a {@link Conv2d}. One bias, at the end: a second would be part of it.
 * State keys `depthwise.weight`, `pointwise.weight`, `pointwise.bias`.
 *
 * @example
 * ```ts
 * new SeparableConv2d(32, 64, 3, { padding: 1 }).forward(zeros([8, 32, 14, 14])).shape; // [8, 64, 14, 14]
 * ```
 */
export class SeparableConv2d extends Module {
  readonly depthwise: DepthwiseConv2d;
  readonly pointwise: Conv2d;

  /**
   * @param inChannels channels of the input, (N, inChannels, H, W)
   * @param outChannels channels of the output
   * @param kernelSize one number, or [height, width]
   * @param options multiplier 1, and as {@link Conv2d}
   * @throws {@link NNError} if an option does not fit
   */
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: Size,
    { bias = true, ...options }: DepthwiseOptions = {},
  ) {
    super();
    this.depthwise = new DepthwiseConv2d(inChannels, kernelSize, { ...options, bias: false });
    this.pointwise = new Conv2d(this.depthwise.outChannels, outChannels, 1, { bias });
  }

  override forward(x: Tensor): Tensor {
    return scope(() => this.pointwise.forward(this.depthwise.forward(x)));
  }
}

// FCN: a fully convolutional network for time series.

import { Conv1d } from "@nn/conv";
import { BatchNorm1d, type BatchNormOptions, type Identity, init, Linear } from "@nn/layers";
import { Module, scope, type Tensor, zeros } from "@nn/tensor";
import type { ConvNormPairs } from "./fuse.js";

/** Options of {@link fcn}. */
export interface FCNOptions {
  /** Number of outputs. */
  readonly numClasses: number;
  /** Series per sample (default 1). */
  readonly inChannels?: number;
  /** Options of the BatchNorms (default: momentum 0.01, Keras's). */
  readonly norm?: BatchNormOptions;
}

/** See {@link fcn}. */
export class FCN extends Module implements ConvNormPairs {
  readonly conv1: Conv1d;
  readonly bn1: BatchNorm1d | Identity;
  readonly conv2: Conv1d;
  readonly bn2: BatchNorm1d | Identity;
  readonly conv3: Conv1d;
  readonly bn3: BatchNorm1d | Identity;
  readonly fc: Linear;

  constructor({ numClasses, inChannels = 1, norm = { momentum: 0.01 } }: FCNOptions) {
    super();
    this.conv1 = new Conv1d(inChannels, 128, 8, { padding: "same" });
    this.bn1 = new BatchNorm1d(128, norm);
    this.conv2 = new Conv1d(128, 256, 5, { padding: "same" });
    this.bn2 = new BatchNorm1d(256, norm);
    this.conv3 = new Conv1d(256, 128, 3, { padding: "same" });
    this.bn3 = new BatchNorm1d(128, norm);
    this.fc = new Linear(128, numClasses);
    scope(() => {
      for (const { weight, bias } of [this.conv1, this.conv2, this.conv3, this.fc]) {
        weight.value = init.xavierUniform(weight.shape);
        bias!.value = zeros(bias!.shape);
      }
    });
  }

  convNormPairs() {
    return [
      ["conv1", "bn1"],
      ["conv2", "bn2"],
      ["conv3", "bn3"],
    ] as const;
  }

  /** @param x (N, inChannels, L) of any length */
  override forward(x: Tensor): Tensor {
    return scope(() => {
      x = this.bn1.forward(this.conv1.forward(x)).relu(); // (N, 128, L)
      x = this.bn2.forward(this.conv2.forward(x)).relu(); // (N, 256, L)
      x = this.bn3.forward(this.conv3.forward(x)).relu(); // (N, 128, L)
      return this.fc.forward(x.mean(2));
    });
  }
}

/**
 * FCN (Wang, Yan and Oates, 2017, "Time series classification from scratch with deep neural networks: a strong
 * baseline"): three convolutions of 8, 5 and 3 steps with BatchNorm, the mean over time, a linear layer. Initial values
 * are those of the authors' Keras code: uniform by Glorot, biases 0. So is how fast BatchNorm's statistics move: 0.01 a step, which takes
 * some 600 steps to arrive, and is quiet enough for small batches. State keys `conv1`, `bn1`, …, `fc`.
 *
 * x (N, inChannels, L) → logits (N, numClasses).
 *
 * @example
 * ```ts
 * fcn({ numClasses: 2 }).forward(zeros([16, 1, 24])).shape; // [16, 2]
 * ```
 */
export function fcn(options: FCNOptions): FCN {
  return new FCN(options);
}

// LeNet-5: the first convolutional network that read digits.

import { AvgPool2d, Conv2d, MaxPool2d } from "@nn/conv";
import { Linear, ReLU, Tanh } from "@nn/layers";
import { Module, scope, type Tensor } from "@nn/tensor";

/** Options of {@link lenet5}. */
export interface LeNet5Options {
  /** Number of outputs (default 10). */
  readonly numClasses?: number;
  /** Channels of the images (default 1). */
  readonly inChannels?: number;
  /** `"relu"` (default), or `"tanh"` as in 1998. */
  readonly activation?: "relu" | "tanh";
  /** `"max"` (default), or `"avg"`, which is closer to the subsampling of 1998. */
  readonly pool?: "max" | "avg";
}

/** See {@link lenet5}. */
export class LeNet5 extends Module {
  readonly conv1: Conv2d;
  readonly conv2: Conv2d;
  readonly fc1: Linear;
  readonly fc2: Linear;
  readonly fc3: Linear;
  readonly pool: MaxPool2d | AvgPool2d;
  readonly activation: ReLU | Tanh;

  constructor({ numClasses = 10, inChannels = 1, activation = "relu", pool = "max" }: LeNet5Options = {}) {
    super();
    this.conv1 = new Conv2d(inChannels, 6, 5, { padding: 2 });
    this.conv2 = new Conv2d(6, 16, 5);
    this.fc1 = new Linear(16 * 5 * 5, 120);
    this.fc2 = new Linear(120, 84);
    this.fc3 = new Linear(84, numClasses);
    this.pool = pool === "max" ? new MaxPool2d(2) : new AvgPool2d(2);
    this.activation = activation === "relu" ? new ReLU() : new Tanh();
  }

  /** @param x (N, inChannels, 28, 28) */
  override forward(x: Tensor): Tensor {
    return scope(() => {
      const f = (t: Tensor) => this.activation.forward(t);
      x = this.pool.forward(f(this.conv1.forward(x))); // (N, 6, 14, 14)
      x = this.pool.forward(f(this.conv2.forward(x))); // (N, 16, 5, 5)
      return this.fc3.forward(f(this.fc2.forward(f(this.fc1.forward(x.flatten(1))))));
    });
  }
}

/**
 * LeNet-5 (LeCun et al., 1998, "Gradient-based learning applied to document recognition") as it is used today: full
 * connections between the channels, a linear output instead of radial units. 61,706 parameters; state keys `conv1`,
 * `conv2`, `fc1`, `fc2`, `fc3`, with PyTorch's default initial values.
 *
 * x (N, inChannels, 28, 28) → logits (N, numClasses).
 *
 * @example
 * ```ts
 * lenet5().forward(zeros([64, 1, 28, 28])).shape; // [64, 10]
 * ```
 */
export function lenet5(options: LeNet5Options = {}): LeNet5 {
  return new LeNet5(options);
}

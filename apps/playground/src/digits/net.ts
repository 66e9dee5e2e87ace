// The network of the page: two convolutions with ReLU and pooling, then one linear layer. Every stage is a module with a name, so that
// it can be looked at.

import { Conv2d, MaxPool2d } from "@nn/conv";
import { Dropout, Linear, ReLU } from "@nn/layers";
import { Module, scope, type Tensor } from "@nn/tensor";

export interface NetOptions {
  /** Of the first convolution; the second has twice as many. */
  readonly channels: number;
  /** Side of the filters. */
  readonly kernel: number;
  readonly dropout: number;
}

/** Stages that the page shows, with what they do. */
export const STAGES = [
  ["relu1", "First convolution and ReLU: strokes and edges"],
  ["pool1", "Pooled: half the size, the strongest of each 2 × 2"],
  ["relu2", "Second convolution and ReLU: corners, loops, ends"],
  ["pool2", "Pooled again: what the last layer decides by"],
] as const;

/** Reads a digit: x (N, 1, 28, 28), 0 to 1 → logits (N, 10). */
export class DigitNet extends Module {
  readonly conv1: Conv2d;
  readonly relu1 = new ReLU();
  readonly pool1 = new MaxPool2d(2);
  readonly conv2: Conv2d;
  readonly relu2 = new ReLU();
  readonly pool2 = new MaxPool2d(2);
  readonly dropout: Dropout;
  readonly fc: Linear;

  constructor({ channels, kernel, dropout }: NetOptions) {
    super();
    this.conv1 = new Conv2d(1, channels, kernel, { padding: "same" });
    this.conv2 = new Conv2d(channels, 2 * channels, kernel, { padding: "same" });
    this.dropout = new Dropout(dropout);
    this.fc = new Linear(2 * channels * 7 * 7, 10);
  }

  override forward(x: Tensor): Tensor {
    return scope(() => {
      x = x.sub(0.13).mul(3.2); // to a mean near 0 and a deviation near 1
      x = this.pool1.forward(this.relu1.forward(this.conv1.forward(x)));
      x = this.pool2.forward(this.relu2.forward(this.conv2.forward(x)));
      return this.fc.forward(this.dropout.forward(x.flatten(1)));
    });
  }
}

/** The networks of the tour, as anyone would write them with @nn. */
import { Conv2d, MaxPool2d } from "@nn/conv";
import { Linear } from "@nn/layers";
import type { GRU, LSTM, RNN } from "@nn/recurrent";
import { Module, type Tensor } from "@nn/tensor";

/** Reads a digit: x (N, 1, 28, 28) → logits (N, 10). */
export class DigitCNN extends Module {
  conv1 = new Conv2d(1, 8, 3, { padding: "same" });
  conv2 = new Conv2d(8, 16, 3, { padding: "same" });
  pool = new MaxPool2d(2);
  fc = new Linear(16 * 7 * 7, 10);

  override forward(x: Tensor): Tensor {
    x = x.sub(0.13).mul(3.2); // to a mean near 0 and a deviation near 1, which speeds up learning
    x = this.pool.forward(this.conv1.forward(x).relu()); // (N, 8, 14, 14)
    x = this.pool.forward(this.conv2.forward(x).relu()); // (N, 16, 7, 7)
    return this.fc.forward(x.flatten(1));
  }
}

/** Reads a sequence to its end, then decides: x (N, T, features) → logits (N, classes). */
export class SequenceClassifier extends Module {
  readonly fc: Linear;

  constructor(
    readonly rnn: RNN | GRU | LSTM,
    classes: number,
  ) {
    super();
    this.fc = new Linear(rnn.hiddenSize, classes);
  }

  override forward(x: Tensor): Tensor {
    const { output } = this.rnn.forward(x); // (N, T, hidden)
    return this.fc.forward(output.select(1, -1));
  }
}

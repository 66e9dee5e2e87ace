// Two small networks that tests train.

import { Conv2d, MaxPool2d } from "@nn/conv";
import { BatchNorm2d, Linear } from "@nn/layers";
import { LSTM } from "@nn/recurrent";
import { Module, type Tensor } from "@nn/tensor";

/** x (N, 1, 28, 28) → logits (N, 10). */
export class LeNet extends Module {
  readonly conv1 = new Conv2d(1, 6, 5, { padding: 2 });
  readonly norm = new BatchNorm2d(6);
  readonly conv2 = new Conv2d(6, 16, 5);
  readonly pool = new MaxPool2d(2);
  readonly last = [new Linear(400, 120), new Linear(120, 84), new Linear(84, 10)];
  override forward(x: Tensor): Tensor {
    x = this.pool.forward(this.norm.forward(this.conv1.forward(x)).relu());
    x = this.pool.forward(this.conv2.forward(x).relu()).flatten(1);
    return this.last.reduce((x, layer, i) => layer.forward(i === 0 ? x : x.relu()), x);
  }
}

/** x (N, T, 5) → logits (N, 4). */
export class Classifier extends Module {
  readonly lstm = new LSTM(5, 16, { batchFirst: true });
  readonly last = new Linear(16, 4);
  override forward(x: Tensor): Tensor {
    return this.last.forward(this.lstm.forward(x).output.select(1, -1));
  }
}

/** The convolutional network of the CNN workloads. */
import { Conv2d, MaxPool2d } from "@nn/conv";
import { Linear } from "@nn/layers";
import { Module, type Tensor } from "@nn/tensor";

/** x (N, 1, 28, 28) → logits (N, 10). */
export class LeNet extends Module {
  conv1 = new Conv2d(1, 16, 3, { padding: 1 });
  conv2 = new Conv2d(16, 32, 3, { padding: 1 });
  pool = new MaxPool2d(2);
  fc1 = new Linear(32 * 7 * 7, 128);
  fc2 = new Linear(128, 10);

  override forward(x: Tensor): Tensor {
    x = this.pool.forward(this.conv1.forward(x).relu()); // (N, 16, 14, 14)
    x = this.pool.forward(this.conv2.forward(x).relu()); // (N, 32, 7, 7)
    return this.fc2.forward(this.fc1.forward(x.flatten(1)).relu());
  }
}

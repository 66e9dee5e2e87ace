// What the programs that train LeNet share: the network, as the README shows it, and some steps on the backend that is set.
import { Conv2d, MaxPool2d } from "@nn/conv";
import { crossEntropy, Linear } from "@nn/layers";
import { Adam } from "@nn/optim";
import { compile, Module, randn, type Tensor, tensor } from "@nn/tensor";

class LeNet extends Module {
  conv1 = new Conv2d(1, 16, 3, { padding: 1 });
  conv2 = new Conv2d(16, 32, 3, { padding: 1 });
  pool = new MaxPool2d(2);
  fc1 = new Linear(32 * 7 * 7, 128);
  fc2 = new Linear(128, 10);
  forward(x: Tensor): Tensor {
    x = this.pool.forward(this.conv1.forward(x).relu()); // (N, 16, 14, 14)
    x = this.pool.forward(this.conv2.forward(x).relu()); // (N, 32, 7, 7)
    return this.fc2.forward(this.fc1.forward(x.flatten(1)).relu());
  }
}

/** @returns the last loss */
export async function trainLeNet(): Promise<number> {
  const model = new LeNet();
  const optimizer = new Adam(model.parameters(), { lr: 1e-3 });
  const step = compile((x: Tensor, y: Tensor) => optimizer.minimize(() => crossEntropy(model.forward(x), y)));

  const x = randn([8, 1, 28, 28]);
  const y = tensor([0, 1, 2, 3, 4, 5, 6, 7], { dtype: "i32" });
  for (let i = 0; i < 3; i++) step(x, y).dispose();
  return step(x, y).item();
}

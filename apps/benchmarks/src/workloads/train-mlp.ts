/** One training step of a 784-256-10 perceptron, batch 64: relu, cross entropy, Adam. */
import { crossEntropy, Linear } from "@nn/layers";
import { Adam } from "@nn/optim";
import { compile, Module, type Tensor } from "@nn/tensor";
import { integers, uniform } from "../data.js";
import { perSecond, training, type Workload } from "../workload.js";

const BATCH = 64;

/** x (N, 784) → logits (N, 10). */
class Perceptron extends Module {
  fc1 = new Linear(784, 256);
  fc2 = new Linear(256, 10);

  override forward(x: Tensor): Tensor {
    return this.fc2.forward(this.fc1.forward(x).relu());
  }
}

export const workloads: readonly Workload[] = [
  {
    name: "train_mlp",
    make() {
      const model = new Perceptron();
      const optimizer = new Adam(model.parameters(), { lr: 1e-3 });
      const [x, y] = [uniform([BATCH, 784]), integers([BATCH], 10)];
      const step = compile((x: Tensor, y: Tensor) => optimizer.minimize(() => crossEntropy(model.forward(x), y)));
      return training(() => step(x, y), perSecond("samples_s", BATCH));
    },
  },
];

/** One training step of the CNN, batch 64: cross entropy, Adam. */
import { crossEntropy } from "@nn/layers";
import { Adam } from "@nn/optim";
import { compile, type Tensor } from "@nn/tensor";
import { integers, uniform } from "../data.js";
import { perSecond, training, type Workload } from "../workload.js";
import { LeNet } from "./lenet.js";

const BATCH = 64;

export const workloads: readonly Workload[] = [
  {
    name: "train_cnn",
    make() {
      const model = new LeNet();
      const optimizer = new Adam(model.parameters(), { lr: 1e-3 });
      const [x, y] = [uniform([BATCH, 1, 28, 28]), integers([BATCH], 10)];
      const step = compile((x: Tensor, y: Tensor) => optimizer.minimize(() => crossEntropy(model.forward(x), y)));
      return training(() => step(x, y), perSecond("samples_s", BATCH));
    },
  },
];

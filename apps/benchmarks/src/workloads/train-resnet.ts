/** One training step of ResNet-20 on 32×32 images, batch 32: cross entropy, SGD with momentum. */
import { crossEntropy } from "@nn/layers";
import { resnetCifar } from "@nn/models";
import { SGD } from "@nn/optim";
import { compile, type Tensor } from "@nn/tensor";
import { integers, uniform } from "../data.js";
import { perSecond, training, type Workload } from "../workload.js";

const BATCH = 32;

export const workloads: readonly Workload[] = [
  {
    name: "train_resnet20",
    make() {
      const model = resnetCifar({ depth: 20 });
      const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9, weightDecay: 1e-4 });
      const [x, y] = [uniform([BATCH, 3, 32, 32]), integers([BATCH], 10)];
      const step = compile((x: Tensor, y: Tensor) => optimizer.minimize(() => crossEntropy(model.forward(x), y)));
      return training(() => step(x, y), perSecond("samples_s", BATCH));
    },
  },
];

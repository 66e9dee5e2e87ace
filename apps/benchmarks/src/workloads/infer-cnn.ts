/** The CNN on one image, and the time from the start to its first result. */
import { compile, type Tensor } from "@nn/tensor";
import { uniform } from "../data.js";
import { sinceStart } from "../since-start.js";
import { reading, type Workload } from "../workload.js";
import { LeNet } from "./lenet.js";

export const workloads: readonly Workload[] = [
  {
    name: "infer_cnn_b1",
    async make() {
      const model = new LeNet().eval();
      const x = uniform([1, 1, 28, 28]);
      const f = compile((x: Tensor) => model.forward(x));
      let startup = Number.NaN;
      const inference = reading(
        () => f(x),
        () => ({ startup_ms: startup }),
      );
      await inference.run();
      startup = sinceStart();
      return inference;
    },
  },
];

/** MobileNetV2 on one 224×224 image: as deployed, with BatchNorm folded into the convolutions, and as trained. */
import { foldBatchNorm, mobileNetV2 } from "@nn/models";
import { compile, type Tensor } from "@nn/tensor";
import { uniform } from "../data.js";
import { reading, type Workload } from "../workload.js";

export const workloads: readonly Workload[] = [
  inference("infer_mobilenet", { fold: true }),
  inference("infer_mobilenet_unfolded", { fold: false }),
];

// ---------------------------------------------------------------------------------------------

function inference(name: string, { fold }: { fold: boolean }): Workload {
  return {
    name,
    make() {
      const trained = mobileNetV2().eval();
      const model = fold ? foldBatchNorm(trained) : trained;
      const x = uniform([1, 3, 224, 224]);
      const f = compile((x: Tensor) => model.forward(x));
      return reading(
        () => f(x),
        () => ({}),
      );
    },
  };
}

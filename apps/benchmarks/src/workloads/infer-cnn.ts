/** The CNN on one image, and the time from the start of the process to its first result. */
import { compile, type Tensor } from "@nn/tensor";
import { uniform } from "../data.js";
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
      startup = Math.round(sinceStart());
      return inference;
    },
  },
];

// ---------------------------------------------------------------------------------------------

/** Milliseconds since `T0` (seconds since 1970, as `date +%s.%N` says it), or since Node started. */
function sinceStart(): number {
  const t0 = Number(process.env.T0);
  return t0 > 0 ? Date.now() - t0 * 1000 : performance.now();
}

// The LSTM's scan step by step: with what the loop does not have.

import { matmul, type Tensor } from "@nn/tensor";
import { type LayerInputs, type StepwiseOptions, stepwise } from "../stepwise.js";
import { lstmStep } from "./loop.js";

/** {@link stepwise} of the LSTM, maybe with a projection and peepholes. Gates i, f, g, o. */
export function lstmSteps(inputs: LayerInputs, options: StepwiseOptions): Tensor[] {
  const { biasIh, biasHh, weightHh, weightHr, peepholes } = inputs;
  const [turned, project] = [weightHh.transpose(), weightHr?.transpose()];
  return stepwise(inputs, biasIh?.add(biasHh!), options, (pre, [, c], seen) => {
    const { gates, c: next, out } = lstmStep(pre.add(matmul(seen, turned)), c!, peepholes);
    return { states: [project ? matmul(out, project) : out, next], gates };
  });
}

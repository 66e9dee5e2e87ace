// The plain RNN's scan step by step: with what the loop does not have.

import { matmul, type Tensor } from "@nn/tensor";
import { type LayerInputs, type StepwiseOptions, stepwise } from "../stepwise.js";

/** {@link stepwise} of h ← f(W_ih·x + b_ih + W_hh·h + b_hh). No gates. */
export function rnnSteps(inputs: LayerInputs, nonlinearity: "tanh" | "relu", options: StepwiseOptions): Tensor[] {
  const turned = inputs.weightHh.transpose();
  return stepwise(inputs, inputs.biasIh?.add(inputs.biasHh!), options, (pre, _, seen) => ({
    states: [pre.add(matmul(seen, turned))[nonlinearity]()],
    gates: [],
  }));
}

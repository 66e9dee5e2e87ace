// The GRU's scan step by step: with what the loop does not have, and the reset gate on either side of the product.

import { matmul, split, type Tensor } from "@nn/tensor";
import { type LayerInputs, type StepwiseOptions, stepwise } from "../stepwise.js";
import { gruStep, nextState } from "./loop.js";

/** {@link stepwise} of the GRU. Gates r, z, n. */
export function gruSteps(inputs: LayerInputs, resetAfter: boolean, options: StepwiseOptions): Tensor[] {
  const { biasIh, biasHh, weightHh } = inputs;
  const H = weightHh.shape[1]!;
  const turned = weightHh.transpose();
  if (resetAfter) {
    return stepwise(inputs, biasIh, options, (pre, [h], seen) => {
      const product = matmul(seen, turned);
      const { r, z, n, next } = gruStep(parts(pre, H), parts(biasHh ? product.add(biasHh) : product, H), h!);
      return { states: [next], gates: [r, z, n] };
    });
  }
  const [ofGates, ofCandidate] = parts(turned, H);
  return stepwise(inputs, biasIh?.add(biasHh!), options, (pre, [h], seen) => {
    const [gates, candidate] = parts(pre, H);
    const [r, z] = split(gates.add(matmul(seen, ofGates)).sigmoid(), H, 1) as [Tensor, Tensor];
    const n = candidate.add(matmul(r.mul(seen), ofCandidate)).tanh();
    return { states: [nextState(z, n, h!)], gates: [r, z, n] };
  });
}

/** What r and z have, and what n has. */
const parts = (x: Tensor, H: number): [rz: Tensor, n: Tensor] => split(x, [2 * H, H], 1) as [Tensor, Tensor];

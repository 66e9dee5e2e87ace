// rnnScan: h ← f(W_ih·x + b_ih + W_hh·h + b_hh), f = tanh or relu (Elman, 1990).

import { apply, defineOp, matmul, type OpDef, type Tensor } from "@nn/tensor";
import {
  inferScan,
  listOf,
  named,
  overTime,
  projectInput,
  type ScanAttrs,
  type ScanInputs,
  stepsOf,
} from "../sequence.js";

const NAME = "recurrent/rnnScan";

export interface RnnScanAttrs extends ScanAttrs {
  readonly nonlinearity: "tanh" | "relu";
}

/** One gate, one state h. */
export const rnnScanOp: OpDef<RnnScanAttrs> = /* @__PURE__ */ defineOp({
  name: NAME,
  infer: (ins, attrs) => inferScan(NAME, 1, named(NAME, ins, 1, attrs)),
  lower(ins, attrs) {
    const given = named(NAME, ins, 1, attrs);
    const { biasIh, biasHh, weightHh } = given;
    const inputs = stepsOf(projectInput(given, biasIh?.add(biasHh!)));
    const turned = weightHh.transpose();
    return overTime(inputs.length, given, attrs, (t, [h]) => [
      inputs[t]!.add(matmul(h!, turned))[attrs.nonlinearity](),
    ]);
  },
});

/** {@link rnnScanOp} with inputs by name: outputs (T, N, H) and h (N, H). */
export function rnnScan(inputs: ScanInputs<Tensor>, attrs: RnnScanAttrs): readonly Tensor[] {
  return apply(rnnScanOp, listOf(inputs), attrs);
}

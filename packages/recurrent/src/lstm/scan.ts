// lstmScan (Hochreiter and Schmidhuber, 1997; projection: Sak et al., 2014), gates in PyTorch's order i, f, g, o:
//   c ← σ(f) ⊙ c + σ(i) ⊙ tanh(g),  h ← σ(o) ⊙ tanh(c),  with a projection h ← W_hr·h

import { apply, defineOp, type OpDef, type Tensor } from "@nn/tensor";
import { inferScan, listOf, named, projectInput, type ScanAttrs, type ScanInputs } from "../sequence.js";
import { lstmLoopOp } from "./loop.js";
import { lstmSteps } from "./steps.js";

const NAME = "recurrent/lstmScan";

export interface LstmScanAttrs extends ScanAttrs {
  /** Whether there is a projection: input weightHr (P, H), after the biases. */
  readonly projection: boolean;
}

/** Gates i, f, g, o; states h (N, P or H) and c (N, H). */
export const lstmScanOp: OpDef<LstmScanAttrs> = /* @__PURE__ */ defineOp({
  name: NAME,
  infer: (ins, attrs) => inferScan(NAME, 4, named(NAME, ins, 2, attrs)),
  lower(ins, attrs) {
    const given = named(NAME, ins, 2, attrs);
    const { states, biasIh, biasHh, weightHh, weightHr, lengths } = given;
    const { reverse } = attrs;
    if (weightHr) return lstmSteps(given, { reverse });
    const pre = projectInput(given, biasIh?.add(biasHh!));
    const list = [pre, ...states, weightHh, ...(lengths ? [lengths] : [])];
    return apply(lstmLoopOp, list, { reverse, lengths: attrs.lengths });
  },
});

/** {@link lstmScanOp} with inputs by name: outputs (T, N, P or H), h and c. */
export function lstmScan(inputs: ScanInputs<Tensor>, attrs: LstmScanAttrs): readonly Tensor[] {
  return apply(lstmScanOp, listOf(inputs), attrs);
}

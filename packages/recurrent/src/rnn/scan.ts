// rnnScan: h ← f(W_ih·x + b_ih + W_hh·h + b_hh), f = tanh or relu (Elman, 1990).

import { apply, defineOp, type OpDef, type Tensor } from "@nn/tensor";
import { inferScan, listOf, named, projectInput, type ScanAttrs, type ScanInputs } from "../sequence.js";
import { rnnLoopOp } from "./loop.js";

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
    const { states, biasIh, biasHh, weightHh, lengths } = given;
    const pre = projectInput(given, biasIh?.add(biasHh!));
    return apply(rnnLoopOp, [pre, ...states, weightHh, ...(lengths ? [lengths] : [])], attrs);
  },
});

/** {@link rnnScanOp} with inputs by name: outputs (T, N, H) and h (N, H). */
export function rnnScan(inputs: ScanInputs<Tensor>, attrs: RnnScanAttrs): readonly Tensor[] {
  return apply(rnnScanOp, listOf(inputs), attrs);
}

// gruScan, the reset gate applied after the recurrent product, as PyTorch and cuDNN do (Cho et al., 2014, v3):
//   r, z = σ(W_i·x + b_i + W_h·h + b_h),  n = tanh(W_in·x + b_in + r ⊙ (W_hn·h + b_hn)),  h ← (1 − z) ⊙ n + z ⊙ h

import { apply, defineOp, type OpDef, type Tensor } from "@nn/tensor";
import { inferScan, listOf, named, projectInput, type ScanAttrs, type ScanInputs } from "../sequence.js";
import { gruLoopOp } from "./loop.js";

const NAME = "recurrent/gruScan";

/** Gates r, z, n; one state h. */
export const gruScanOp: OpDef<ScanAttrs> = /* @__PURE__ */ defineOp({
  name: NAME,
  infer: (ins, attrs) => inferScan(NAME, 3, named(NAME, ins, 1, attrs)),
  lower(ins, attrs) {
    const given = named(NAME, ins, 1, attrs);
    const { states, biasIh, biasHh, weightHh, lengths } = given;
    return apply(
      gruLoopOp,
      [projectInput(given, biasIh), ...states, weightHh, biasHh, lengths].filter((t) => t !== undefined),
      attrs,
    );
  },
});

/** {@link gruScanOp} with inputs by name: outputs (T, N, H) and h (N, H). */
export function gruScan(inputs: ScanInputs<Tensor>, attrs: ScanAttrs): readonly Tensor[] {
  return apply(gruScanOp, listOf(inputs), attrs);
}

// gruScan, the reset gate applied after the recurrent product, as PyTorch and cuDNN do (Cho et al., 2014, v3):
//   r, z = σ(W_i·x + b_i + W_h·h + b_h),  n = tanh(W_in·x + b_in + r ⊙ (W_hn·h + b_hn)),  h ← (1 − z) ⊙ n + z ⊙ h
//
// Cut so that every σ and tanh is a value of its own: gradients reuse it and do not compute it again.

import { apply, defineOp, expr, matmul, type OpDef, pointwise, split, type Tensor } from "@nn/tensor";
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

const NAME = "recurrent/gruScan";

const candidate = /* @__PURE__ */ pointwise<object>("recurrent/gruCandidate", ([x, r, h]) =>
  expr.call("tanh", expr.call("add", x!, expr.call("mul", r!, h!))),
);
/** n + z·(h − n), which is (1 − z)·n + z·h. */
const blend = /* @__PURE__ */ pointwise<object>("recurrent/gruBlend", ([z, n, h]) =>
  expr.call("add", n!, expr.call("mul", z!, expr.call("sub", h!, n!))),
);

/** Gates r, z, n; one state h. */
export const gruScanOp: OpDef<ScanAttrs> = /* @__PURE__ */ defineOp({
  name: NAME,
  infer: (ins, attrs) => inferScan(NAME, 3, named(NAME, ins, 1, attrs)),
  lower(ins, attrs) {
    const given = named(NAME, ins, 1, attrs);
    const { biasIh, biasHh, weightHh } = given;
    const turned = weightHh.transpose();
    const size = weightHh.shape[1]!;
    const parts = [2 * size, size];
    const [xrz, xn] = split(projectInput(given, biasIh), parts, 2).map(stepsOf);
    return overTime(xn!.length, given, attrs, (t, [h]) => {
      const product = matmul(h!, turned);
      const [hrz, hn] = split(biasHh ? product.add(biasHh) : product, parts, 1);
      const [r, z] = split(xrz![t]!.add(hrz!).sigmoid(), size, 1);
      const [n] = apply(candidate, [xn![t]!, r!, hn!], {});
      return apply(blend, [z!, n!, h!], {});
    });
  },
});

/** {@link gruScanOp} with inputs by name: outputs (T, N, H) and h (N, H). */
export function gruScan(inputs: ScanInputs<Tensor>, attrs: ScanAttrs): readonly Tensor[] {
  return apply(gruScanOp, listOf(inputs), attrs);
}

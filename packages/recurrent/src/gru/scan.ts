// gruScan, the reset gate applied after the recurrent product, as PyTorch and cuDNN do (Cho et al., 2014, v3):
//   r, z = σ(W_i·x + b_i + W_h·h + b_h),  n = tanh(W_in·x + b_in + r ⊙ (W_hn·h + b_hn)),  h ← (1 − z) ⊙ n + z ⊙ h
//
// The gradient goes through the lowering as long as there is no kernel for the whole sequence: see rnn/scan.ts.

import { apply, defineOp, expr, matmul, type OpDef, pointwise, split, type Tensor } from "@nn/tensor";
import { overTime, projectInput, type ScanAttrs, scanSpecs } from "../sequence.js";

const { call, num } = expr;

/** n from the input's part, r's logit (its two parts), and the state's part. */
const candidate = pointwise<object>("recurrent/gruCandidate", ([xn, xr, hr, hn]) =>
  call("tanh", call("add", xn!, call("mul", call("sigmoid", call("add", xr!, hr!)), hn!))),
);
const update = pointwise<object>("recurrent/gruUpdate", ([xz, hz]) => call("sigmoid", call("add", xz!, hz!)));
/** (1 − z)·n + z·h. */
const blend = pointwise<object>("recurrent/gruBlend", ([z, n, h]) =>
  call("add", call("mul", call("sub", num(1), z!), n!), call("mul", z!, h!)),
);

/** Inputs x (T, N, I), h0 (N, H), weightIh (3H, I), weightHh (3H, H), [biasIh, biasHh (3H)], [lengths (N)]; gates r, z, n; outputs (T, N, H), (N, H). */
export const gruScanOp: OpDef<ScanAttrs> = defineOp({
  name: "recurrent/gruScan",
  infer: ([x, h0, wih]) => scanSpecs("recurrent/gruScan", x!, [h0!], wih!, 3),
  lower([x, h0, wih, whh, ...rest], { bias, reverse, lengths }) {
    const wide = projectInput(x!, wih!, ...(bias ? [rest[0]!] : []));
    const turned = whh!.transpose();
    const size = whh!.shape[1]!;
    const cell = (input: Tensor, [h]: readonly Tensor[]) => {
      const product = matmul(h!, turned);
      const [xr, xz, xn] = split(input, size, 1);
      const [hr, hz, hn] = split(bias ? product.add(rest[1]!) : product, size, 1);
      const [n] = apply(candidate, [xn!, xr!, hr!, hn!], {});
      const [z] = apply(update, [xz!, hz!], {});
      return apply(blend, [z!, n!, h!], {});
    };
    return overTime(wide, [h0!], cell, { reverse, lengths: lengths ? rest.at(-1)! : null });
  },
});

export function gruScan(inputs: readonly Tensor[], attrs: ScanAttrs): readonly Tensor[] {
  return apply(gruScanOp, inputs, attrs);
}

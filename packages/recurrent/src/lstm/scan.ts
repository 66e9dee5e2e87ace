// lstmScan (Hochreiter and Schmidhuber, 1997; projection: Sak et al., 2014), gates in PyTorch's order i, f, g, o:
//   c ← σ(f) ⊙ c + σ(i) ⊙ tanh(g),  h ← σ(o) ⊙ tanh(c),  with a projection h ← W_hr·h
//
// Cut so that every σ and tanh is a value of its own: gradients reuse it and do not compute it again.

import { apply, apply1, defineOp, expr, matmul, type OpDef, pointwise, split, type Tensor } from "@nn/tensor";
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

const NAME = "recurrent/lstmScan";

export interface LstmScanAttrs extends ScanAttrs {
  /** Whether there is a projection: input weightHr (P, H), after the biases. */
  readonly projection: boolean;
}

/** f·c + i·g. */
const cellState = /* @__PURE__ */ pointwise<object>("recurrent/lstmCell", ([f, c, i, g]) =>
  expr.call("add", expr.call("mul", f!, c!), expr.call("mul", i!, g!)),
);

/** Gates i, f, g, o; states h (N, P or H) and c (N, H). */
export const lstmScanOp: OpDef<LstmScanAttrs> = /* @__PURE__ */ defineOp({
  name: NAME,
  infer: (ins, attrs) => inferScan(NAME, 4, named(NAME, ins, 2, attrs)),
  lower(ins, attrs) {
    const given = named(NAME, ins, 2, attrs);
    const { biasIh, biasHh, weightHh, weightHr } = given;
    const inputs = stepsOf(projectInput(given, biasIh?.add(biasHh!)));
    const turned = weightHh.transpose();
    const project = weightHr?.transpose();
    const size = weightHh.shape[0]! / 4;
    return overTime(inputs.length, given, attrs, (t, [h, c]) => {
      const [i, f, g, o] = split(inputs[t]!.add(matmul(h!, turned)), size, 1);
      const next = apply1(cellState, [f!.sigmoid(), c!, i!.sigmoid(), g!.tanh()], {});
      const out = o!.sigmoid().mul(next.tanh());
      return [project ? matmul(out, project) : out, next];
    });
  },
});

/** {@link lstmScanOp} with inputs by name: outputs (T, N, P or H), h and c. */
export function lstmScan(inputs: ScanInputs<Tensor>, attrs: LstmScanAttrs): readonly Tensor[] {
  return apply(lstmScanOp, listOf(inputs), attrs);
}

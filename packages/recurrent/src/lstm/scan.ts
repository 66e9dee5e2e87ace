// lstmScan (Hochreiter and Schmidhuber, 1997; projection: Sak et al., 2014), gates in PyTorch's order i, f, g, o:
//   c ← σ(f) ⊙ c + σ(i) ⊙ tanh(g),  h ← σ(o) ⊙ tanh(c),  with a projection h ← W_hr·h
//
// The gradient goes through the lowering as long as there is no kernel for the whole sequence: see rnn/scan.ts.

import { apply, defineOp, expr, matmul, type OpDef, pointwise, split, type Tensor } from "@nn/tensor";
import { overTime, projectInput, type ScanAttrs, scanSpecs } from "../sequence.js";

const { call } = expr;

export interface LstmScanAttrs extends ScanAttrs {
  /** Whether there is a projection: input weightHr (P, H), after the biases. */
  readonly projection: boolean;
}

const sigma = pointwise<object>("recurrent/gate", ([x]) => call("sigmoid", x!));
const candidate = pointwise<object>("recurrent/candidate", ([x]) => call("tanh", x!));
/** f·c + i·g. */
const cellState = pointwise<object>("recurrent/lstmCell", ([f, c, i, g]) => call("add", call("mul", f!, c!), call("mul", i!, g!)));
/** o·tanh(c). */
const hidden = pointwise<object>("recurrent/lstmHidden", ([o, c]) => call("mul", o!, call("tanh", c!)));

/**
 * Inputs x (T, N, I), h0 (N, P or H), c0 (N, H), weightIh (4H, I), weightHh (4H, P or H), [biasIh, biasHh (4H)],
 * [weightHr (P, H)], [lengths (N)]; outputs (T, N, P or H), h, c.
 */
export const lstmScanOp: OpDef<LstmScanAttrs> = defineOp({
  name: "recurrent/lstmScan",
  infer: ([x, h0, c0, wih]) => scanSpecs("recurrent/lstmScan", x!, [h0!, c0!], wih!, 4),
  lower([x, h0, c0, wih, whh, ...rest], { bias, reverse, lengths, projection }) {
    const wide = projectInput(x!, wih!, ...(bias ? rest.slice(0, 2) : []));
    const turned = whh!.transpose();
    const project = projection ? rest[bias ? 2 : 0]!.transpose() : null;
    const size = c0!.shape[1]!;
    const cell = (input: Tensor, [h, c]: readonly Tensor[]) => {
      const [i, f, g, o] = split(input.add(matmul(h!, turned)), size, 1);
      const gate = (t: Tensor) => apply(sigma, [t], {})[0]!;
      const [next] = apply(cellState, [gate(f!), c!, gate(i!), apply(candidate, [g!], {})[0]!], {});
      const [out] = apply(hidden, [gate(o!), next!], {});
      return [project ? matmul(out!, project) : out!, next!];
    };
    return overTime(wide, [h0!, c0!], cell, { reverse, lengths: lengths ? rest.at(-1)! : null });
  },
});

export function lstmScan(inputs: readonly Tensor[], attrs: LstmScanAttrs): readonly Tensor[] {
  return apply(lstmScanOp, inputs, attrs);
}

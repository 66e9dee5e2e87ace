// rnnScan: h ← f(W_ih·x + b_ih + W_hh·h + b_hh), f = tanh or relu (Elman, 1990).
//
// The gradient goes through the lowering as long as there is no kernel for the whole sequence. Such a kernel needs a vjp
// here, an op of its own (`recurrent/rnnScanGrad`): else it would never run in training.

import { apply, defineOp, matmul, type OpDef, type Tensor } from "@nn/tensor";
import { overTime, projectInput, type ScanAttrs, scanSpecs } from "../sequence.js";

export interface RnnScanAttrs extends ScanAttrs {
  readonly nonlinearity: "tanh" | "relu";
}

/** Inputs x (T, N, I), h0 (N, H), weightIh (H, I), weightHh (H, H), [biasIh, biasHh (H)], [lengths (N)]; outputs (T, N, H), (N, H). */
export const rnnScanOp: OpDef<RnnScanAttrs> = defineOp({
  name: "recurrent/rnnScan",
  infer: ([x, h0, wih]) => scanSpecs("recurrent/rnnScan", x!, [h0!], wih!, 1),
  lower([x, h0, wih, whh, ...rest], { nonlinearity, bias, reverse, lengths }) {
    const wide = projectInput(x!, wih!, ...(bias ? rest.slice(0, 2) : []));
    const turned = whh!.transpose();
    const cell = (input: Tensor, [h]: readonly Tensor[]) => [input.add(matmul(h!, turned))[nonlinearity]()];
    return overTime(wide, [h0!], cell, { reverse, lengths: lengths ? rest.at(-1)! : null });
  },
});

export function rnnScan(inputs: readonly Tensor[], attrs: RnnScanAttrs): readonly Tensor[] {
  return apply(rnnScanOp, inputs, attrs);
}

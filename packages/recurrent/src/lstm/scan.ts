// lstmScan (Hochreiter and Schmidhuber, 1997; projection: Sak et al., 2014), gates in PyTorch's order i, f, g, o:
//   c ← σ(f) ⊙ c + σ(i) ⊙ tanh(g),  h ← σ(o) ⊙ tanh(c),  with a projection h ← W_hr·h

import { apply, defineOp, matmul, type OpDef, scan, type Tensor, where, zerosLike } from "@nn/tensor";
import { isInside } from "../ragged.js";
import { inferScan, listOf, named, projectInput, type ScanAttrs, type ScanInputs } from "../sequence.js";
import { lstmLoopOp, lstmStep } from "./loop.js";

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
    const pre = projectInput(given, biasIh?.add(biasHh!));
    if (!weightHr) {
      const list = [pre, ...states, weightHh, ...(lengths ? [lengths] : [])];
      return apply(lstmLoopOp, list, { reverse, lengths: attrs.lengths });
    }
    const [turned, project] = [weightHh.transpose(), weightHr.transpose()];
    const inside = lengths ? isInside(lengths, pre.shape[0]!) : null;
    type States = readonly [h: Tensor, c: Tensor];
    const cell = ([h, c]: States, { pre, inside }: { pre: Tensor; inside: Tensor | null }) => {
      const { c: next, out } = lstmStep(pre.add(matmul(h, turned)), c);
      const y = matmul(out, project);
      if (!inside) return [[y, next], y] as const;
      return [[where(inside, y, h), where(inside, next, c)], where(inside, y, zerosLike(y))] as const;
    };
    const [last, y] = scan<States, { pre: Tensor; inside: Tensor | null }, Tensor>(
      cell,
      [states[0]!, states[1]!],
      { pre, inside },
      { reverse },
    );
    return [y, ...last];
  },
});

/** {@link lstmScanOp} with inputs by name: outputs (T, N, P or H), h and c. */
export function lstmScan(inputs: ScanInputs<Tensor>, attrs: LstmScanAttrs): readonly Tensor[] {
  return apply(lstmScanOp, listOf(inputs), attrs);
}

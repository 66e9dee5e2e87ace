// The LSTM's loop (see ../loop.ts): pre (T, N, 4H), gates i, f, g, o → h (T, N, H) and the final h and c.
//
// Cut so that every σ and tanh is a value of its own: gradients reuse it and do not compute it again.

import { apply, apply1, cat, defineOp, expr, matmul, type OpDef, pointwise, split, type Tensor } from "@nn/tensor";
import {
  before,
  f32,
  type LoopAttrs,
  oneMinus,
  orZeros,
  overTime,
  sigmoidGrad,
  stepsOf,
  tanhGrad,
  throughLowering,
  times,
  weightGrad,
} from "../loop.js";

/** f·c + i·g. */
const cellState = /* @__PURE__ */ pointwise<object>("recurrent/lstmCell", ([f, c, i, g]) =>
  expr.call("add", times(f!, c!), times(i!, g!)),
);

/**
 * The activated gates, c, and o · tanh(c), given the gates before σ and tanh (N, 4H).
 *
 * @param peepholes what i and f see of the c before, and o of the next one, (H) each
 */
export function lstmStep(
  pre: Tensor,
  c: Tensor,
  peepholes: readonly Tensor[] = [],
): { gates: readonly Tensor[]; c: Tensor; out: Tensor } {
  const [ci, cf, co] = peepholes;
  const sees = (gate: Tensor, c: Tensor, weight: Tensor | undefined) => (weight ? gate.add(c.mul(weight)) : gate);
  const [a, b, u, v] = split(pre, c.shape[1]!, 1) as [Tensor, Tensor, Tensor, Tensor];
  const [i, f, g] = [sees(a, c, ci).sigmoid(), sees(b, c, cf).sigmoid(), u.tanh()];
  const next = apply1(cellState, [f, c, i, g], {});
  const o = sees(v, next, co).sigmoid();
  return { gates: [i, f, g, o], c: next, out: o.mul(next.tanh()) };
}

/** (pre, h0, c0, weightHh, lengths?) → h (T, N, H), h, c. */
export const lstmLoopOp: OpDef<LoopAttrs> = /* @__PURE__ */ defineOp({
  name: "recurrent/lstmLoop",
  infer: ([pre, h0, c0]) => [f32(...pre!.shape.slice(0, 2), h0!.shape[1]!), h0!, c0!],
  lower: (ins, attrs) => apply(lstmLoopSavingOp, ins, attrs).slice(0, 3),
});

/** The same, and the activated gates (T, N, 4H) and c (T, N, H). */
export const lstmLoopSavingOp: OpDef<LoopAttrs> = /* @__PURE__ */ defineOp<LoopAttrs>({
  name: "recurrent/lstmLoopSaving",
  infer: (ins, attrs) => {
    const outs = lstmLoopOp.infer(ins, attrs);
    return [...outs, f32(...ins[0]!.shape), outs[0]!];
  },
  lower([pre, h0, c0, weightHh, lengths], { reverse }) {
    const inputs = stepsOf(pre!);
    const turned = weightHh!.transpose();
    const { states, collected } = overTime(inputs.length, [h0!, c0!], lengths, reverse, (t, [h, c]) => {
      const { gates, c: next, out } = lstmStep(inputs[t]!.add(matmul(h!, turned)), c!);
      return { states: [out, next], collected: [out, cat(gates, 1), next] };
    });
    return [collected[0]!, ...states, ...collected.slice(1)];
  },
  vjp(ct, { ins, outs, attrs, needs }) {
    if (ct[3] || ct[4]) return throughLowering(lstmLoopSavingOp, ct, ins, attrs);
    const [, h0, c0, weightHh, lengths] = ins as [Tensor, Tensor, Tensor, Tensor, Tensor | undefined];
    const [y, h, c, gates, cells] = outs as [Tensor, Tensor, Tensor, Tensor, Tensor];
    const [dPre, dH, dC] = apply(
      lstmLoopGradOp,
      [
        orZeros(ct[0], y),
        orZeros(ct[1], h),
        orZeros(ct[2], c),
        c0,
        weightHh,
        gates,
        cells,
        ...(lengths ? [lengths] : []),
      ],
      attrs,
    );
    return [dPre!, dH!, dC!, needs[3] ? weightGrad(dPre!, h0, y, attrs, lengths) : null];
  },
});

/** dc + d · o · (1 − tanh²c). */
const cellGrad = /* @__PURE__ */ pointwise<object>("recurrent/lstmCellGrad", ([dc, d, o, t]) =>
  expr.call("add", dc!, times(d!, o!, oneMinus(times(t!, t!)))),
);

/** (dy, dh, dc, c0, weightHh, gates, cells, lengths?) → the gradients of pre, h0 and c0. */
export const lstmLoopGradOp: OpDef<LoopAttrs> = /* @__PURE__ */ defineOp<LoopAttrs>({
  name: "recurrent/lstmLoopGrad",
  infer: ([, dh, dc, , , gates]) => [gates!, dh!, dc!],
  lower([dy, dh, dc, c0, weightHh, gates, cells, lengths], attrs) {
    const all = [dy!, gates!, cells!, before(c0!, cells!, attrs, lengths)].map(stepsOf);
    const { states, collected } = overTime(all[0]!.length, [dh!, dc!], lengths, !attrs.reverse, (t, [dh, dc]) => {
      const [dy, gates, c, c0] = all.map((s) => s[t]!) as [Tensor, Tensor, Tensor, Tensor];
      const [i, f, g, o] = split(gates, c.shape[1]!, 1) as [Tensor, Tensor, Tensor, Tensor];
      const tanhC = c.tanh();
      const d = dy.add(dh!);
      const dCell = apply1(cellGrad, [dc!, d, o, tanhC], {});
      const dPre = cat(
        [sigmoidGrad(dCell, g, i), sigmoidGrad(dCell, c0, f), tanhGrad(dCell, i, g), sigmoidGrad(d, tanhC, o)],
        1,
      );
      return { states: [matmul(dPre, weightHh!), dCell.mul(f)], collected: [dPre] };
    });
    return [collected[0]!, ...states];
  },
});

// The plain RNN's loop (see ../loop.ts): pre (T, N, H) → h (T, N, H) and the final h. The way back needs nothing but the
// outputs, so that there is nothing to save.

import { apply, apply1, defineOp, matmul, type OpDef, pointwise, type Tensor, where, zerosLike } from "@nn/tensor";
import { type LoopAttrs, oneMinus, orZeros, overTime, stepsOf, times, weightGrad } from "../loop.js";

export interface RnnLoopAttrs extends LoopAttrs {
  readonly nonlinearity: "tanh" | "relu";
}

/** (pre, h0, weightHh, lengths?) → h (T, N, H), h. */
export const rnnLoopOp: OpDef<RnnLoopAttrs> = /* @__PURE__ */ defineOp<RnnLoopAttrs>({
  name: "recurrent/rnnLoop",
  infer: ([pre, h0]) => [pre!, h0!],
  lower([pre, h0, weightHh, lengths], { reverse, nonlinearity }) {
    const inputs = stepsOf(pre!);
    const turned = weightHh!.transpose();
    const { states, collected } = overTime(inputs.length, [h0!], lengths, reverse, (t, [h]) => {
      const next = inputs[t]!.add(matmul(h!, turned))[nonlinearity]();
      return { states: [next], collected: [next] };
    });
    return [...collected, ...states];
  },
  vjp(ct, { ins, outs, attrs, needs }) {
    const [, h0, weightHh, lengths] = ins as [Tensor, Tensor, Tensor, Tensor | undefined];
    const [y, h] = outs as [Tensor, Tensor];
    const given = [orZeros(ct[0], y), orZeros(ct[1], h), weightHh, y, ...(lengths ? [lengths] : [])];
    const [dPre, dH] = apply(rnnLoopGradOp, given, attrs);
    return [dPre!, dH!, needs[2] ? weightGrad(dPre!, h0, y, attrs, lengths) : null];
  },
});

/** d · (1 − y²). */
const tanhGrad = /* @__PURE__ */ pointwise<object>("recurrent/rnnTanhGrad", ([d, y]) =>
  times(d!, oneMinus(times(y!, y!))),
);

/** (dy, dh, weightHh, y, lengths?) → the gradients of pre and h0. */
export const rnnLoopGradOp: OpDef<RnnLoopAttrs> = /* @__PURE__ */ defineOp<RnnLoopAttrs>({
  name: "recurrent/rnnLoopGrad",
  infer: ([dy, dh]) => [dy!, dh!],
  lower([dy, dh, weightHh, y, lengths], { reverse, nonlinearity }) {
    const [dys, ys] = [stepsOf(dy!), stepsOf(y!)];
    const { states, collected } = overTime(dys.length, [dh!], lengths, !reverse, (t, [dh]) => {
      const [d, y] = [dys[t]!.add(dh!), ys[t]!];
      const dPre = nonlinearity === "tanh" ? apply1(tanhGrad, [d, y], {}) : where(y.gt(0), d, zerosLike(d));
      return { states: [matmul(dPre, weightHh!)], collected: [dPre] };
    });
    return [...collected, ...states];
  },
});

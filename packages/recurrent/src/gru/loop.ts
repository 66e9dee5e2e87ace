// The GRU's loop (see ../loop.ts): pre (T, N, 3H), gates r, z, n → h (T, N, H) and the final h.
//
// Cut so that every σ and tanh is a value of its own: gradients reuse it and do not compute it again.

import {
  apply,
  apply1,
  cat,
  defineOp,
  expr,
  matmul,
  type OpDef,
  pointwise,
  type Spec,
  split,
  sum,
  type Tensor,
} from "@nn/tensor";
import {
  before,
  f32,
  type LoopAttrs,
  oneMinus,
  orZeros,
  overTime,
  sigmoidGrad,
  stepsOf,
  throughLowering,
  times,
  weightGrad,
} from "../loop.js";

export interface GruLoopAttrs extends LoopAttrs {
  /** Whether there is a bias of W_hh·h. */
  readonly bias: boolean;
}

const candidate = /* @__PURE__ */ pointwise<object>("recurrent/gruCandidate", ([x, r, h]) =>
  expr.call("tanh", expr.call("add", x!, times(r!, h!))),
);
/** n + z·(h − n), which is (1 − z)·n + z·h. */
const blend = /* @__PURE__ */ pointwise<object>("recurrent/gruBlend", ([z, n, h]) =>
  expr.call("add", n!, times(z!, expr.call("sub", h!, n!))),
);

export const nextState = (z: Tensor, n: Tensor, h: Tensor): Tensor => apply1(blend, [z, n, h], {});

/** A step, given what the input and what h add to r and z (N, 2H) and to n (N, H), in this order. */
export function gruStep(
  [xrz, xn]: readonly [Tensor, Tensor],
  [hrz, hn]: readonly [Tensor, Tensor],
  h: Tensor,
): { r: Tensor; z: Tensor; n: Tensor; next: Tensor } {
  const [r, z] = split(xrz.add(hrz).sigmoid(), h.shape[1]!, 1) as [Tensor, Tensor];
  const n = apply1(candidate, [xn, r, hn], {});
  return { r, z, n, next: nextState(z, n, h) };
}

/** The optional ones of a loop's inputs, which come last. */
const rest = <T>(ins: readonly T[], from: number, { bias, lengths }: GruLoopAttrs): [T | undefined, T | undefined] => [
  bias ? ins[from] : undefined,
  lengths ? ins[bias ? from + 1 : from] : undefined,
];

/** (pre, h0, weightHh, biasHh?, lengths?) → h (T, N, H), h. */
export const gruLoopOp: OpDef<GruLoopAttrs> = /* @__PURE__ */ defineOp({
  name: "recurrent/gruLoop",
  infer: ([pre, h0]) => [f32(...pre!.shape.slice(0, 2), h0!.shape[1]!), h0!],
  lower: (ins, attrs) => apply(gruLoopSavingOp, ins, attrs).slice(0, 2),
});

/** The same, and r, z, n and W_hn·h + b_hn, all in (T, N, 4H). */
export const gruLoopSavingOp: OpDef<GruLoopAttrs> = /* @__PURE__ */ defineOp<GruLoopAttrs>({
  name: "recurrent/gruLoopSaving",
  infer: (ins, attrs) => {
    const [y, h] = gruLoopOp.infer(ins, attrs) as [Spec, Spec];
    return [y, h, f32(...y.shape.slice(0, 2), 4 * h.shape[1]!)];
  },
  lower(ins, attrs) {
    const [pre, h0, weightHh] = ins as [Tensor, Tensor, Tensor];
    const [biasHh, lengths] = rest(ins, 3, attrs);
    const turned = weightHh.transpose();
    const size = h0.shape[1]!;
    const parts = [2 * size, size];
    const [xrz, xn] = split(pre, parts, 2).map(stepsOf);
    const { states, collected } = overTime(xn!.length, [h0], lengths, attrs.reverse, (t, [h]) => {
      const product = matmul(h!, turned);
      const [hrz, hn] = split(biasHh ? product.add(biasHh) : product, parts, 1);
      const { r, z, n, next } = gruStep([xrz![t]!, xn![t]!], [hrz!, hn!], h!);
      return { states: [next], collected: [next, cat([r, z, n, hn!], 1)] };
    });
    return [collected[0]!, ...states, collected[1]!];
  },
  vjp(ct, { ins, outs, attrs, needs }) {
    if (ct[2]) return throughLowering(gruLoopSavingOp, ct, ins, attrs);
    const [, h0, weightHh] = ins as [Tensor, Tensor, Tensor];
    const [, lengths] = rest(ins, 3, attrs);
    const [y, h, saved] = outs as [Tensor, Tensor, Tensor];
    const given = [orZeros(ct[0], y), orZeros(ct[1], h), h0, weightHh, y, saved, ...(lengths ? [lengths] : [])];
    const { reverse } = attrs;
    const [dPre, dProduct, dH] = apply(gruLoopGradOp, given, { reverse, lengths: attrs.lengths });
    return [
      dPre!,
      dH!,
      needs[2] ? weightGrad(dProduct!, h0, y, attrs, lengths) : null,
      attrs.bias && needs[3] ? sum(dProduct!, [0, 1]) : null,
    ];
  },
});

/** d · (1 − z) · (1 − n²). */
const candidateGrad = /* @__PURE__ */ pointwise<object>("recurrent/gruCandidateGrad", ([d, z, n]) =>
  times(d!, oneMinus(z!), oneMinus(times(n!, n!))),
);

/** (dy, dh, h0, weightHh, y, saved, lengths?) → the gradients of pre, of W_hh·h + b_hh (T, N, 3H), and of h0. */
export const gruLoopGradOp: OpDef<LoopAttrs> = /* @__PURE__ */ defineOp<LoopAttrs>({
  name: "recurrent/gruLoopGrad",
  infer: ([dy, dh]) => {
    const pre = f32(...dy!.shape.slice(0, 2), 3 * dh!.shape[1]!);
    return [pre, pre, dh!];
  },
  lower([dy, dh, h0, weightHh, y, saved, lengths], attrs) {
    const all = [dy!, saved!, before(h0!, y!, attrs, lengths)].map(stepsOf);
    const { states, collected } = overTime(all[0]!.length, [dh!], lengths, !attrs.reverse, (t, [dh]) => {
      const [dy, saved, h] = all.map((s) => s[t]!) as [Tensor, Tensor, Tensor];
      const [r, z, n, q] = split(saved, h.shape[1]!, 1) as [Tensor, Tensor, Tensor, Tensor];
      const d = dy.add(dh!);
      const dN = apply1(candidateGrad, [d, z, n], {});
      const dRZ = [sigmoidGrad(dN, q, r), sigmoidGrad(d, h.sub(n), z)];
      const dProduct = cat([...dRZ, dN.mul(r)], 1);
      return {
        states: [matmul(dProduct, weightHh!).add(d.mul(z))],
        collected: [cat([...dRZ, dN], 1), dProduct],
      };
    });
    return [...collected, ...states];
  },
});

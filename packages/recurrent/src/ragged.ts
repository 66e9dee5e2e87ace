// Products over the steps that rows of unequal length have: what comes before a loop (X·W_ih) and after it (the gradients of
// the weights). They lower to products that include the padding; kernels leave it out.

import {
  add,
  apply1,
  arange,
  defineOp,
  fail,
  matmul,
  type OpDef,
  show,
  type Tensor,
  transpose,
  unsqueeze,
  where,
  zerosLike,
} from "@nn/tensor";

/** (T, N, 1) bool: whether step t of a row is before its end. */
export function isInside(lengths: Tensor, steps: number): Tensor {
  return unsqueeze(unsqueeze(arange(steps), 1).lt(lengths), 2);
}

/** x where a row of it is before its end, else 0. */
export const inside = (x: Tensor, lengths: Tensor): Tensor => where(isInside(lengths, x.shape[0]!), x, zerosLike(x));
const flat = (x: Tensor): Tensor => x.reshape([-1, x.shape.at(-1)!]);

/** (x (T, N, K), weight (M, K), lengths (N), bias (M)?) → x · weightᵀ + bias (T, N, M), 0 past a row's end. */
export const raggedProductOp: OpDef<object> = /* @__PURE__ */ defineOp<object>({
  name: "recurrent/raggedProduct",
  infer: ([x, weight, lengths, bias]) => {
    const [steps, rows, k] = x!.shape as [number, number, number];
    const [m] = weight!.shape as [number, number];
    if (weight!.shape[1] !== k || lengths!.shape[0] !== rows || (bias && bias.shape[0] !== m)) {
      fail({
        op: "raggedProduct",
        expected: "x (T, N, K), weight (M, K), lengths (N), bias (M)",
        got: [x, weight, lengths, bias].flatMap((t) => (t ? [show(t.shape)] : [])).join(", "),
      });
    }
    return [{ shape: [steps, rows, m], dtype: "f32" }];
  },
  lower([x, weight, lengths, bias]) {
    const y = matmul(inside(x!, lengths!), transpose(weight!));
    return [inside(bias ? add(y, bias) : y, lengths!)];
  },
  vjp([ct], { ins: [x, weight, lengths, bias], needs }) {
    const of = (need: number, gradient: () => Tensor) => (needs[need] ? gradient() : null);
    return [
      of(0, () => raggedProduct(ct!, transpose(weight!), lengths!)),
      of(1, () => raggedWeightGrad(ct!, x!, lengths!)),
      null,
      ...(bias ? [of(3, () => inside(ct!, lengths!).sum([0, 1]))] : []),
    ];
  },
});

/** {@link raggedProductOp}. What x holds past a row's end does not matter, not even NaN. */
export function raggedProduct(x: Tensor, weight: Tensor, lengths: Tensor, bias?: Tensor): Tensor {
  return apply1(raggedProductOp, [x, weight, lengths, ...(bias ? [bias] : [])], {});
}

/** (d (T, N, M), x (T, N, K), lengths (N)) → Σ dᵀ · x (M, K) over the steps before the rows' ends. */
export const raggedWeightGradOp: OpDef<object> = /* @__PURE__ */ defineOp<object>({
  name: "recurrent/raggedWeightGrad",
  infer: ([d, x]) => [{ shape: [d!.shape[2]!, x!.shape[2]!], dtype: "f32" }],
  lower: ([d, x, lengths]) => [matmul(transpose(flat(inside(d!, lengths!))), flat(inside(x!, lengths!)))],
  vjp([ct], { ins: [d, x, lengths], needs }) {
    return [
      needs[0] ? raggedProduct(x!, ct!, lengths!) : null,
      needs[1] ? raggedProduct(d!, transpose(ct!), lengths!) : null,
      null,
    ];
  },
});

/** {@link raggedWeightGradOp}. */
export function raggedWeightGrad(d: Tensor, x: Tensor, lengths: Tensor): Tensor {
  return apply1(raggedWeightGradOp, [d, x, lengths], {});
}

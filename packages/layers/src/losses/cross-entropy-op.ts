// Cross entropy of class numbers and its gradient as ops, so that a backend may have a kernel for each.

import {
  apply1,
  defineOp,
  fail,
  gather,
  grad,
  logSoftmax,
  ne,
  type OpDef,
  type Spec,
  show,
  type Tensor,
  where,
} from "@nn/tensor";
import { checkIntegers, withNumbersOf } from "../check.js";

/** Attributes of {@link crossEntropyOp} and {@link crossEntropyGradOp}. */
export interface CrossEntropyAttrs {
  /** Of the classes. */
  readonly axis: number;
  /** Targets of this class count nothing. */
  readonly ignoreIndex: number;
}

/**
 * `"layers/crossEntropy"`: (x, classes along `axis`; class numbers without it) → the loss of each target,
 * `−log softmax(x)[target]`, and 0 for one that does not count.
 */
export const crossEntropyOp: OpDef<CrossEntropyAttrs> = /* @__PURE__ */ defineOp<CrossEntropyAttrs>({
  name: "layers/crossEntropy",
  infer([x, target], { axis }) {
    checkClasses("crossEntropy", x!, target!, axis);
    return [{ shape: target!.shape, dtype: "f32" }];
  },
  lower: ([x, target], attrs) => [lossOf("crossEntropy", logSoftmax(x!, attrs.axis), target!, attrs)],
  vjp: ([ct], { ins: [x, target], attrs }) => [apply1(crossEntropyGradOp, [ct!, x!, target!], attrs), null],
});

/**
 * `"layers/crossEntropyGrad"`: (ct, one for each target; x; class numbers) → the gradient of x,
 * `(softmax(x) − 1 at the target) · ct`, and 0 where the target does not count. Its own gradient is that of its lowering.
 */
export const crossEntropyGradOp: OpDef<CrossEntropyAttrs> = /* @__PURE__ */ defineOp<CrossEntropyAttrs>({
  name: "layers/crossEntropyGrad",
  infer: ([, x]) => [x!],
  // A compiled step shares with the loss what is computed again.
  lower: ([ct, x, target], attrs) => grad(() => crossEntropyOp.lower!([x!, target!], attrs)[0]!.mul(ct!).sum(), [x!]),
});

/** Per target `−logp` of its class, 0 where it does not count. */
export function lossOf(op: string, logp: Tensor, target: Tensor, { axis, ignoreIndex }: CrossEntropyAttrs): Tensor {
  const counts = ne(target, ignoreIndex);
  const at = where(counts, target, 0).unsqueeze(axis);
  const hint = "Check the labels, or set ignoreIndex.";
  const chosen = withNumbersOf(op, "class numbers", logp.shape[axis]!, hint, () => gather(logp, axis, at));
  // Not times 0: a target that does not count may stand before a log-probability of −∞.
  return where(counts, chosen.reshape(target.shape).neg(), 0);
}

/** Checks class numbers: the shape of x without the axis of the classes. */
export function checkClasses(op: string, x: Spec, target: Spec, axis: number): void {
  checkIntegers(op, "class numbers", target);
  const want = show(x.shape.toSpliced(axis, 1));
  if (show(target.shape) === want) return;
  fail({
    op,
    expected: `targets ${want} for input ${show(x.shape)}`,
    got: show(target.shape),
    hint: "Classes are axis 1 of the input; targets are class numbers, without that axis.",
  });
}

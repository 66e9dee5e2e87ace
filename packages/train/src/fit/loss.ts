// The loss of a batch: as the loss function has it, or a weighted mean of the samples' losses.

import { fail, indexSelect, scope, show, type Tensor, where } from "@nn/tensor";
import { type Batch, isTensor, type Tensors } from "../structure.js";

/**
 * A loss: a function of output and target, or a module. It gives a scalar, or a tensor that is averaged. Batches `[x]` have no target: the loss is
 * of the output alone, `(output) => Tensor`. Where samples or classes have weights it is called with `{ reduction: "none" }`, as the
 * losses of @nn/layers want it, and gives a loss per target.
 */
export type Loss =
  | ((output: any, target: any, options?: { reduction: "none" }) => Tensor)
  | { forward(output: any, target: any): Tensor };

/** What weights a loss is to be given. */
export interface Weighting {
  /** One weight per class, (C): targets must be class numbers, i32. */
  readonly classWeights?: Tensor;
  /** Weights of the samples, (N), from a batch; beside those that come with it. */
  readonly sampleWeights?: (x: any, y: any) => Tensor;
}

/** The scalar loss of a batch. With weights: the sum of weight times loss, over the sum of the weights, as PyTorch's class weights. */
export function lossOf(op: string, loss: Loss, output: Tensors, [x, y, given]: Batch, weighting: Weighting): Tensor {
  const { classWeights, sampleWeights } = weighting;
  if (y === undefined && parametersOf(loss) > 1) {
    fail({
      op,
      expected: "batches [x, y], as the loss is one of output and target",
      got: "batches [x] without a target",
      hint: "Give dataset() a second column, or take a loss of the output alone: (output) => ….",
    });
  }
  return scope(() => {
    const call = (options?: { reduction: "none" }) =>
      typeof loss === "function" ? loss(output, y, options) : loss.forward(output, y);
    if (!given && !classWeights && !sampleWeights) {
      const value = call();
      return value.rank === 0 ? value : value.mean();
    }
    const each = call({ reduction: "none" });
    if (each.rank === 0) {
      fail({
        op,
        expected: "a loss per sample, as samples or classes have weights",
        got: "a scalar",
        hint: 'The loss is called as loss(output, target, { reduction: "none" }); make a module with { reduction: "none" }.',
      });
    }
    const factors = [given, sampleWeights?.(x, y)].flatMap((w) => (w ? [perSample(op, w, each)] : []));
    if (classWeights) factors.push(perClass(op, classWeights, y, each));
    const weights = factors.reduce((a, b) => a.mul(b)).expand(each.shape);
    // A batch without any weight has loss 0, not NaN.
    return each.mul(weights).sum().div(weights.sum().maximum(1e-12));
  });
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

/** How many parameters a loss has that must be given. A Module wraps its own `forward`, so that of its class is asked. */
function parametersOf(loss: Loss): number {
  return typeof loss === "function" ? loss.length : (Object.getPrototypeOf(loss).forward ?? loss.forward).length;
}

function perSample(op: string, weights: Tensor, each: Tensor): Tensor {
  const [n] = each.shape;
  if (weights.rank !== 1 || weights.shape[0] !== n) {
    fail({ op, expected: `weights of the samples (${n})`, got: show(weights.shape) });
  }
  return weights.cast("f32").reshape([n, ...each.shape.slice(1).map(() => 1)]);
}

function perClass(op: string, weights: Tensor, y: Tensors | undefined, each: Tensor): Tensor {
  if (!isTensor(y) || y.dtype === "f32" || show(y.shape) !== show(each.shape)) {
    fail({
      op,
      expected: `class numbers, one per loss: i32 ${show(each.shape)}, as there are classWeights`,
      got: isTensor(y) ? `targets ${y.dtype} ${show(y.shape)}` : y ? "several targets" : "no targets",
      hint: "For other targets give the loss its own weights.",
    });
  }
  const classes = weights.shape[0];
  const counts = y.ge(0).logicalAnd(y.lt(classes)); // an ignored index weighs nothing
  return where(counts, indexSelect(weights, 0, where(counts, y, 0).flatten()).reshape(y.shape), 0);
}

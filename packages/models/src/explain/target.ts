// Which output is to be explained.

import { fail, oneHot, show, Tensor, tensor } from "@nn/tensor";

/**
 * A class for all samples, a class per sample, or a function from the model's output to the scalar to explain. Samples
 * do not see each other, so the sum over them has the gradient of each.
 */
export type Target = number | readonly number[] | ((output: any) => Tensor);

/** The scalar whose gradient explains the target. */
export function scoreOf(op: string, output: unknown, target: Target): Tensor {
  if (typeof target === "function") return target(output);
  if (!(output instanceof Tensor) || output.rank !== 2) {
    fail({
      op,
      expected: "a model with outputs (N, classes)",
      got: output instanceof Tensor ? show(output.shape) : typeof output,
      hint: "Give a function from the output to a scalar as target.",
    });
  }
  const [n, classes] = output.shape as [number, number];
  const each = typeof target === "number" ? new Array<number>(n).fill(target) : target;
  if (each.length !== n || !each.every((c) => Number.isInteger(c) && c >= 0 && c < classes)) {
    const got = typeof target === "number" ? `${target}` : `[${target.join(", ")}]`;
    fail({ op, expected: `target: a class from 0 to ${classes - 1}, or ${n} of them`, got });
  }
  return output.mul(oneHot(tensor(each, { dtype: "i32" }), classes)).sum();
}

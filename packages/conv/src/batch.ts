// One sample without a batch axis, as PyTorch's layers take it.

import { fail, scope, show, squeeze, type Tensor, unsqueeze } from "@nn/tensor";
import { axisNames } from "./spatial.js";

/**
 * Runs `body` on x (N, C, …) with that many spatial axes; one sample (C, …) becomes a batch of one, and its result one
 * sample again.
 *
 * @param channels how many there should be, or `"C"`: for errors
 */
export function inBatch(
  op: string,
  x: Tensor,
  axes: number,
  channels: number | "C",
  body: (x: Tensor) => Tensor,
): Tensor {
  if (x.rank === axes + 2) return body(x);
  if (x.rank === axes + 1) return scope(() => squeeze(body(unsqueeze(x, 0)), 0));
  const rest = `${channels}, ${axisNames(axes)}`;
  return fail({ op, expected: `x (N, ${rest}) or (${rest})`, got: show(x.shape) });
}

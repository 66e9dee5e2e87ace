// Flatten: several axes become one.

import { fail, Module, type Tensor } from "@nn/tensor";

/**
 * Merges the axes from `start` to `end` into one, as
 * [torch.nn.Flatten](https://pytorch.org/docs/stable/generated/torch.nn.Flatten.html): by default all but the first.
 *
 * x (N, C, H, W) → (N, C · H · W). No state.
 *
 * @example
 * ```ts
 * new Flatten().forward(zeros([8, 16, 7, 7])).shape; // [8, 784]
 * ```
 */
export class Flatten extends Module {
  /**
   * @param start first axis to merge (default 1)
   * @param end last axis to merge (default −1: the last)
   * @throws if they are not whole numbers
   */
  constructor(
    readonly start = 1,
    readonly end = -1,
  ) {
    super();
    if (!Number.isInteger(start) || !Number.isInteger(end)) {
      fail({ op: "Flatten", expected: "start and end to be axes", got: `${start} and ${end}` });
    }
  }

  /** @throws if x does not have these axes */
  override forward(x: Tensor): Tensor {
    return x.flatten(this.start, this.end);
  }
}

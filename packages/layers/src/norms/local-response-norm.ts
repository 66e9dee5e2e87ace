// LocalResponseNorm: divides by the squares of neighbouring channels.

import { fail, Module, pad, scope, show, slidingWindow, type Tensor } from "@nn/tensor";
import { checkCount, checkNumber } from "../check.js";

/** Options of {@link LocalResponseNorm}. */
export interface LocalResponseNormOptions {
  /** Factor of the mean square (default 1e-4). */
  readonly alpha?: number;
  /** Power of the divisor (default 0.75). */
  readonly beta?: number;
  /** Added to it (default 1). */
  readonly k?: number;
}

/**
 * Divides by the mean square of `size` neighbouring channels (Krizhevsky et al., 2012;
 * [torch.nn.LocalResponseNorm](https://pytorch.org/docs/stable/generated/torch.nn.LocalResponseNorm.html)):
 * `x / (k + alpha · mean of x²)^beta`, channels beyond the first and last counting as 0.
 *
 * x (N, C, …) with at least 3 axes → the same. No state.
 *
 * @example
 * ```ts
 * new LocalResponseNorm(5).forward(randn([2, 16, 8, 8]));
 * ```
 */
export class LocalResponseNorm extends Module {
  readonly options: LocalResponseNormOptions;

  /**
   * @param size neighbouring channels, the channel itself included; of an even number one more lies before
   * @throws if size is not a whole number ≥ 1, or an option no finite number
   */
  constructor(
    readonly size: number,
    options: LocalResponseNormOptions = {},
  ) {
    super();
    checkCount("LocalResponseNorm", "size", size);
    for (const [name, value] of Object.entries(options)) checkNumber("LocalResponseNorm", name, value);
    this.options = { ...options };
  }

  override forward(x: Tensor): Tensor {
    return localResponseNorm(x, this.size, this.options);
  }
}

/**
 * {@link LocalResponseNorm} as a function, as
 * [torch.nn.functional.local_response_norm](https://pytorch.org/docs/stable/generated/torch.nn.functional.local_response_norm.html).
 *
 * @throws if x has less than 3 axes
 * @example
 * ```ts
 * localResponseNorm(ones([1, 1, 1]), 1, { alpha: 3, beta: 0.5 }); // [[[0.5]]]
 * ```
 */
export function localResponseNorm(
  x: Tensor,
  size: number,
  { alpha = 1e-4, beta = 0.75, k = 1 }: LocalResponseNormOptions = {},
): Tensor {
  const op = "localResponseNorm";
  checkCount(op, "size", size);
  if (x.rank < 3) fail({ op, expected: "x (N, C, …) with at least 3 axes", got: show(x.shape) });
  return scope(() => {
    const before = Math.floor(size / 2);
    const pairs = x.shape.map((_, axis) => (axis === 1 ? [before, size - 1 - before] : [0, 0]) as [number, number]);
    const meanSquare = slidingWindow(pad(x.square(), pairs), 1, size).mean(-1);
    return x.div(meanSquare.mul(alpha).add(k).pow(beta));
  });
}

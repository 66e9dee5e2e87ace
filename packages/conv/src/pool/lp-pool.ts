// LP-pooling: the p-norm of every window, as average-pooling of powers.

import { fail, Module, scope, type Tensor, where } from "@nn/tensor";
import type { Size } from "../spatial.js";
import { avgPool } from "./avg-pool.js";
import { type PoolOptions, pooled, poolWindows } from "./windows.js";

/** Options of {@link lpPool}, as `torch.nn.functional.lp_pool2d` has them. */
export type LPPoolOptions = Omit<PoolOptions, "padding">;

/**
 * `(Σ xᵖ)^(1/p)` over every window of the spatial axes: 1 sums, 2 is the Euclidean norm. The gradient where a sum is 0
 * is 0. As in PyTorch there is no absolute value, so that an odd p gives NaN where a sum is negative; and with `ceilMode`
 * what a window reaches over the end counts as its mean.
 *
 * As [torch.nn.functional.lp_pool1d, lp_pool2d and lp_pool3d](https://pytorch.org/docs/stable/generated/torch.nn.functional.lp_pool2d.html).
 *
 * @param x (N, C, …spatial) f32 with 1–3 spatial axes; without a batch, give one kernel size per axis
 * @param normType p, a number > 0
 * @param kernelSize elements of a window: one number, or one per axis
 * @returns (N, C, …), each axis of `⌊(size − kernel) / stride⌋ + 1` (`ceilMode`: ⌈ ⌉)
 * @throws {@link NNError} if the kernel does not fit, or normType is no number > 0
 * @example
 * ```ts
 * lpPool(tensor([[[3, 4, 5, 12]]]), 2, 2); // [[[5, 13]]]
 * ```
 */
export function lpPool(x: Tensor, normType: number, kernelSize: Size, options: LPPoolOptions = {}): Tensor {
  const op = "conv/lpPool";
  const p = checkNorm(op, normType);
  return scope(() =>
    pooled(op, x, kernelSize, (batch) => {
      const { kernelSize: kernel } = poolWindows(op, kernelSize, options, batch.rank - 2);
      const powers = p === 1 ? batch : p === 2 ? batch.square() : batch.pow(p);
      const sums = avgPool(powers, kernel, options).mul(kernel.reduce((a, b) => a * b, 1));
      if (p === 1) return sums;
      const none = sums.eq(0);
      const some = where(none, 1, sums);
      return where(none, 0, p === 2 ? some.sqrt() : some.pow(1 / p));
    }),
  );
}

/** What LPPool1d, LPPool2d and LPPool3d have in common. */
abstract class LPPool extends Module {
  readonly normType: number;
  readonly kernelSize: readonly number[];
  readonly options: LPPoolOptions;

  constructor(axes: number, normType: number, kernelSize: Size, options: LPPoolOptions) {
    super();
    const name = this.constructor.name;
    this.normType = checkNorm(name, normType);
    this.kernelSize = poolWindows(name, kernelSize, options, axes).kernelSize;
    this.options = { ...options };
  }

  /**
   * @param x (N, C, …spatial), or (C, …spatial) without a batch
   * @returns the p-norm of each window; see {@link lpPool}
   */
  override forward(x: Tensor): Tensor {
    return lpPool(x, this.normType, this.kernelSize, this.options);
  }
}

/**
 * LP-pooling over one axis.
 * As [torch.nn.LPPool1d](https://pytorch.org/docs/stable/generated/torch.nn.LPPool1d.html).
 *
 * @example
 * ```ts
 * new LPPool1d(2, 3).forward(zeros([2, 4, 11])).shape; // [2, 4, 3]
 * ```
 */
export class LPPool1d extends LPPool {
  /**
   * @param normType p: 1 sums, 2 is the Euclidean norm
   * @param kernelSize elements of a window
   * @param options stride kernelSize and ceilMode false where not given
   * @throws {@link NNError} if an option does not fit
   */
  constructor(normType: number, kernelSize: Size, options: LPPoolOptions = {}) {
    super(1, normType, kernelSize, options);
  }
}

/**
 * LP-pooling over two axes.
 * As [torch.nn.LPPool2d](https://pytorch.org/docs/stable/generated/torch.nn.LPPool2d.html).
 *
 * @example
 * ```ts
 * new LPPool2d(2, 2).forward(zeros([8, 16, 28, 28])).shape; // [8, 16, 14, 14]
 * ```
 */
export class LPPool2d extends LPPool {
  /**
   * @param normType p: 1 sums, 2 is the Euclidean norm
   * @param kernelSize one number, or [height, width]
   * @param options stride kernelSize and ceilMode false where not given
   * @throws {@link NNError} if an option does not fit
   */
  constructor(normType: number, kernelSize: Size, options: LPPoolOptions = {}) {
    super(2, normType, kernelSize, options);
  }
}

/**
 * LP-pooling over three axes.
 * As [torch.nn.LPPool3d](https://pytorch.org/docs/stable/generated/torch.nn.LPPool3d.html).
 *
 * @example
 * ```ts
 * new LPPool3d(2, [1, 2, 2]).forward(zeros([2, 4, 8, 16, 16])).shape; // [2, 4, 8, 8, 8]
 * ```
 */
export class LPPool3d extends LPPool {
  /**
   * @param normType p: 1 sums, 2 is the Euclidean norm
   * @param kernelSize one number, or [depth, height, width]
   * @param options stride kernelSize and ceilMode false where not given
   * @throws {@link NNError} if an option does not fit
   */
  constructor(normType: number, kernelSize: Size, options: LPPoolOptions = {}) {
    super(3, normType, kernelSize, options);
  }
}

function checkNorm(op: string, p: number): number {
  if (Number.isFinite(p) && p > 0) return p;
  return fail({
    op,
    expected: "normType: a number > 0",
    got: `${p}`,
    hint: "For the greatest element use max-pooling.",
  });
}

// BatchNorm: normalises each channel by the batch, or by the running statistics.

import { apply, fail, scope, show, type Tensor } from "@nn/tensor";
import { batchNormOp, perChannel } from "./batch-norm-op.js";
import { ChannelNorm } from "./channel-norm.js";

/** Options of {@link BatchNorm1d}, {@link BatchNorm2d} and {@link BatchNorm3d}. */
export interface BatchNormOptions {
  /** Added to the variance (default 1e-5). */
  readonly eps?: number;
  /** Weight of a new batch in the running statistics (default 0.1); `null`: the plain mean of all batches so far. */
  readonly momentum?: number | null;
  /** Whether to learn a scale and a shift per channel (default true). */
  readonly affine?: boolean;
  /** Whether to keep running statistics for evaluation (default true); without, every batch is normalised by itself. */
  readonly trackRunningStats?: boolean;
}

/** What BatchNorm1d, 2d and 3d share; channels are axis 1. */
export abstract class BatchNorm extends ChannelNorm {
  /** @throws if numFeatures is not a whole number ≥ 1, eps < 0, or momentum is not from 0 to 1 */
  constructor(
    numFeatures: number,
    { eps = 1e-5, momentum = 0.1, affine = true, trackRunningStats = true }: BatchNormOptions = {},
  ) {
    super(numFeatures, { eps, momentum, affine, trackRunningStats });
  }

  /** @throws if x has another rank or number of channels, or one value per channel to take the statistics of */
  override forward(x: Tensor): Tensor {
    this.check("batchNorm", x);
    return scope(() => this.byRunning(x) ?? this.#byBatch(x));
  }

  #byBatch(x: Tensor): Tensor {
    const n = perChannel(x);
    if (n <= 1) {
      fail({
        op: "batchNorm",
        expected: "more than one value per channel to take the variance of",
        got: show(x.shape),
        hint: "Use a larger batch, or eval().",
      });
    }
    const [y, mean, variance] = apply(batchNormOp, [x, ...this.affine()], { eps: this.eps });
    const counter = this.num_batches_tracked;
    if (this.training && counter) {
      counter.value = counter.value.add(1);
      const share = this.momentum ?? counter.value.cast("f32").reciprocal();
      // The running variance is unbiased, though the forward pass uses the biased one: as PyTorch.
      this.track(mean!, variance!.mul(n / (n - 1)), share);
    }
    return y!;
  }
}

/**
 * {@link BatchNorm2d} over (N, C) or (N, C, L):
 * [torch.nn.BatchNorm1d](https://pytorch.org/docs/stable/generated/torch.nn.BatchNorm1d.html).
 *
 * @example
 * ```ts
 * new BatchNorm1d(16).forward(randn([32, 16]));
 * ```
 */
export class BatchNorm1d extends BatchNorm {
  protected override readonly forms = [
    ["N", "C"],
    ["N", "C", "L"],
  ];
}

/**
 * Normalises each channel over batch and positions (Ioffe and Szegedy, 2015;
 * [torch.nn.BatchNorm2d](https://pytorch.org/docs/stable/generated/torch.nn.BatchNorm2d.html)): in training by the batch,
 * in evaluation by the running statistics. The batch is normalised by its biased variance, the running one is unbiased.
 *
 * x (N, C, H, W) → the same. State: `weight`, `bias`, `running_mean`, `running_var` (C), `num_batches_tracked` () i32.
 *
 * @example
 * ```ts
 * const bn = new BatchNorm2d(16);
 * bn.forward(randn([8, 16, 7, 7]));        // normalises by the batch, and updates the running statistics
 * bn.eval().forward(randn([1, 16, 7, 7])); // normalises by the running statistics
 * ```
 */
export class BatchNorm2d extends BatchNorm {
  protected override readonly forms = [["N", "C", "H", "W"]];
}

/**
 * {@link BatchNorm2d} over (N, C, D, H, W):
 * [torch.nn.BatchNorm3d](https://pytorch.org/docs/stable/generated/torch.nn.BatchNorm3d.html).
 *
 * @example
 * ```ts
 * new BatchNorm3d(4).forward(randn([2, 4, 3, 5, 5]));
 * ```
 */
export class BatchNorm3d extends BatchNorm {
  protected override readonly forms = [["N", "C", "D", "H", "W"]];
}

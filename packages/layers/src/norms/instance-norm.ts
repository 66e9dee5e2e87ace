// InstanceNorm: normalises each channel of each sample, or by the running statistics.

import { apply, expand, fail, reshape, scope, show, type Tensor } from "@nn/tensor";
import { batchNormOp, perChannel } from "./batch-norm-op.js";
import { ChannelNorm } from "./channel-norm.js";

/** Options of {@link InstanceNorm1d}, {@link InstanceNorm2d} and {@link InstanceNorm3d}. */
export interface InstanceNormOptions {
  /** Added to the variance (default 1e-5). */
  readonly eps?: number;
  /** Weight of a new batch in the running statistics (default 0.1). */
  readonly momentum?: number;
  /** Whether to learn a scale and a shift per channel (default false). */
  readonly affine?: boolean;
  /** Whether to keep running statistics, and to use them in evaluation (default false). */
  readonly trackRunningStats?: boolean;
}

/** What InstanceNorm1d, 2d and 3d share. */
abstract class InstanceNorm extends ChannelNorm {
  /** @throws if numFeatures is not a whole number ≥ 1, eps < 0, or momentum is not from 0 to 1 */
  constructor(
    numFeatures: number,
    { eps = 1e-5, momentum = 0.1, affine = false, trackRunningStats = false }: InstanceNormOptions = {},
  ) {
    super(numFeatures, { eps, momentum, affine, trackRunningStats });
  }

  /** @throws if x has another rank or number of channels, or one position to take the statistics of */
  override forward(x: Tensor): Tensor {
    this.check("instanceNorm", x);
    return scope(() => {
      const batch = x.rank === this.forms[0]!.length ? x : x.unsqueeze(0);
      return (this.byRunning(batch) ?? this.#byInstance(batch)).reshape(x.shape);
    });
  }

  /** The channels of all samples are the channels of one. */
  #byInstance(x: Tensor): Tensor {
    const [batch, channels, ...size] = x.shape as [number, number, ...number[]];
    const n = perChannel(x) / batch;
    if (n === 1) {
      fail({
        op: "instanceNorm",
        expected: "more than one position to take the variance of",
        got: show(x.shape),
        hint: "Use larger inputs.",
      });
    }
    const each = (t: Tensor) => reshape(expand(t, [batch, channels]), [batch * channels]);
    const ins = [reshape(x, [1, batch * channels, ...size]), ...this.affine().map(each)];
    const [y, mean, variance] = apply(batchNormOp, ins, { eps: this.eps });
    if (this.training) {
      const average = (t: Tensor) => reshape(t, [batch, channels]).mean(0);
      const share = this.momentum ?? fail({ op: "instanceNorm", expected: "momentum as a number", got: "null" });
      this.track(average(mean!), average(variance!).mul(n / (n - 1)), share);
    }
    return y!;
  }
}

/**
 * {@link InstanceNorm2d} over (N, C, L) or (C, L):
 * [torch.nn.InstanceNorm1d](https://pytorch.org/docs/stable/generated/torch.nn.InstanceNorm1d.html).
 *
 * @example
 * ```ts
 * new InstanceNorm1d(4).forward(randn([2, 4, 20]));
 * ```
 */
export class InstanceNorm1d extends InstanceNorm {
  protected override readonly forms = [
    ["N", "C", "L"],
    ["C", "L"],
  ];
}

/**
 * Normalises each channel of each sample over its positions (Ulyanov et al., 2016;
 * [torch.nn.InstanceNorm2d](https://pytorch.org/docs/stable/generated/torch.nn.InstanceNorm2d.html)), by the biased
 * variance; with `trackRunningStats`, in evaluation by the running means of both, the variance unbiased.
 *
 * x (N, C, H, W) or (C, H, W) → the same. State: with `affine` `weight`, `bias` (C); with `trackRunningStats`
 * `running_mean`, `running_var` (C), and PyTorch's `num_batches_tracked`, which stays 0 as there.
 *
 * @example
 * ```ts
 * new InstanceNorm2d(3, { affine: true }).forward(randn([2, 3, 8, 8]));
 * ```
 */
export class InstanceNorm2d extends InstanceNorm {
  protected override readonly forms = [
    ["N", "C", "H", "W"],
    ["C", "H", "W"],
  ];
}

/**
 * {@link InstanceNorm2d} over (N, C, D, H, W) or (C, D, H, W):
 * [torch.nn.InstanceNorm3d](https://pytorch.org/docs/stable/generated/torch.nn.InstanceNorm3d.html).
 *
 * @example
 * ```ts
 * new InstanceNorm3d(4).forward(randn([2, 4, 3, 5, 5]));
 * ```
 */
export class InstanceNorm3d extends InstanceNorm {
  protected override readonly forms = [
    ["N", "C", "D", "H", "W"],
    ["C", "D", "H", "W"],
  ];
}

// Normalisation: LayerNorm and BatchNorm.

import { fail, Module, ones, show, sqrt, stopGradient, type Tensor, Variable, zeros } from "@nn/tensor";
import { checkCount } from "./check.js";

export interface LayerNormOptions {
  /** Added to the variance (default 1e-5). */
  readonly eps?: number;
  /** Whether to learn a scale and a shift (default true). */
  readonly elementwiseAffine?: boolean;
  /** Whether to learn the shift, too (default true). */
  readonly bias?: boolean;
}

/** `(x − mean) / √(variance + eps)` over some axes; the variance is the biased one. */
export function normalize(x: Tensor, axes: readonly number[], eps: number): Tensor {
  const centred = x.sub(x.mean(axes, { keepDims: true }));
  const variance = centred.square().mean(axes, { keepDims: true });
  return centred.div(sqrt(variance.add(eps)));
}

/**
 * Normalises over the last axes (Ba et al., 2016; [torch.nn.LayerNorm](https://pytorch.org/docs/stable/generated/torch.nn.LayerNorm.html)).
 *
 * x (…, normalizedShape) → the same. State: `weight`, `bias` of `normalizedShape`, 1 and 0 at first.
 *
 * @example
 * ```ts
 * new LayerNorm(64).forward(randn([8, 10, 64]));
 * ```
 */
export class LayerNorm extends Module {
  readonly normalizedShape: readonly number[];
  readonly weight: Variable | null;
  readonly bias: Variable | null;
  readonly eps: number;

  constructor(normalizedShape: number | readonly number[], { eps = 1e-5, elementwiseAffine = true, bias = true }: LayerNormOptions = {}) {
    super();
    this.normalizedShape = typeof normalizedShape === "number" ? [normalizedShape] : normalizedShape;
    for (const d of this.normalizedShape) checkCount("LayerNorm", "normalizedShape", d);
    this.eps = eps;
    this.weight = elementwiseAffine ? new Variable(ones(this.normalizedShape)) : null;
    this.bias = elementwiseAffine && bias ? new Variable(zeros(this.normalizedShape)) : null;
  }

  /** @throws if the last axes of x are not `normalizedShape` */
  override forward(x: Tensor): Tensor {
    const n = this.normalizedShape.length;
    const tail = x.shape.slice(x.rank - n);
    if (x.rank < n || tail.some((d, i) => d !== this.normalizedShape[i])) {
      fail({ op: "layerNorm", expected: `x (…, ${this.normalizedShape.join(", ")})`, got: show(x.shape) });
    }
    const y = normalize(x, tail.map((_, i) => x.rank - n + i), this.eps);
    return affine(y, this.weight?.value, this.bias?.value);
  }
}

function affine(x: Tensor, weight: Tensor | null | undefined, bias: Tensor | null | undefined): Tensor {
  const scaled = weight ? x.mul(weight) : x;
  return bias ? scaled.add(bias) : scaled;
}

export interface BatchNormOptions {
  /** Added to the variance (default 1e-5). */
  readonly eps?: number;
  /** Weight of a new batch in the running statistics (default 0.1); `null`: the plain mean of all batches so far. */
  readonly momentum?: number | null;
  /** Whether to learn a scale and a shift per channel (default true). */
  readonly affine?: boolean;
  /** Whether to keep running statistics for evaluation (default true). */
  readonly trackRunningStats?: boolean;
}

/** What BatchNorm1d, 2d and 3d share; channels are axis 1. */
abstract class BatchNorm extends Module {
  readonly weight: Variable | null;
  readonly bias: Variable | null;
  readonly running_mean: Variable | null;
  readonly running_var: Variable | null;
  readonly num_batches_tracked: Variable | null;
  readonly eps: number;
  readonly momentum: number | null;
  /** Ranks of x that are allowed, and how its shape is written. */
  protected abstract readonly ranks: readonly number[];
  protected abstract readonly form: string;

  constructor(readonly numFeatures: number, { eps = 1e-5, momentum = 0.1, affine = true, trackRunningStats = true }: BatchNormOptions = {}) {
    super();
    checkCount("BatchNorm", "numFeatures", numFeatures);
    this.eps = eps;
    this.momentum = momentum;
    this.weight = affine ? new Variable(ones([numFeatures])) : null;
    this.bias = affine ? new Variable(zeros([numFeatures])) : null;
    const buffer = (t: Tensor) => (trackRunningStats ? new Variable(t, { trainable: false }) : null);
    this.running_mean = buffer(zeros([numFeatures]));
    this.running_var = buffer(ones([numFeatures]));
    this.num_batches_tracked = buffer(zeros([], { dtype: "i32" }));
  }

  override forward(x: Tensor): Tensor {
    if (!this.ranks.includes(x.rank) || x.shape[1] !== this.numFeatures) {
      fail({ op: "batchNorm", expected: `x ${this.form.replace("C", `${this.numFeatures}`)}`, got: show(x.shape) });
    }
    const perChannel = (t: Tensor) => t.reshape([this.numFeatures, ...x.shape.slice(2).map(() => 1)]);
    const [weight, bias] = [this.weight, this.bias].map((v) => v && perChannel(v.value));
    return affine(this.#normalize(x, perChannel), weight, bias);
  }

  #normalize(x: Tensor, perChannel: (t: Tensor) => Tensor): Tensor {
    if (!this.training && this.running_mean && this.running_var) {
      return x.sub(perChannel(this.running_mean.value)).div(perChannel(this.running_var.value).add(this.eps).sqrt());
    }
    const axes = [...x.shape.keys()].filter((i) => i !== 1);
    const n = x.size / this.numFeatures;
    if (this.training && n <= 1) {
      fail({ op: "batchNorm", expected: "more than one value per channel in training", got: show(x.shape), hint: "Use a larger batch, or eval()." });
    }
    const mean = x.mean(axes, { keepDims: true });
    const centred = x.sub(mean);
    const variance = centred.square().mean(axes, { keepDims: true });
    if (this.training) this.#track(mean.reshape([-1]), variance.reshape([-1]).mul(n / (n - 1)));
    return centred.div(variance.add(this.eps).sqrt());
  }

  /** The running variance is of the unbiased kind, though the forward pass uses the biased one: as PyTorch. */
  #track(mean: Tensor, variance: Tensor): void {
    if (!this.running_mean || !this.running_var || !this.num_batches_tracked) return;
    const batches = this.num_batches_tracked.value.add(1);
    this.num_batches_tracked.value = batches;
    const share = this.momentum ?? batches.cast("f32").reciprocal();
    const blend = (old: Tensor, now: Tensor) => old.add(stopGradient(now).sub(old).mul(share));
    this.running_mean.value = blend(this.running_mean.value, mean);
    this.running_var.value = blend(this.running_var.value, variance);
  }
}

/** Over (N, C) or (N, C, L): [torch.nn.BatchNorm1d](https://pytorch.org/docs/stable/generated/torch.nn.BatchNorm1d.html). */
export class BatchNorm1d extends BatchNorm {
  protected readonly ranks = [2, 3];
  protected readonly form = "(N, C) or (N, C, L)";
}

/**
 * Normalises each channel over batch and positions (Ioffe and Szegedy, 2015;
 * [torch.nn.BatchNorm2d](https://pytorch.org/docs/stable/generated/torch.nn.BatchNorm2d.html)): in training by the batch,
 * in evaluation by the running statistics.
 *
 * x (N, C, H, W) → the same. State: `weight`, `bias`, `running_mean`, `running_var` (C), `num_batches_tracked` ().
 */
export class BatchNorm2d extends BatchNorm {
  protected readonly ranks = [4];
  protected readonly form = "(N, C, H, W)";
}

/** Over (N, C, D, H, W): [torch.nn.BatchNorm3d](https://pytorch.org/docs/stable/generated/torch.nn.BatchNorm3d.html). */
export class BatchNorm3d extends BatchNorm {
  protected readonly ranks = [5];
  protected readonly form = "(N, C, D, H, W)";
}

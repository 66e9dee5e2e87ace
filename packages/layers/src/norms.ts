// Normalisation: LayerNorm and BatchNorm.

import { fail, Module, ones, scope, show, stopGradient, type Tensor, type Variable, zeros } from "@nn/tensor";
import { checkCount, checkNumber, checkProbability } from "./check.js";
import { buffer, parameter } from "./parameter.js";

/** Options of {@link LayerNorm}. */
export interface LayerNormOptions {
  /** Added to the variance (default 1e-5). */
  readonly eps?: number;
  /** Whether to learn a scale and a shift (default true). */
  readonly elementwiseAffine?: boolean;
  /** Whether to learn the shift, too (default true). */
  readonly bias?: boolean;
}

/**
 * Normalises over the last axes (Ba et al., 2016;
 * [torch.nn.LayerNorm](https://pytorch.org/docs/stable/generated/torch.nn.LayerNorm.html)):
 * `(x − mean) / √(variance + eps) · weight + bias`, with the biased variance.
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

  /**
   * @param normalizedShape sizes of the last axes; a number is one axis
   * @throws if a size is not a whole number ≥ 1, or eps < 0
   */
  constructor(
    normalizedShape: number | readonly number[],
    { eps = 1e-5, elementwiseAffine = true, bias = true }: LayerNormOptions = {},
  ) {
    super();
    const shape = typeof normalizedShape === "number" ? [normalizedShape] : [...normalizedShape];
    checkCount("LayerNorm", "the number of axes of normalizedShape", shape.length);
    for (const d of shape) checkCount("LayerNorm", "normalizedShape", d);
    this.normalizedShape = shape;
    this.eps = checkNumber("LayerNorm", "eps", eps, 0);
    this.weight = elementwiseAffine ? parameter(() => ones(shape)) : null;
    this.bias = elementwiseAffine && bias ? parameter(() => zeros(shape)) : null;
  }

  /** @throws if the last axes of x are not `normalizedShape` */
  override forward(x: Tensor): Tensor {
    const first = x.rank - this.normalizedShape.length;
    if (first < 0 || this.normalizedShape.some((d, i) => d !== x.shape[first + i])) {
      fail({
        op: "layerNorm",
        expected: `x (…, ${this.normalizedShape.join(", ")})`,
        got: show(x.shape),
        hint: "The last axes are normalised: permute the input, or change normalizedShape.",
      });
    }
    const axes = this.normalizedShape.map((_, i) => first + i);
    return scope(() => {
      const { centred, variance } = moments(x, axes);
      return affine(centred.div(variance.add(this.eps).sqrt()), this.weight?.value, this.bias?.value);
    });
  }
}

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
abstract class BatchNorm extends Module {
  readonly weight: Variable | null;
  readonly bias: Variable | null;
  readonly running_mean: Variable | null;
  readonly running_var: Variable | null;
  readonly num_batches_tracked: Variable | null;
  readonly eps: number;
  readonly momentum: number | null;
  /** The shapes of x that are allowed. */
  protected abstract readonly forms: readonly (readonly string[])[];

  /** @throws if numFeatures is not a whole number ≥ 1, eps < 0, or momentum is not from 0 to 1 */
  constructor(
    readonly numFeatures: number,
    { eps = 1e-5, momentum = 0.1, affine = true, trackRunningStats = true }: BatchNormOptions = {},
  ) {
    super();
    const name = this.constructor.name;
    const shape = [checkCount(name, "numFeatures", numFeatures)];
    this.eps = checkNumber(name, "eps", eps, 0);
    this.momentum = momentum === null ? null : checkProbability(name, "momentum", momentum);
    this.weight = affine ? parameter(() => ones(shape)) : null;
    this.bias = affine ? parameter(() => zeros(shape)) : null;
    this.running_mean = trackRunningStats ? buffer(() => zeros(shape)) : null;
    this.running_var = trackRunningStats ? buffer(() => ones(shape)) : null;
    this.num_batches_tracked = trackRunningStats ? buffer(() => zeros([], { dtype: "i32" })) : null;
  }

  /** @throws if x has another rank or number of channels, or one value per channel to take the statistics of */
  override forward(x: Tensor): Tensor {
    this.#check(x);
    const perChannel = (t: Tensor) => t.reshape([this.numFeatures, ...x.shape.slice(2).map(() => 1)]);
    return scope(() => {
      const [weight, bias] = [this.weight, this.bias].map((v) => v && perChannel(v.value));
      return affine(this.#normalize(x, perChannel), weight, bias);
    });
  }

  #normalize(x: Tensor, perChannel: (t: Tensor) => Tensor): Tensor {
    const { training, running_mean, running_var } = this;
    if (!training && running_mean && running_var) {
      return x.sub(perChannel(running_mean.value)).div(perChannel(running_var.value).add(this.eps).sqrt());
    }
    const n = x.size / this.numFeatures;
    if (n <= 1) {
      fail({
        op: "batchNorm",
        expected: "more than one value per channel to take the variance of",
        got: show(x.shape),
        hint: "Use a larger batch, or eval().",
      });
    }
    const { mean, centred, variance } = moments(
      x,
      [...x.shape.keys()].filter((axis) => axis !== 1),
    );
    if (training) this.#track(mean.reshape([-1]), variance.reshape([-1]).mul(n / (n - 1)));
    return centred.div(variance.add(this.eps).sqrt());
  }

  /** The running variance is of the unbiased kind, though the forward pass uses the biased one: as PyTorch. */
  #track(mean: Tensor, variance: Tensor): void {
    const { running_mean, running_var, num_batches_tracked } = this;
    if (!running_mean || !running_var || !num_batches_tracked) return;
    const batches = num_batches_tracked.value.add(1);
    num_batches_tracked.value = batches;
    const share = this.momentum ?? batches.cast("f32").reciprocal();
    const blend = (old: Tensor, now: Tensor) => old.add(stopGradient(now).sub(old).mul(share));
    running_mean.value = blend(running_mean.value, mean);
    running_var.value = blend(running_var.value, variance);
  }

  #check(x: Tensor): void {
    const form = this.forms.find((f) => f.length === x.rank);
    if (form && x.shape[1] === this.numFeatures) return;
    const shown = (form ? [form] : this.forms).map((f) => `(${f.join(", ")})`.replace("C", `${this.numFeatures}`));
    fail({
      op: "batchNorm",
      expected: `x ${shown.join(" or ")}`,
      got: `${show(x.shape)}${form ? `: channel ${x.shape[1]} ≠ numFeatures ${this.numFeatures}` : ""}`,
      hint: "Axis 1 has the channels.",
    });
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

// ───────────────────────────────────────────────────────────────────────────────────────────────────

/** Mean, `x − mean` and biased variance over some axes, which keep size 1. */
function moments(x: Tensor, axes: readonly number[]) {
  const mean = x.mean(axes, { keepDims: true });
  const centred = x.sub(mean);
  return { mean, centred, variance: centred.square().mean(axes, { keepDims: true }) };
}

function affine(x: Tensor, weight: Tensor | null | undefined, bias: Tensor | null | undefined): Tensor {
  const scaled = weight ? x.mul(weight) : x;
  return bias ? scaled.add(bias) : scaled;
}

// What BatchNorm and InstanceNorm share: weights and running statistics per channel.

import { fail, guarded, Module, ones, show, stopGradient, type Tensor, type Variable, zeros } from "@nn/tensor";
import { checkCount, checkNumber, checkProbability } from "../check.js";
import { buffer, parameter } from "../parameter.js";
import { alongChannels } from "./batch-norm-op.js";

/** What a {@link ChannelNorm} is made from. */
export interface ChannelNormOptions {
  readonly eps: number;
  readonly momentum: number | null;
  readonly affine: boolean;
  readonly trackRunningStats: boolean;
}

export abstract class ChannelNorm extends Module {
  readonly weight: Variable | null;
  readonly bias: Variable | null;
  readonly running_mean: Variable | null;
  readonly running_var: Variable | null;
  readonly num_batches_tracked: Variable | null;
  readonly eps: number;
  #momentum!: number | null;
  /** The shapes of x that are allowed. */
  protected abstract readonly forms: readonly (readonly string[])[];

  protected constructor(
    readonly numFeatures: number,
    { eps, momentum, affine, trackRunningStats }: ChannelNormOptions,
  ) {
    super();
    const name = this.constructor.name;
    const shape = [checkCount(name, "numFeatures", numFeatures)];
    this.eps = checkNumber(name, "eps", eps, 0);
    this.momentum = momentum;
    this.weight = affine ? parameter(() => ones(shape)) : null;
    this.bias = affine ? parameter(() => zeros(shape)) : null;
    this.running_mean = trackRunningStats ? buffer(() => zeros(shape)) : null;
    this.running_var = trackRunningStats ? buffer(() => ones(shape)) : null;
    this.num_batches_tracked = trackRunningStats ? buffer(() => zeros([], { dtype: "i32" })) : null;
  }

  /**
   * Weight of a new batch in the running statistics. May be set at any time, and compiled steps follow. In BatchNorm
   * `null` gives the plain mean of all batches that `num_batches_tracked` counts.
   */
  get momentum(): number | null {
    return guarded(() => this.#momentum);
  }

  set momentum(momentum: number | null) {
    this.#momentum = momentum === null ? null : checkProbability(this.constructor.name, "momentum", momentum);
  }

  /** weight and bias, (C) each; 1 and 0 where there are none. */
  protected affine(): [weight: Tensor, bias: Tensor] {
    return [this.weight?.value ?? ones([this.numFeatures]), this.bias?.value ?? zeros([this.numFeatures])];
  }

  /** In evaluation: x (N, C, …) normalised by the running statistics, if there are any. */
  protected byRunning(x: Tensor): Tensor | null {
    const { training, running_mean, running_var } = this;
    if (training || !running_mean || !running_var) return null;
    // Per channel first: what remains is a product and a sum, which fit into the convolution before it.
    const [weight, bias] = this.affine();
    const scale = weight.div(running_var.value.add(this.eps).sqrt());
    const shift = bias.sub(running_mean.value.mul(scale));
    return x.mul(alongChannels(scale, x)).add(alongChannels(shift, x));
  }

  /** Moves the running statistics by `share` towards those of a batch, (C) each; the variance is the unbiased one. */
  protected track(mean: Tensor, variance: Tensor, share: number | Tensor): void {
    const { running_mean, running_var } = this;
    if (!running_mean || !running_var) return;
    const blend = (old: Tensor, now: Tensor) => old.add(stopGradient(now).sub(old).mul(share));
    running_mean.value = blend(running_mean.value, mean);
    running_var.value = blend(running_var.value, variance);
  }

  /** @throws if x has another rank, or other than `numFeatures` channels; `op` is for the error */
  protected check(op: string, x: Tensor): void {
    const form = this.forms.find((f) => f.length === x.rank);
    const axis = (form ?? this.forms[0]!).indexOf("C");
    if (form && x.shape[axis] === this.numFeatures) return;
    const shown = (form ? [form] : this.forms).map((f) => `(${f.join(", ")})`.replace("C", `${this.numFeatures}`));
    fail({
      op,
      expected: `x ${shown.join(" or ")}`,
      got: `${show(x.shape)}${form ? `: channel ${x.shape[axis]} ≠ numFeatures ${this.numFeatures}` : ""}`,
      hint: `Axis ${axis} has the channels.`,
    });
  }
}

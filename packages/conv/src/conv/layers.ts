// Conv1d, Conv2d, Conv3d: weight, bias and options around conv().

import { uniformParameter } from "@nn/layers";
import { fail, Module, type Padding, pad, scope, sizeOf, type Tensor, type Variable } from "@nn/tensor";
import { inBatch } from "../batch.js";
import { count, perAxis, type Size } from "../spatial.js";
import { type ConvOptions, checkGroups, conv, convAttrs } from "./conv.js";

/** What the border of a padded input is made of; see `pad` of @nn/tensor. */
export type PaddingMode = "zeros" | "reflect" | "replicate" | "circular";

/** Options of {@link Conv1d}, {@link Conv2d} and {@link Conv3d}. */
export interface ConvLayerOptions extends ConvOptions {
  /** Whether to add a number per output channel (default true). */
  readonly bias?: boolean;
  /** What padding is made of (default `"zeros"`). */
  readonly paddingMode?: PaddingMode;
}

const MODES: readonly PaddingMode[] = ["zeros", "reflect", "replicate", "circular"];

/** What the three have in common; `axes` is the number of spatial axes. */
export abstract class ConvNd extends Module {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernelSize: readonly number[];
  readonly stride: readonly number[];
  /** `[before, after]` of each axis, or `"same"` where that depends on the input. */
  readonly padding: readonly Padding[] | "same";
  readonly dilation: readonly number[];
  readonly groups: number;
  readonly paddingMode: PaddingMode;
  /**
   * (outChannels, inChannels / groups, …kernelSize), or (inChannels, outChannels / groups, …) of a transposed one; at
   * first uniform in ±1/√(second size · kernel elements).
   */
  readonly weight: Variable;
  /** (outChannels), at first from the same distribution; null without bias. */
  readonly bias: Variable | null;

  protected constructor(
    axes: number,
    inChannels: number,
    outChannels: number,
    kernelSize: Size,
    options: ConvLayerOptions,
    transposed = false,
  ) {
    super();
    const op = this.constructor.name;
    this.inChannels = count(op, "inChannels", inChannels);
    this.outChannels = count(op, "outChannels", outChannels);
    this.kernelSize = perAxis(op, "kernelSize", kernelSize, axes, 1);
    const { stride, padding, dilation, groups } = convAttrs(op, this.kernelSize, options);
    checkGroups(op, inChannels, outChannels, groups);
    this.stride = stride;
    this.padding = options.padding === "same" && stride.some((s) => s > 1) ? "same" : padding;
    this.dilation = dilation;
    this.groups = groups;
    this.paddingMode = options.paddingMode ?? "zeros";
    if (!MODES.includes(this.paddingMode)) {
      fail({
        op,
        expected: `paddingMode ${MODES.map((m) => `"${m}"`).join(" or ")}`,
        got: JSON.stringify(this.paddingMode),
      });
    }
    const [first, second] = transposed ? [inChannels, outChannels] : [outChannels, inChannels];
    const shape = [first, second / groups, ...this.kernelSize];
    const bound = 1 / Math.sqrt(sizeOf(shape.slice(1)));
    this.weight = uniformParameter(shape, bound);
    this.bias = options.bias === false ? null : uniformParameter([outChannels], bound);
  }

  /**
   * @param x (N, inChannels, …spatial), or (inChannels, …spatial) without a batch
   * @returns (N, outChannels, …), or (outChannels, …)
   * @throws {@link NNError} naming the layer, the shape wanted and the shape that came
   */
  override forward(x: Tensor): Tensor {
    const { stride, padding, dilation, groups, paddingMode } = this;
    return scope(() => {
      const weight = this.weight.value;
      const bias = this.bias?.value ?? null;
      if (paddingMode === "zeros") return conv(x, weight, bias, { stride, padding, dilation, groups });
      return inBatch("conv/conv", x, weight.rank - 2, this.inChannels, (batch) => {
        const pairs = convAttrs("conv/conv", this.kernelSize, this, batch.shape.slice(2)).padding;
        return conv(pad(batch, pairs, { mode: paddingMode }), weight, bias, { stride, dilation, groups });
      });
    });
  }
}

/**
 * Convolution over one axis: sequences, signals.
 * As [torch.nn.Conv1d](https://pytorch.org/docs/stable/generated/torch.nn.Conv1d.html); state keys `weight`, `bias`.
 *
 * @example
 * ```ts
 * new Conv1d(4, 8, 5, { padding: "same" }).forward(zeros([2, 4, 100])).shape; // [2, 8, 100]
 * ```
 */
export class Conv1d extends ConvNd {
  /**
   * @param inChannels channels of the input, (N, inChannels, L)
   * @param outChannels channels of the output
   * @param kernelSize elements of a window
   * @param options stride 1, padding 0, dilation 1, groups 1, bias true and paddingMode "zeros" where not given
   * @throws {@link NNError} if an option does not fit
   */
  constructor(inChannels: number, outChannels: number, kernelSize: Size, options: ConvLayerOptions = {}) {
    super(1, inChannels, outChannels, kernelSize, options);
  }
}

/**
 * Convolution over two axes: images.
 * As [torch.nn.Conv2d](https://pytorch.org/docs/stable/generated/torch.nn.Conv2d.html); state keys `weight`, `bias`.
 *
 * @example
 * ```ts
 * new Conv2d(3, 16, 3, { stride: 2, padding: 1 }).forward(zeros([8, 3, 32, 32])).shape; // [8, 16, 16, 16]
 * ```
 */
export class Conv2d extends ConvNd {
  /**
   * @param inChannels channels of the input, (N, inChannels, H, W)
   * @param outChannels channels of the output
   * @param kernelSize one number, or [height, width]
   * @param options stride 1, padding 0, dilation 1, groups 1, bias true and paddingMode "zeros" where not given
   * @throws {@link NNError} if an option does not fit
   */
  constructor(inChannels: number, outChannels: number, kernelSize: Size, options: ConvLayerOptions = {}) {
    super(2, inChannels, outChannels, kernelSize, options);
  }
}

/**
 * Convolution over three axes: volumes, video.
 * As [torch.nn.Conv3d](https://pytorch.org/docs/stable/generated/torch.nn.Conv3d.html); state keys `weight`, `bias`.
 *
 * @example
 * ```ts
 * new Conv3d(1, 4, [1, 3, 3]).forward(zeros([2, 1, 8, 16, 16])).shape; // [2, 4, 8, 14, 14]
 * ```
 */
export class Conv3d extends ConvNd {
  /**
   * @param inChannels channels of the input, (N, inChannels, D, H, W)
   * @param outChannels channels of the output
   * @param kernelSize one number, or [depth, height, width]
   * @param options stride 1, padding 0, dilation 1, groups 1, bias true and paddingMode "zeros" where not given
   * @throws {@link NNError} if an option does not fit
   */
  constructor(inChannels: number, outChannels: number, kernelSize: Size, options: ConvLayerOptions = {}) {
    super(3, inChannels, outChannels, kernelSize, options);
  }
}

// ConvTranspose1d, ConvTranspose2d, ConvTranspose3d: weight, bias and options around convTranspose().

import { fail, type Padding, scope, show, type Tensor } from "@nn/tensor";
import type { Size } from "../spatial.js";
import { ConvNd } from "./layers.js";
import { type ConvTransposeOptions, convTranspose, transposedAttrs, transposedSizes } from "./transposed.js";

/** Options of {@link ConvTranspose1d}, {@link ConvTranspose2d} and {@link ConvTranspose3d}. */
export interface ConvTransposeLayerOptions extends ConvTransposeOptions {
  /** Whether to add a number per output channel (default true). */
  readonly bias?: boolean;
}

/** What the three have in common; `axes` is the number of spatial axes. */
export abstract class ConvTransposeNd extends ConvNd {
  declare readonly padding: readonly Padding[];
  readonly outputPadding: readonly number[];

  protected constructor(
    axes: number,
    inChannels: number,
    outChannels: number,
    kernelSize: Size,
    options: ConvTransposeLayerOptions,
  ) {
    super(axes, inChannels, outChannels, kernelSize, options, true);
    this.outputPadding = transposedAttrs(this.constructor.name, this.kernelSize, options).outputPadding;
  }

  /**
   * @param x (N, inChannels, …spatial), or (inChannels, …spatial) without a batch
   * @param outputSize spatial sizes of the output, instead of what `outputPadding` makes them: from the size without it
   *   to `stride` − 1 more. PyTorch's `output_size`
   * @returns (N, outChannels, …), or (outChannels, …)
   * @throws {@link NNError} naming the layer, the shape wanted and the shape that came
   */
  override forward(x: Tensor, outputSize?: readonly number[]): Tensor {
    const { stride, padding, dilation, groups } = this;
    const outputPadding = outputSize ? this.#outputPaddingFor(x, outputSize) : this.outputPadding;
    const options = { stride, padding, dilation, groups, outputPadding };
    return scope(() => convTranspose(x, this.weight.value, this.bias?.value ?? null, options));
  }

  #outputPaddingFor(x: Tensor, outputSize: readonly number[]): number[] {
    const axes = this.kernelSize.length;
    const attrs = transposedAttrs("convTranspose", this.kernelSize, this);
    const least = transposedSizes(x.shape.slice(-axes), this.kernelSize, attrs);
    const more = least.map((d, i) => outputSize[i]! - d);
    if (outputSize.length === axes && more.every((p, i) => p >= 0 && p < this.stride[i]!)) return more;
    return fail({
      op: "convTranspose",
      expected: `outputSize from ${show(least)} to ${show(least.map((d, i) => d + this.stride[i]! - 1))}`,
      got: show(outputSize),
    });
  }
}

/**
 * Transposed convolution over one axis.
 * As [torch.nn.ConvTranspose1d](https://pytorch.org/docs/stable/generated/torch.nn.ConvTranspose1d.html); state keys
 * `weight` (in, out / groups, kernel) and `bias`.
 *
 * @example
 * ```ts
 * new ConvTranspose1d(8, 4, 4, { stride: 2, padding: 1 }).forward(zeros([2, 8, 50])).shape; // [2, 4, 100]
 * ```
 */
export class ConvTranspose1d extends ConvTransposeNd {
  /**
   * @param inChannels channels of the input, (N, inChannels, L)
   * @param outChannels channels of the output
   * @param kernelSize elements of the kernel
   * @param options stride 1, padding 0, outputPadding 0, dilation 1, groups 1 and bias true where not given
   * @throws {@link NNError} if an option does not fit
   */
  constructor(inChannels: number, outChannels: number, kernelSize: Size, options: ConvTransposeLayerOptions = {}) {
    super(1, inChannels, outChannels, kernelSize, options);
  }
}

/**
 * Transposed convolution over two axes: what makes images larger in decoders and generators.
 * As [torch.nn.ConvTranspose2d](https://pytorch.org/docs/stable/generated/torch.nn.ConvTranspose2d.html); state keys
 * `weight` (in, out / groups, …kernel) and `bias`.
 *
 * @example
 * ```ts
 * new ConvTranspose2d(16, 8, 2, { stride: 2 }).forward(zeros([8, 16, 14, 14])).shape; // [8, 8, 28, 28]
 * ```
 */
export class ConvTranspose2d extends ConvTransposeNd {
  /**
   * @param inChannels channels of the input, (N, inChannels, H, W)
   * @param outChannels channels of the output
   * @param kernelSize one number, or [height, width]
   * @param options stride 1, padding 0, outputPadding 0, dilation 1, groups 1 and bias true where not given
   * @throws {@link NNError} if an option does not fit
   */
  constructor(inChannels: number, outChannels: number, kernelSize: Size, options: ConvTransposeLayerOptions = {}) {
    super(2, inChannels, outChannels, kernelSize, options);
  }
}

/**
 * Transposed convolution over three axes.
 * As [torch.nn.ConvTranspose3d](https://pytorch.org/docs/stable/generated/torch.nn.ConvTranspose3d.html); state keys
 * `weight` (in, out / groups, …kernel) and `bias`.
 *
 * @example
 * ```ts
 * new ConvTranspose3d(4, 2, 2, { stride: 2 }).forward(zeros([1, 4, 3, 8, 8])).shape; // [1, 2, 6, 16, 16]
 * ```
 */
export class ConvTranspose3d extends ConvTransposeNd {
  /**
   * @param inChannels channels of the input, (N, inChannels, D, H, W)
   * @param outChannels channels of the output
   * @param kernelSize one number, or [depth, height, width]
   * @param options stride 1, padding 0, outputPadding 0, dilation 1, groups 1 and bias true where not given
   * @throws {@link NNError} if an option does not fit
   */
  constructor(inChannels: number, outChannels: number, kernelSize: Size, options: ConvTransposeLayerOptions = {}) {
    super(3, inChannels, outChannels, kernelSize, options);
  }
}

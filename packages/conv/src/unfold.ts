// unfold and fold: the windows of an image as columns, and columns added up to an image; each is the other's adjoint.

import { checkDType, fail, Module, reshape, scope, show, sizeOf, type Tensor } from "@nn/tensor";
import { inBatch } from "./batch.js";
import { foldPatches, patches } from "./conv/patches.js";
import { outputSizesOrFail, perAxis, type Size } from "./spatial.js";

/** Options of {@link unfold} and {@link fold}; one number, or one per axis (H, W). */
export interface UnfoldOptions {
  /** Distance between the elements of a window (default 1). */
  readonly dilation?: Size;
  /** Zeros on both sides of the image (default 0). */
  readonly padding?: Size;
  /** Distance between windows (default 1). */
  readonly stride?: Size;
}

/**
 * Every window of an image as a column, as
 * [torch.nn.functional.unfold](https://pytorch.org/docs/stable/generated/torch.nn.functional.unfold.html).
 *
 * @param x (N, C, H, W) f32, or (C, H, W) without a batch
 * @param kernelSize one number, or [height, width]
 * @returns (N, C · height · width, windows), or without N
 * @throws {@link NNError} if an option does not fit
 * @example
 * ```ts
 * unfold(zeros([1, 3, 8, 8]), 2, { stride: 2 }).shape; // [1, 12, 16]
 * ```
 */
export function unfold(x: Tensor, kernelSize: Size, options: UnfoldOptions = {}): Tensor {
  const { kernel, ...windows } = attrsOf("unfold", kernelSize, options);
  checkDType("unfold", x.dtype, "f32");
  return inBatch("unfold", x, 2, "C", (images) => {
    const [batch, channels, ...size] = images.shape as [number, number, ...number[]];
    const out = outputSizesOrFail("unfold", size, kernel, windows);
    const g = { ...windows, batch, groups: 1, perGroup: 1, kernel, out, merged: false };
    return scope(() => reshape(patches(images, g), [batch, channels * sizeOf(kernel), sizeOf(out)]));
  });
}

/**
 * Adds columns up to an image, each to where {@link unfold} takes it from, as
 * [torch.nn.functional.fold](https://pytorch.org/docs/stable/generated/torch.nn.functional.fold.html).
 *
 * @param x (N, C · height · width, windows) f32, or without N
 * @param outputSize size of the image: one number, or [height, width]
 * @param kernelSize one number, or [height, width]
 * @returns (N, C, …outputSize), or without N
 * @throws {@link NNError} if the columns are not those of such an image
 * @example
 * ```ts
 * fold(zeros([1, 12, 16]), 8, 2, { stride: 2 }).shape; // [1, 3, 8, 8]
 * ```
 */
export function fold(x: Tensor, outputSize: Size, kernelSize: Size, options: UnfoldOptions = {}): Tensor {
  const { kernel, ...windows } = attrsOf("fold", kernelSize, options);
  const inputSize = perAxis("fold", "outputSize", outputSize, 2, 1);
  checkDType("fold", x.dtype, "f32");
  const out = outputSizesOrFail("fold", inputSize, kernel, windows);
  const [k, n] = [sizeOf(kernel), sizeOf(out)];
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  if (x.rank < 2 || x.rank > 3 || rows % k !== 0 || columns !== n) {
    fail({
      op: "fold",
      expected: `x (N, C · ${k}, ${n}) or (C · ${k}, ${n}): ${show(out)} windows of ${show(kernel)}`,
      got: show(x.shape),
    });
  }
  const [lead, channels, batch] = [x.shape.slice(0, -2), rows / k, x.rank === 3 ? x.shape[0]! : 1];
  const g = { ...windows, batch, channels, groups: 1, kernel, out, inputSize, merged: false };
  return scope(() => reshape(foldPatches(x, g), [...lead, channels, ...inputSize]));
}

/**
 * {@link unfold} as a layer, as [torch.nn.Unfold](https://pytorch.org/docs/stable/generated/torch.nn.Unfold.html).
 *
 * @example
 * ```ts
 * new Unfold(2, { stride: 2 }).forward(zeros([1, 3, 8, 8])).shape; // [1, 12, 16]
 * ```
 */
export class Unfold extends Module {
  readonly options: UnfoldOptions;

  /**
   * @param kernelSize one number, or [height, width]
   * @param options dilation 1, padding 0 and stride 1 where not given
   * @throws {@link NNError} if an option does not fit
   */
  constructor(
    readonly kernelSize: Size,
    options: UnfoldOptions = {},
  ) {
    super();
    attrsOf("Unfold", kernelSize, options);
    this.options = { ...options };
  }

  override forward(x: Tensor): Tensor {
    return unfold(x, this.kernelSize, this.options);
  }
}

/**
 * {@link fold} as a layer, as [torch.nn.Fold](https://pytorch.org/docs/stable/generated/torch.nn.Fold.html).
 *
 * @example
 * ```ts
 * new Fold(8, 2, { stride: 2 }).forward(zeros([1, 12, 16])).shape; // [1, 3, 8, 8]
 * ```
 */
export class Fold extends Module {
  readonly options: UnfoldOptions;

  /**
   * @param outputSize size of the image: one number, or [height, width]
   * @param kernelSize one number, or [height, width]
   * @param options dilation 1, padding 0 and stride 1 where not given
   * @throws {@link NNError} if an option does not fit
   */
  constructor(
    readonly outputSize: Size,
    readonly kernelSize: Size,
    options: UnfoldOptions = {},
  ) {
    super();
    perAxis("Fold", "outputSize", outputSize, 2, 1);
    attrsOf("Fold", kernelSize, options);
    this.options = { ...options };
  }

  override forward(x: Tensor): Tensor {
    return fold(x, this.outputSize, this.kernelSize, this.options);
  }
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

function attrsOf(op: string, kernelSize: Size, { dilation = 1, padding = 0, stride = 1 }: UnfoldOptions) {
  return {
    kernel: perAxis(op, "kernelSize", kernelSize, 2, 1),
    stride: perAxis(op, "stride", stride, 2, 1),
    padding: perAxis(op, "padding", padding, 2, 0).map((p) => [p, p] as const),
    dilation: perAxis(op, "dilation", dilation, 2, 1),
  };
}

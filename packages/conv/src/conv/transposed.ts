// Transposed convolution: the gradient of convolution in its input, run forward. No op of its own: its gradients are
// convolution and the gradient of convolution in the weight.

import { add, checkDType, fail, type Padding, pad, reshape, scope, show, type Tensor } from "@nn/tensor";
import { inBatch } from "../batch.js";
import { axisNames, extent, perAxis, type Size } from "../spatial.js";
import { type ConvOptions, checkGroups, convAttrs, convInputGrad } from "./conv.js";
import type { ConvAttrs } from "./patches.js";

/** Options of {@link convTranspose}, as `torch.nn.functional.conv_transpose2d` has them. */
export interface ConvTransposeOptions extends Omit<ConvOptions, "padding"> {
  /** Elements cut off the output: a number for both sides of every axis, or per axis a number or `[before, after]` (default 0). */
  readonly padding?: number | readonly (number | Padding)[];
  /**
   * Elements by which the output is longer at its end (default 0), less than the stride or the dilation: a convolution
   * of stride s gives one size for s sizes of its input, and this says which of them is meant.
   */
  readonly outputPadding?: Size;
}

/**
 * Transposed convolution over the last 1, 2 or 3 axes: every element of x adds a multiple of the kernel to the output,
 * `stride` elements further on than the one before. What {@link conv} does to gradients.
 *
 * As [torch.nn.functional.conv_transpose1d, conv_transpose2d and conv_transpose3d](https://pytorch.org/docs/stable/generated/torch.nn.functional.conv_transpose2d.html).
 *
 * @param x (N, I, …spatial) f32, or (I, …spatial) without a batch
 * @param weight (I, O / groups, …kernel) f32; its rank says how many spatial axes there are
 * @param bias (O) f32, or null
 * @returns (N, O, …), or (O, …) without a batch, each axis of
 *   `(size − 1) · stride − padding + dilation · (kernel − 1) + outputPadding + 1`
 * @throws {@link NNError} if shapes or options do not fit
 * @example
 * ```ts
 * convTranspose(zeros([8, 16, 14, 14]), zeros([16, 8, 4, 4]), null, { stride: 2, padding: 1 }).shape; // [8, 8, 28, 28]
 * ```
 */
export function convTranspose(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  options: ConvTransposeOptions = {},
): Tensor {
  const [inChannels, perGroup, ...kernel] = weight.shape as [number, number, ...number[]];
  const attrs = transposedAttrs("convTranspose", kernel, options);
  const channels = perGroup * attrs.groups;
  return inBatch("convTranspose", x, kernel.length, inChannels, (batch) => {
    checkOperands(batch, weight, bias, attrs.groups);
    return scope(() => {
      const { outputPadding, ...windows } = attrs;
      const sizes = transposedSizes(batch.shape.slice(2), kernel, windows).map((d, i) => d + outputPadding[i]!);
      checkSizes(sizes, batch.shape.slice(2));
      // A whole stride of outputPadding makes room for one more window, in which there is nothing.
      const more = outputPadding.map((p, i): Padding => [0, Math.floor(p / windows.stride[i]!)]);
      const y = convInputGrad(pad(batch, more), weight, sizes, windows);
      return bias ? add(y, reshape(bias, [channels, ...kernel.map(() => 1)])) : y;
    });
  });
}

/** Spatial sizes of a transposed convolution without outputPadding: the least that a convolution takes back to `size`. */
export function transposedSizes(
  size: readonly number[],
  kernel: readonly number[],
  { stride, padding, dilation }: ConvAttrs,
): number[] {
  return size.map((d, i) => {
    const [before, after] = padding[i]!;
    return (d - 1) * stride[i]! + extent(kernel[i]!, dilation[i]!) - before - after;
  });
}

/** Options as attributes: those of the convolution whose gradient it is, and outputPadding per axis. */
export function transposedAttrs(
  op: string,
  kernel: readonly number[],
  { outputPadding = 0, ...options }: ConvTransposeOptions,
): ConvAttrs & { readonly outputPadding: readonly number[] } {
  if (typeof options.padding === "string") {
    const hint = "The words are those of convolution.";
    fail({ op, expected: "padding as numbers", got: JSON.stringify(options.padding), hint });
  }
  const attrs = convAttrs(op, kernel, options);
  const more = perAxis(op, "outputPadding", outputPadding, kernel.length, 0);
  const most = more.map((_, i) => Math.max(attrs.stride[i]!, attrs.dilation[i]!) - 1);
  if (more.every((p, i) => p <= most[i]!)) return { ...attrs, outputPadding: more };
  return fail({
    op,
    expected: `outputPadding at most ${show(most)}: less than the stride or the dilation`,
    got: show(more),
  });
}

function checkOperands(x: Tensor, weight: Tensor, bias: Tensor | null, groups: number): void {
  const op = "convTranspose";
  for (const t of [x, weight, ...(bias ? [bias] : [])]) checkDType(op, t.dtype, "f32");
  const [inChannels, perGroup, ...kernel] = weight.shape as [number, number, ...number[]];
  if (weight.shape.includes(0))
    fail({ op, expected: "weight (I, O / groups, …) without an axis of 0", got: show(weight.shape) });
  checkGroups(op, inChannels, perGroup * groups, groups);
  if (x.shape[1] !== inChannels) {
    fail({
      op,
      expected: `x (N, ${inChannels}, ${axisNames(kernel.length)})`,
      got: `${show(x.shape)}: channel ${x.shape[1]} ≠ inChannels ${inChannels}`,
      hint: "The weight of a transposed convolution is (in, out / groups, …).",
    });
  }
  if (bias && show(bias.shape) !== show([perGroup * groups])) {
    const hint = "One number per output channel.";
    fail({ op, expected: `bias ${show([perGroup * groups])}`, got: show(bias.shape), hint });
  }
}

function checkSizes(sizes: readonly number[], size: readonly number[]): void {
  if (size.every((d) => d > 0) && sizes.every((d) => d > 0)) return;
  fail({
    op: "convTranspose",
    expected: `an output of at least 1 per axis (${axisNames(size.length)})`,
    got: `${show(sizes)} for an input of ${show(size)}`,
    hint: "Use a larger input or kernel, or less padding.",
  });
}

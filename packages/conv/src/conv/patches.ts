// Patches: what every output of a convolution sees of its input, as the columns of a matrix, and the adjoint of that.
// Convolution and its gradients are products of weights, patches and output gradients; see conv.ts.

import {
  apply1,
  assemble,
  pad,
  permute,
  reshape,
  rowMajor,
  sizeOf,
  slice,
  slidingWindow,
  type Tensor,
  transpose,
} from "@nn/tensor";
import { extent, isPadded, outputSizes, type Windows } from "../spatial.js";

/** Attributes of the three ops; one entry per spatial axis. */
export interface ConvAttrs extends Windows {
  readonly groups: number;
}

/**
 * Below so many output positions per sample the samples of a batch are laid side by side, and there is one product
 * instead of one per sample. Above, one per sample is better: its columns stay in the cache, and the result has its
 * final order. (Measured on the reference backend; see README.md.)
 */
const MERGE_BELOW = 64;

export const isMerged = (out: readonly number[]): boolean => sizeOf(out) < MERGE_BELOW;

export interface Geometry extends ConvAttrs {
  readonly batch: number;
  /** Output channels per group. */
  readonly perGroup: number;
  readonly kernel: readonly number[];
  readonly out: readonly number[];
  /** Whether the batch is part of the columns. */
  readonly merged: boolean;
}

export function geometry(x: readonly number[], weight: readonly number[], attrs: ConvAttrs): Geometry {
  const kernel = weight.slice(2);
  const out = outputSizes(x.slice(2), kernel, attrs);
  return {
    ...attrs,
    batch: x[0]!,
    perGroup: weight[0]! / attrs.groups,
    kernel,
    out,
    merged: isMerged(out),
  };
}

/**
 * The inputs of every output position, a column each: (N, groups, I / groups · kernel, positions), or merged
 * (groups, I / groups · kernel, N · positions). The one copy of a convolution, and none where the kernel is 1.
 */
export function patches(x: Tensor, { batch, groups, kernel, stride, padding, dilation, merged }: Geometry): Tensor {
  const axes = [...kernel.keys()];
  let windows = padding.some(isPadded) ? pad(x, padding) : x;
  for (const i of axes) windows = slidingWindow(windows, 2 + i, kernel[i]!, stride[i]!, dilation[i]!);
  const inside = [1, ...axes.map((i) => 2 + kernel.length + i)];
  const places = axes.map((i) => 2 + i);
  const rows = (x.shape[1]! / groups) * sizeOf(kernel);
  return merged
    ? reshape(permute(windows, [...inside, 0, ...places]), [groups, rows, -1])
    : reshape(permute(windows, [0, ...inside, ...places]), [batch, groups, rows, -1]);
}

/** The adjoint of {@link patches}: adds every column to where it came from. */
export function foldPatches(
  columns: Tensor,
  g: Omit<Geometry, "perGroup"> & { readonly channels: number; readonly inputSize: readonly number[] },
): Tensor {
  const { batch, channels, kernel, out, stride, padding, dilation, inputSize, merged } = g;
  const whole = [batch, channels, ...inputSize.map((d, i) => d + padding[i]![0] + padding[i]![1])];
  const [n, c, ...steps] = rowMajor(whole) as [number, number, ...number[]];
  const inside = kernel.map((_, i) => steps[i]! * dilation[i]!);
  const places = out.map((_, i) => steps[i]! * stride[i]!);
  const region = merged
    ? { shape: [channels, ...kernel, batch, ...out], offset: 0, strides: [c, ...inside, n, ...places] }
    : { shape: [batch, channels, ...kernel, ...out], offset: 0, strides: [n, c, ...inside, ...places] };
  const overlap = kernel.some((k, i) => out[i]! > 1 && extent(k, dilation[i]!) > stride[i]!);
  const spread = apply1(assemble, [reshape(columns, region.shape)], {
    shape: whole,
    fill: 0,
    regions: [region],
    accumulate: overlap,
  });
  return slice(spread, [null, null, ...inputSize.map((d, i) => [padding[i]![0], padding[i]![0] + d] as const)]);
}

/** (N, C, …) ↔ (C, N, …). */
export function swapBatch(x: Tensor): Tensor {
  return transpose(x, 0, 1);
}

// Convolution over 1–3 spatial axes and its two gradients, three ops that are each other's derivatives:
// y = conv(x, w) is linear in x and in w, convInputGrad is its adjoint in x, convWeightGrad its adjoint in w.
// Each lowers to matrix products with the patches of x; kernels of backends override that.

import {
  add,
  apply1,
  checkDType,
  defineOp,
  fail,
  matmul,
  type OpDef,
  type Padding,
  reshape,
  type Spec,
  sameShape,
  show,
  sizeOf,
  sum,
  type Tensor,
  transpose,
} from "@nn/tensor";
import { inBatch } from "../batch.js";
import { axisNames, count, extent, outputSizesOrFail, perAxis, type Size } from "../spatial.js";
import { type ConvAttrs, foldPatches, geometry, isMerged, patches, swapBatch } from "./patches.js";

export type { ConvAttrs };

/**
 * Padding of a convolution: one number for both sides of every axis; per axis a number or `[before, after]`; or a word:
 *
 * - `"valid"`: none.
 * - `"same"`: as much as makes `⌈size / stride⌉` outputs, half of it before and the rest after, the odd one after. With
 *   stride 1 that is PyTorch's rule; with others, where it depends on the input, ONNX's SAME_UPPER and TensorFlow's.
 * - `"causal"`: `dilation · (kernel − 1)` elements before the one axis and none after, so that no output sees what comes
 *   after it.
 */
export type ConvPadding = number | readonly (number | Padding)[] | "same" | "valid" | "causal";

/** Options of {@link conv}, as `torch.nn.functional.conv2d` has them. */
export interface ConvOptions {
  /** Distance between windows (default 1). */
  readonly stride?: Size;
  /** Zeros around the input (default 0). */
  readonly padding?: ConvPadding;
  /** Distance between the elements of a window (default 1). */
  readonly dilation?: Size;
  /** Number of groups of channels that do not see each other (default 1); in-channels many: depthwise. */
  readonly groups?: number;
}

/**
 * Convolution (strictly: cross-correlation) over the last 1, 2 or 3 axes:
 * `y[n, o, p] = bias[o] + Σ over c, k of weight[o, c, k] · x[n, c, p · stride + k · dilation − padding]`.
 *
 * As [torch.nn.functional.conv1d, conv2d and conv3d](https://pytorch.org/docs/stable/generated/torch.nn.functional.conv2d.html).
 *
 * @param x (N, I, …spatial) f32, or (I, …spatial) without a batch
 * @param weight (O, I / groups, …kernel) f32; its rank says how many spatial axes there are
 * @param bias (O) f32, or null
 * @returns (N, O, …), or (O, …) without a batch, each axis of `⌊(size + padding − dilation · (kernel − 1) − 1) / stride⌋ + 1`
 * @throws {@link NNError} if shapes or options do not fit
 * @example
 * ```ts
 * conv(zeros([8, 3, 32, 32]), zeros([16, 3, 3, 3]), null, { padding: "same" }).shape; // [8, 16, 32, 32]
 * ```
 */
export function conv(x: Tensor, weight: Tensor, bias: Tensor | null = null, options: ConvOptions = {}): Tensor {
  const attrs = convAttrs("conv/conv", weight.shape.slice(2), options, x.shape.slice(2 - weight.rank));
  const run = (batch: Tensor) => apply1(convOp, bias ? [batch, weight, bias] : [batch, weight], attrs);
  return inBatch("conv/conv", x, weight.rank - 2, weight.shape[1]! * attrs.groups, run);
}

/** `"conv/conv"`: (x, weight) or (x, weight, bias). See {@link conv}. */
export const convOp: OpDef<ConvAttrs> = /* @__PURE__ */ defineOp<ConvAttrs>({
  name: "conv/conv",
  infer: ([x, weight, bias], attrs) => [inferConv("conv/conv", x!, weight!, bias, attrs)],
  lower([x, weight, bias], attrs) {
    const g = geometry(x!.shape, weight!.shape, attrs);
    const { batch, groups, perGroup, out } = g;
    let y = matmul(reshape(weight!, [groups, perGroup, -1]), patches(x!, g));
    // Here, and not after the reshape, so that a compiled step can do it in the epilogue of the product.
    if (bias) y = add(y, reshape(bias, [groups, perGroup, 1]));
    return [
      g.merged
        ? swapBatch(reshape(y, [groups * perGroup, batch, ...out]))
        : reshape(y, [batch, groups * perGroup, ...out]),
    ];
  },
  vjp([ct], { ins: [x, weight], attrs, needs }) {
    return [
      needs[0] ? convInputGrad(ct!, weight!, x!.shape.slice(2), attrs) : null,
      needs[1] ? convWeightGrad(x!, ct!, weight!.shape.slice(2), attrs) : null,
      needs[2] ? sum(ct!, [...ct!.shape.keys()].toSpliced(1, 1)) : null,
    ];
  },
});

/** {@link ConvAttrs} and the spatial size of the x whose gradient it is. */
export interface ConvInputGradAttrs extends ConvAttrs {
  readonly inputSize: readonly number[];
}

/** `"conv/convInputGrad"`: (ct, weight) → the gradient of x. See {@link convInputGrad}. */
export const convInputGradOp: OpDef<ConvInputGradAttrs> = /* @__PURE__ */ defineOp<ConvInputGradAttrs>({
  name: "conv/convInputGrad",
  infer([ct, weight], attrs) {
    const channels = weight!.shape[1]! * attrs.groups;
    const x: Spec = { shape: [ct!.shape[0]!, channels, ...attrs.inputSize], dtype: "f32" };
    checkGradient("conv/convInputGrad", ct!, x, weight!, attrs);
    return [x];
  },
  lower([ct, weight], attrs) {
    const [batch, , ...out] = ct!.shape as [number, number, ...number[]];
    const [outChannels, , ...kernel] = weight!.shape as [number, number, ...number[]];
    const { groups, inputSize } = attrs;
    const perGroup = outChannels / groups;
    const w = transpose(reshape(weight!, [groups, perGroup, -1]));
    const merged = isMerged(out);
    const g = merged ? reshape(swapBatch(ct!), [groups, perGroup, -1]) : reshape(ct!, [batch, groups, perGroup, -1]);
    const channels = weight!.shape[1]! * groups;
    return [foldPatches(matmul(w, g), { ...attrs, batch, channels, kernel, out, inputSize, merged })];
  },
  vjp([u], { ins: [ct, weight], attrs: { inputSize: _, ...attrs }, needs }) {
    return [
      needs[0] ? apply1(convOp, [u!, weight!], attrs) : null,
      needs[1] ? convWeightGrad(u!, ct!, weight!.shape.slice(2), attrs) : null,
    ];
  },
});

/** {@link ConvAttrs} and the kernel size of the weight whose gradient it is. */
export interface ConvWeightGradAttrs extends ConvAttrs {
  readonly kernelSize: readonly number[];
}

/** `"conv/convWeightGrad"`: (x, ct) → the gradient of the weight. See {@link convWeightGrad}. */
export const convWeightGradOp: OpDef<ConvWeightGradAttrs> = /* @__PURE__ */ defineOp<ConvWeightGradAttrs>({
  name: "conv/convWeightGrad",
  infer([x, ct], attrs) {
    const shape = [ct!.shape[1]!, x!.shape[1]! / attrs.groups, ...attrs.kernelSize];
    const weight: Spec = { shape, dtype: "f32" };
    checkGradient("conv/convWeightGrad", ct!, x!, weight, attrs);
    return [weight];
  },
  lower([x, ct], attrs) {
    const { groups, kernelSize } = attrs;
    const shape = [ct!.shape[1]!, x!.shape[1]! / groups, ...kernelSize];
    const g = geometry(x!.shape, shape, attrs);
    const columns = patches(x!, g);
    const { batch, perGroup } = g;
    const gradient = g.merged
      ? reshape(swapBatch(ct!), [groups, perGroup, -1])
      : reshape(ct!, [batch, groups, perGroup, -1]);
    // The longer side goes to the right, where a plain product has its inner loop.
    const k = sizeOf(shape.slice(1));
    const y = perGroup > k ? transpose(matmul(columns, transpose(gradient))) : matmul(gradient, transpose(columns));
    return [reshape(g.merged ? y : sum(y, 0), shape)];
  },
  vjp([u], { ins: [x, ct], attrs: { kernelSize: _, ...attrs }, needs }) {
    return [
      needs[0] ? convInputGrad(ct!, u!, x!.shape.slice(2), attrs) : null,
      needs[1] ? apply1(convOp, [x!, u!], attrs) : null,
    ];
  },
});

/**
 * The gradient of {@link conv} in its input: what transposed convolution computes.
 *
 * @param ct (N, O, …) gradient of the output
 * @param weight (O, I / groups, …kernel)
 * @param inputSize spatial size of the input
 * @returns (N, I, …inputSize)
 */
export function convInputGrad(ct: Tensor, weight: Tensor, inputSize: readonly number[], attrs: ConvAttrs): Tensor {
  return apply1(convInputGradOp, [ct, weight], { ...attrs, inputSize });
}

/**
 * The gradient of {@link conv} in its weight.
 *
 * @param x (N, I, …) input
 * @param ct (N, O, …) gradient of the output
 * @param kernelSize spatial size of the weight
 * @returns (O, I / groups, …kernelSize)
 */
export function convWeightGrad(x: Tensor, ct: Tensor, kernelSize: readonly number[], attrs: ConvAttrs): Tensor {
  return apply1(convWeightGradOp, [x, ct], { ...attrs, kernelSize });
}

// ── options and checks ─────────────────────────────────────────────────────────────────────────────

/**
 * Options as attributes: one entry per axis, padding as pairs.
 *
 * @param size of the input: it matters for `"same"` with a stride other than 1
 */
export function convAttrs(op: string, kernel: readonly number[], options: ConvOptions, size = kernel): ConvAttrs {
  const axes = kernel.length;
  if (axes < 1 || axes > 3)
    fail({ op, expected: "weight (O, I / groups, …kernel) with 1, 2 or 3 kernel axes", got: `${axes} kernel axes` });
  const stride = perAxis(op, "stride", options.stride ?? 1, axes, 1);
  const dilation = perAxis(op, "dilation", options.dilation ?? 1, axes, 1);
  const padding = paddingPairs(op, options.padding ?? 0, kernel, size, stride, dilation);
  return { stride, padding, dilation, groups: count(op, "groups", options.groups ?? 1) };
}

function paddingPairs(
  op: string,
  padding: ConvPadding,
  kernel: readonly number[],
  size: readonly number[],
  stride: readonly number[],
  dilation: readonly number[],
): Padding[] {
  const spans = kernel.map((k, i) => extent(k, dilation[i]!));
  if (padding === "same") {
    return spans.map((span, i) => {
      const [d, step] = [size[i]!, stride[i]!];
      const total = Math.max(0, (Math.ceil(d / step) - 1) * step + span - d);
      const before = Math.floor(total / 2);
      return [before, total - before];
    });
  }
  if (padding === "causal" && kernel.length === 1) return [[spans[0]! - 1, 0]];
  const given = padding === "valid" ? 0 : padding;
  const list = Array.isArray(given) ? given : kernel.map(() => given);
  const pairs = list.map((p): Padding => (typeof p === "number" ? [p, p] : p));
  const fits = (p: Padding) => Array.isArray(p) && p.length === 2 && p.every((v) => Number.isInteger(v) && v >= 0);
  if (pairs.length === kernel.length && pairs.every(fits)) return pairs;
  return fail({
    op,
    expected: `padding: an integer ≥ 0, ${kernel.length} of them or of pairs [before, after] (${axisNames(kernel.length)}), ${kernel.length === 1 ? '"causal", ' : ""}"same" or "valid"`,
    got: JSON.stringify(padding) ?? String(padding),
    ...(padding === "causal" ? { hint: '"causal" is for one axis.' } : {}),
  });
}

/** The shape rule of convolution. */
function inferConv(op: string, x: Spec, weight: Spec, bias: Spec | undefined, attrs: ConvAttrs): Spec {
  const { groups, stride } = attrs;
  for (const t of [x, weight, ...(bias ? [bias] : [])]) checkDType(op, t.dtype, "f32");
  const axes = stride.length;
  const [outChannels, perGroup, ...kernel] = weight.shape as [number, number, ...number[]];
  if (kernel.length !== axes || weight.shape.includes(0)) {
    fail({
      op,
      expected: `weight (O, I / groups, …) with ${axes} kernel axes, none of them 0`,
      got: show(weight.shape),
    });
  }
  const inChannels = perGroup * groups;
  checkGroups(op, inChannels, outChannels, groups);
  const [batch, channels, ...size] = x.shape as [number, number, ...number[]];
  if (size.length !== axes || channels !== inChannels) {
    const odd = size.length === axes ? `: channel ${channels} ≠ inChannels ${inChannels}` : "";
    fail({
      op,
      expected: `x (N, ${inChannels}, ${axisNames(axes)})`,
      got: `${show(x.shape)}${odd}`,
      hint: "The order of axes is N, C, then the spatial ones.",
    });
  }
  if (bias && show(bias.shape) !== show([outChannels])) {
    fail({
      op,
      expected: `bias ${show([outChannels])}`,
      got: show(bias.shape),
      hint: "One number per output channel.",
    });
  }
  return { shape: [batch, outChannels, ...outputSizesOrFail(op, size, kernel, attrs)], dtype: "f32" };
}

/** That ct is what the convolution of x and weight gives. */
function checkGradient(op: string, ct: Spec, x: Spec, weight: Spec, attrs: ConvAttrs): void {
  const { shape } = inferConv(op, x, weight, undefined, attrs);
  checkDType(op, ct.dtype, "f32");
  if (sameShape(ct.shape, shape)) return;
  fail({ op, expected: `ct ${show(shape)}, as conv gives for x ${show(x.shape)}`, got: show(ct.shape) });
}

/** Also for layers: groups divide both numbers of channels. */
export function checkGroups(op: string, inChannels: number, outChannels: number, groups: number): void {
  if (inChannels % groups === 0 && outChannels % groups === 0) return;
  fail({
    op,
    expected: `groups that divide ${inChannels} input and ${outChannels} output channels`,
    got: `groups ${groups}`,
    hint: `Change the number of ${inChannels % groups === 0 ? "output" : "input"} channels.`,
  });
}

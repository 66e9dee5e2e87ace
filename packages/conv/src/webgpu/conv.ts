// Convolution over 1–3 axes and its gradients as implicit matrix products: the patches are a function of the image, and in
// memory only as the tiles that are multiplied. Samples lie side by side, groups are batches of the product.

import { type Operand, ownInputs, product, reads, readsFours, strided, type WgslKernel } from "@nn/backend-webgpu";
import { isContiguous, type Signature, sizeOf, type View } from "@nn/tensor";
import type { ConvAttrs, ConvInputGradAttrs, ConvWeightGradAttrs } from "../conv/conv.js";
import { address, coordinates, inWindow, type Kernel, orZero, windowOf } from "./windows.js";

export const conv: WgslKernel<ConvAttrs> = {
  op: "conv/conv",
  fusesEpilogue: true,
  accepts: ({ ins: [, weight] }) => isContiguous(weight!),
  emit(signature) {
    const { ins, outs, attrs } = signature;
    const [x, weight, out] = [ins[0]!, ins[1]!, outs[0]!];
    const [batch, all, ...places] = out.shape as [number, number, ...number[]];
    const { groups } = attrs;
    const [rows, channels] = [all / groups, weight.shape[1]!];
    const kernelSize = weight.shape.slice(2);
    const [taps, pixels] = [sizeOf(kernelSize), sizeOf(places)];
    const k = channels * taps;
    const p = coordinates("p", [channels, ...kernelSize], "k");
    const patch = (e: number) => `x_at(batch, o + ${e}u, ${p.at.join(", ")})`;
    return product({
      ...{ name: "conv", signature, batches: groups, m: rows, n: batch * pixels, k, half: true },
      a: weightRows(weight, groups),
      b: {
        deep: false,
        before: patches(x, out, channels, { ...attrs, kernelSize }),
        body: [`if (p >= ${k}u) { return vec4f(); }`, ...p.lines, `return vec4f(${four.map(patch).join(", ")});`],
        bindings: [reads("in0", "f32")],
      },
      at: `(column / ${pixels}u * ${all}u + batch * ${rows}u + row) * ${pixels}u + column % ${pixels}u`,
      ...biasOf(signature, pixels),
    });
  },
};

export const convInputGrad: WgslKernel<ConvInputGradAttrs> = {
  op: "conv/convInputGrad",
  fusesEpilogue: true,
  accepts: ({ ins: [, weight] }) => isContiguous(weight!),
  emit(signature) {
    const { ins, outs, attrs } = signature;
    const [ct, weight, out] = [ins[0]!, ins[1]!, outs[0]!];
    const [batch, all, ...places] = out.shape as [number, number, ...number[]];
    const { groups } = attrs;
    const [rows, channels] = [all / groups, weight.shape[0]! / groups];
    const kernelSize = weight.shape.slice(2);
    const [taps, pixels] = [sizeOf(kernelSize), sizeOf(places)];
    const k = channels * taps;
    const p = coordinates("p", [channels, ...kernelSize], "k");
    const y = coordinates("q", [batch, ...places], "y");
    const from = windowOf({ ...attrs, kernelSize }, ct.shape.slice(2), y.at.slice(1), names("k", places, 1));
    const patch = (e: number) => `ct_at(batch, o + ${e}u, ${p.at.join(", ")})`;
    return product({
      ...{ name: "conv gradient", signature, batches: groups, m: rows, n: batch * pixels, k },
      a: weightColumns(weight, groups, taps),
      b: {
        deep: false,
        before: [
          `fn ct_at(group: u32, q: u32, k0: i32, ${params("k", places, 1)}) -> f32 {`,
          ...y.lines,
          ...from.lines,
          `return ${orZero(`in0[${address(ct, [y.at[0]!, `(i32(group) * ${channels} + k0)`, ...from.at])}]`, from.inside)};`,
          "}",
        ],
        body: [`if (p >= ${k}u) { return vec4f(); }`, ...p.lines, `return vec4f(${four.map(patch).join(", ")});`],
        bindings: [reads("in0", "f32")],
      },
      at: `(column / ${pixels}u * ${all}u + batch * ${rows}u + row) * ${pixels}u + column % ${pixels}u`,
    });
  },
};

export const convWeightGrad: WgslKernel<ConvWeightGradAttrs> = {
  op: "conv/convWeightGrad",
  fusesEpilogue: true,
  emit(signature) {
    const { ins, outs, attrs } = signature;
    const [x, ct, out] = [ins[0]!, ins[1]!, outs[0]!];
    const { groups, kernelSize } = attrs;
    const [batch, all, ...places] = ct.shape as [number, number, ...number[]];
    const [rows, channels] = [all / groups, out.shape[1]!];
    const k = batch * sizeOf(places);
    const c = coordinates("o", [channels, ...kernelSize], "k");
    const patch = (e: number) => `x_at(batch, p + ${e}u, ${c.at.join(", ")})`;
    return product({
      ...{ name: "conv weight gradient", signature, batches: groups, m: rows, n: sizeOf(out.shape.slice(1)), k },
      a: pixelRows(ct, rows),
      b: {
        deep: true,
        before: patches(x, ct, channels, { ...attrs, kernelSize }),
        body: [...c.lines, ...guarded(k, patch)],
        bindings: [reads("in0", "f32")],
      },
    });
  },
};

// ── operands ───────────────────────────────────────────────────────────────────────────────────────

const four = [0, 1, 2, 3];
const names = (prefix: string, axes: readonly number[], from = 0) => axes.map((_, i) => `${prefix}${i + from}`);
const params = (prefix: string, axes: readonly number[], from = 0) =>
  names(prefix, axes, from)
    .map((n) => `${n}: i32`)
    .join(", ");

/** Lines that return elements p … p + 3 of a sum of k, 0 past its end. */
function guarded(k: number, element: (e: number) => string): string[] {
  if (k % 4 === 0) return [`if (p >= ${k}u) { return vec4f(); }`, `return vec4f(${four.map(element).join(", ")});`];
  return ["var v = vec4f();", ...four.map((e) => `if (p + ${e}u < ${k}u) { v[${e}] = ${element(e)}; }`), "return v;"];
}

/** `x_at(group, q, channel, …kernel)`: what output q of all samples sees of x. */
function patches(x: View, out: View, channels: number, kernel: Kernel): string[] {
  const [batch, , ...places] = out.shape as [number, number, ...number[]];
  const o = coordinates("q", [batch, ...places], "o");
  const from = inWindow(kernel, x.shape.slice(2), o.at.slice(1), names("k", places, 1));
  return [
    `fn x_at(group: u32, q: u32, k0: i32, ${params("k", places, 1)}) -> f32 {`,
    ...o.lines,
    ...from.lines,
    `return ${orZero(`in0[${address(x, [o.at[0]!, `(i32(group) * ${channels} + k0)`, ...from.at])}]`, from.inside)};`,
    "}",
  ];
}

/** The weight (O, C, …) as groups of matrices: (O / groups, C · kernel). */
function weightRows({ shape, offset, dtype }: View, groups: number): Operand {
  const [rows, k] = [shape[0]! / groups, sizeOf(shape.slice(1))];
  const view = { dtype, offset, shape: [groups, rows, k], strides: [rows * k, k, 1] };
  return strided("in1", view, [groups], rows, k, 1, k);
}

/** And so that rows are the input's channels: (C, O / groups · kernel). */
function weightColumns({ shape, offset, dtype }: View, groups: number, taps: number): Operand {
  const [inner, rows] = [shape[0]! / groups, shape[1]!];
  const step = rows * taps;
  if (taps === 1) {
    const view = { dtype, offset, shape: [groups, rows, inner], strides: [inner * rows, 1, rows] };
    return strided("in1", view, [groups], rows, 1, rows, inner);
  }
  const element = (e: number) => `in1[base + i32((p + ${e}u) / ${taps}u * ${step}u + (p + ${e}u) % ${taps}u)]`;
  return {
    deep: true,
    body: [`let base = ${offset} + i32(batch * ${inner * step}u + o * ${taps}u);`, ...guarded(inner * taps, element)],
    bindings: [reads("in1", "f32")],
  };
}

/** The gradient (N, O, …) as groups of matrices: (O / groups, N · positions). */
function pixelRows(ct: View, rows: number): Operand {
  const [batch, all, ...places] = ct.shape as [number, number, ...number[]];
  const pixels = sizeOf(places);
  const k = batch * pixels;
  if (isContiguous(ct) && pixels % 4 === 0 && ct.offset % 4 === 0) {
    const at = `(${ct.offset}u + (p / ${pixels}u * ${all}u + batch * ${rows}u + o) * ${pixels}u + p % ${pixels}u) / 4u`;
    return {
      deep: true,
      body: [`if (p >= ${k}u) { return vec4f(); }`, `return in1[${at}];`],
      bindings: [readsFours("in1")],
    };
  }
  const q = coordinates("q", [batch, ...places], "q");
  return {
    deep: true,
    before: [
      "fn pixel(channel: i32, q: u32) -> f32 {",
      ...q.lines,
      `return in1[${address(ct, [q.at[0]!, "channel", ...q.at.slice(1)])}];`,
      "}",
    ],
    body: [`let channel = i32(batch * ${rows}u + o);`, ...guarded(k, (e) => `pixel(channel, p + ${e}u)`)],
    bindings: [reads("in1", "f32")],
  };
}

/** The bias, if there is one, for the output's element r. */
export function biasOf(signature: Signature<ConvAttrs>, pixels: number) {
  if (ownInputs(signature) < 3) return {};
  const { offset, strides } = signature.ins[2]!;
  const value = `in2[${offset} + i32(r / ${pixels}u % ${signature.outs[0]!.shape[1]}u) * ${strides[0]}]`;
  return { bias: { value, binding: reads("in2", "f32") } };
}

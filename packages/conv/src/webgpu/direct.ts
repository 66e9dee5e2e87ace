// Convolution of groups of few channels, depthwise ones above all, and its gradients: a thread per element, without a
// product whose tiles would be mostly empty. For the weight a workgroup per element.

import {
  eachElement,
  finish,
  groupIndex,
  groupsOf,
  main,
  reads,
  textOf,
  together,
  type WgslCode,
  type WgslKernel,
  writes,
} from "@nn/backend-webgpu";
import { type Signature, sizeOf, type View } from "@nn/tensor";
import type { ConvAttrs, ConvInputGradAttrs, ConvWeightGradAttrs } from "../conv/conv.js";
import { biasOf } from "./conv.js";
import { address, coordinates, inWindow, loops, where, windowOf } from "./windows.js";

/** Channels of a group, in and out, at most. */
const FEW = 4;

const few = ({ groups }: ConvAttrs, weight: View) =>
  groups > 1 && Math.max(weight.shape[0]! / groups, weight.shape[1]!) <= FEW;

export const directConv: WgslKernel<ConvAttrs> = {
  op: "conv/conv",
  fusesEpilogue: true,
  accepts: ({ ins: [, weight], attrs }) => few(attrs, weight!),
  emit(signature) {
    const { ins, outs, attrs } = signature;
    const [x, weight, out] = [ins[0]!, ins[1]!, outs[0]!];
    const [all, channels, ...kernelSize] = weight.shape as [number, number, ...number[]];
    const o = coordinates("r", out.shape, "o");
    const body = loops([channels, ...kernelSize], "k", ([c, ...k]) => {
      const from = inWindow({ ...attrs, kernelSize }, x.shape.slice(2), o.at.slice(2), k);
      const xAt = address(x, [o.at[0]!, `(first + ${c})`, ...from.at]);
      return [
        ...from.lines,
        ...where(from.inside, [`sum += in0[${xAt}] * in1[${address(weight, [o.at[1]!, c!, ...k])}];`]),
      ];
    });
    const { bias } = biasOf(signature, sizeOf(out.shape.slice(2)));
    const first = `let first = ${o.at[1]} / ${all / attrs.groups} * ${channels};`;
    return perElement("conv", signature, [...o.lines, first, ...body], { bias, half: true });
  },
};

export const directConvInputGrad: WgslKernel<ConvInputGradAttrs> = {
  op: "conv/convInputGrad",
  fusesEpilogue: true,
  accepts: ({ ins: [, weight], attrs }) => few(attrs, weight!),
  emit(signature) {
    const { ins, outs, attrs } = signature;
    const [ct, weight, out] = [ins[0]!, ins[1]!, outs[0]!];
    const [all, channels, ...kernelSize] = weight.shape as [number, number, ...number[]];
    const rows = all / attrs.groups;
    const y = coordinates("r", out.shape, "p");
    const body = loops([rows, ...kernelSize], "k", ([row, ...k]) => {
      const from = windowOf({ ...attrs, kernelSize }, ct.shape.slice(2), y.at.slice(2), k);
      const [o, c] = [`(${y.at[1]} / ${channels} * ${rows} + ${row})`, `(${y.at[1]} % ${channels})`];
      return [
        ...from.lines,
        ...where(from.inside, [
          `sum += in0[${address(ct, [y.at[0]!, o, ...from.at])}] * in1[${address(weight, [o, c, ...k])}];`,
        ]),
      ];
    });
    return perElement("conv gradient", signature, [...y.lines, ...body]);
  },
};

export const directConvWeightGrad: WgslKernel<ConvWeightGradAttrs> = {
  op: "conv/convWeightGrad",
  accepts: ({ outs: [out], attrs }) => few(attrs, out!),
  emit({ ins, outs, attrs }) {
    const [x, ct, out] = [ins[0]!, ins[1]!, outs[0]!];
    const [batch, all, ...places] = ct.shape as [number, number, ...number[]];
    const channels = out.shape[1]!;
    const [size, count] = [sizeOf(out.shape), batch * sizeOf(places)];
    const lanes = 128;
    const w = coordinates("r", out.shape, "w");
    const q = coordinates("q", [batch, ...places], "q");
    const from = inWindow(attrs, x.shape.slice(2), q.at.slice(1), w.at.slice(2));
    const xAt = address(x, [q.at[0]!, `(${w.at[0]} / ${all / attrs.groups} * ${channels} + ${w.at[1]})`, ...from.at]);
    const body = (subgroups: boolean) => [
      `let r = ${groupIndex(size)};`,
      `if (r >= ${size}u) { return; }`,
      ...w.lines,
      "var sum = 0.0;",
      `for (var q = lane; q < ${count}u; q += ${lanes}u) {`,
      ...q.lines,
      ...from.lines,
      ...where(from.inside, [`sum += in0[${xAt}] * in1[${address(ct, [q.at[0]!, w.at[0]!, ...q.at.slice(1)])}];`]),
      "}",
      ...together("sum", (a, b) => `${a} + ${b}`, { lanes, memory: "sums", subgroups }),
      "if (lane == 0u) { out0[r] = sum; }",
    ];
    const text = (subgroups: boolean) => main(lanes, body(subgroups), [`var<workgroup> sums: array<f32, ${lanes}>;`]);
    const bindings = [reads("in0", "f32", true), reads("in1", "f32", true), writes("out0", "f32")];
    const pass = { text: text(false), withSubgroups: text(true), bindings, groups: size };
    return { name: "conv weight gradient", passes: size === 0 ? [] : [pass] };
  },
};

/** A thread per element r of the output: lines that add to `sum`. */
function perElement(
  name: string,
  signature: Signature<ConvAttrs>,
  lines: readonly string[],
  { bias, half }: ReturnType<typeof biasOf> & { readonly half?: boolean } = {},
): WgslCode {
  const size = sizeOf(signature.outs[0]!.shape);
  const last = finish(signature, "total", "r");
  const total = `let total = sum${bias ? ` + ${bias.value}` : ""};`;
  const body = ["let r = i;", "var sum = 0.0;", ...lines, total, ...last.lines, `out0[r] = ${last.value};`];
  const bindings = [
    ...[reads("in0", "f32", true), reads("in1", "f32"), ...(bias ? [bias.binding] : [])],
    ...[...last.bindings, writes("out0", "f32", half)],
  ];
  const pass = { text: eachElement(size, body, textOf(last.calls)), bindings, groups: groupsOf(size) };
  return { name, passes: size === 0 ? [] : [pass] };
}

// Max- and average-pooling and their gradients, a thread per element. A gradient is collected by the input's elements from
// the windows they are in: nothing is scattered, and no index is written.

import {
  eachElement,
  finish,
  groupsOf,
  ownInputs,
  reads,
  textOf,
  type WgslCode,
  type WgslKernel,
  writes,
} from "@nn/backend-webgpu";
import { rowMajor, type Signature, sizeOf, type View } from "@nn/tensor";
import type { AvgPoolAttrs } from "../pool/avg-pool.js";
import type { PoolAttrs } from "../pool/windows.js";
import { address, coordinates, inWindow, loops, where, windowOf } from "./windows.js";

export const maxPool: WgslKernel<PoolAttrs> = {
  op: "conv/maxPool",
  fusesEpilogue: true,
  emit(signature) {
    const { ins, outs, attrs } = signature;
    const o = coordinates("r", outs[0]!.shape, "o");
    const body = loops(attrs.kernelSize, "k", (k) => {
      const from = inWindow(attrs, ins[0]!.shape.slice(2), o.at.slice(2), k);
      const value = `in0[${address(ins[0]!, [...o.at.slice(0, 2), ...from.at])}]`;
      return [...from.lines, ...where(from.inside, [`total = max_f32(total, ${value});`])];
    });
    return perElement("maxPool", signature, ["var total = -infinity();", ...o.lines, ...body], ["max_f32", "infinity"]);
  },
};

/** Of the elements that are in x, the first that is not less than the maximum; in a window with NaN, the first. */
const IS_FIRST = "fn is_first(v: f32, top: f32) -> bool { return v >= top || is_nan(top); }";

export const maxPoolGrad: WgslKernel<PoolAttrs> = {
  op: "conv/maxPoolGrad",
  fusesEpilogue: true,
  emit(signature) {
    const [ct, x, y] = signature.ins as [View, View, View];
    const { attrs } = signature;
    const { kernelSize } = attrs;
    const e = coordinates("r", x.shape, "p");
    const sample = e.at.slice(0, 2);
    const steps = rowMajor(kernelSize);
    const body = loops(kernelSize, "k", (k) => {
      const window = windowOf(attrs, y.shape.slice(2), e.at.slice(2), k);
      const before = coordinates("j", kernelSize, "j");
      const other = inWindow(attrs, x.shape.slice(2), window.at, before.at);
      return [
        ...window.lines,
        ...where(window.inside, [
          `let top = in2[${address(y, [...sample, ...window.at])}];`,
          "var mine = is_first(own, top);",
          `for (var j = 0u; j < u32(${k.map((c, i) => `${c} * ${steps[i]}`).join(" + ")}) && mine; j++) {`,
          ...before.lines,
          ...other.lines,
          ...where(other.inside, [`mine = !is_first(in1[${address(x, [...sample, ...other.at])}], top);`]),
          "}",
          `if (mine) { total += in0[${address(ct, [...sample, ...window.at])}]; }`,
        ]),
      ];
    });
    const own = `let own = in1[${address(x, e.at)}];`;
    return perElement(
      "maxPool gradient",
      signature,
      ["var total = 0.0;", ...e.lines, own, ...body],
      ["is_nan"],
      [IS_FIRST],
    );
  },
};

export const maxPoolIndices: WgslKernel<PoolAttrs> = {
  op: "conv/maxPoolIndices",
  emit(signature) {
    const [x, y] = signature.ins as [View, View];
    const { attrs } = signature;
    const size = x.shape.slice(2);
    const o = coordinates("r", y.shape, "o");
    const flat = rowMajor(size);
    const body = loops(attrs.kernelSize, "k", (k) => {
      const from = inWindow(attrs, size, o.at.slice(2), k);
      const value = `in0[${address(x, [...o.at.slice(0, 2), ...from.at])}]`;
      const found = `total = ${from.at.map((c, i) => `${c} * ${flat[i]}`).join(" + ")};`;
      return [...from.lines, ...where(from.inside, [`if (total < 0 && is_first(${value}, top)) { ${found} }`])];
    });
    const top = `let top = in1[${address(y, o.at)}];`;
    return perElement(
      "maxPool indices",
      signature,
      ["var total = -1;", ...o.lines, top, ...body],
      ["is_nan"],
      [IS_FIRST],
    );
  },
};

export const avgPool: WgslKernel<AvgPoolAttrs> = {
  op: "conv/avgPool",
  fusesEpilogue: true,
  emit(signature) {
    const { ins, outs, attrs } = signature;
    const o = coordinates("r", outs[0]!.shape, "o");
    const body = loops(attrs.kernelSize, "k", (k) => {
      const from = inWindow(attrs, ins[0]!.shape.slice(2), o.at.slice(2), k);
      return [
        ...from.lines,
        ...where(from.inside, [`sum += in0[${address(ins[0]!, [...o.at.slice(0, 2), ...from.at])}];`]),
      ];
    });
    const total = `let total = sum / ${elements(attrs, o.at.slice(2))};`;
    return perElement("avgPool", signature, ["var sum = 0.0;", ...o.lines, ...body, total]);
  },
};

export const avgPoolGrad: WgslKernel<AvgPoolAttrs & { readonly inputSize: readonly number[] }> = {
  op: "conv/avgPoolGrad",
  fusesEpilogue: true,
  emit(signature) {
    const { ins, outs, attrs } = signature;
    const ct = ins[0]!;
    const y = coordinates("r", outs[0]!.shape, "p");
    const body = loops(attrs.kernelSize, "k", (k) => {
      const window = windowOf(attrs, ct.shape.slice(2), y.at.slice(2), k);
      const share = `in0[${address(ct, [...y.at.slice(0, 2), ...window.at])}] / ${elements(attrs, window.at)}`;
      return [...window.lines, ...where(window.inside, [`total += ${share};`])];
    });
    return perElement("avgPool gradient", signature, ["var total = 0.0;", ...y.lines, ...body]);
  },
};

/** What the sum over window `o` is divided by. */
function elements({ divisor, kernelSize, bounds, stride, padding }: AvgPoolAttrs, o: readonly string[]): string {
  if (divisor !== null) return `f32(${divisor})`;
  const along = kernelSize.map((k, i) => {
    const [low, high] = bounds[i]!;
    const start = `${o[i]} * ${stride[i]} - ${padding[i]![0]}`;
    return `(min(${start} + ${k}, ${high}) - max(${start}, ${low}))`;
  });
  return `f32(${along.join(" * ")})`;
}

/** A thread per element r of the output: lines that end with `total`. */
function perElement(
  name: string,
  signature: Signature<PoolAttrs>,
  lines: readonly string[],
  calls: readonly string[] = [],
  before: readonly string[] = [],
): WgslCode {
  const out = signature.outs[0]!;
  const size = sizeOf(out.shape);
  const last = finish(signature, "total", "r");
  const own = signature.ins.slice(0, ownInputs(signature));
  const used = own.map((_, i) => `in${i}`).filter((name) => lines.some((line) => line.includes(`${name}[`)));
  const pass = {
    text: eachElement(
      size,
      ["let r = i;", ...lines, ...last.lines, `out0[r] = ${last.value};`],
      [...textOf([...calls, ...last.calls]), ...before],
    ),
    // What others are compared with, the maxima, comes last.
    bindings: [
      ...used.map((name, k) => reads(name, "f32", k === 0 || k < own.length - 1)),
      ...last.bindings,
      writes("out0", out.dtype),
    ],
    groups: groupsOf(size),
  };
  return { name, passes: size === 0 ? [] : [pass] };
}

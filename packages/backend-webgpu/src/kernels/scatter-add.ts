// scatterAdd without atomics: no race, the same bits every time, and any dtype. Where the axis is short, a thread per
// place looks through the index. Else (embeddings) sources of one place are linked first, and the first of each sums.

import { type AxisAttrs, type Signature, sizeOf, type View } from "@nn/tensor";
import {
  eachElement,
  groupsOf,
  reads,
  typeOf,
  type WgslCode,
  type WgslKernel,
  type WgslPass,
  writes,
} from "../code.js";
import { literal, placeOf, sum } from "../walk.js";

export const scatterAdd: WgslKernel<AxisAttrs> = {
  op: "scatterAdd",
  emit(signature) {
    const [index] = signature.ins as [View, View];
    const size = sizeOf(signature.outs[0]!.shape);
    if (size === 0) return { name: "scatterAdd", passes: [] };
    const count = index.shape[signature.attrs.axis]!;
    const passes = sizeOf(linesOf(index, signature.attrs.axis).shape) * count * 4 < size && count > 32;
    return passes ? linked(signature) : searched(signature);
  },
};

/** The view without its stride along the axis, with another shape. */
const without = (v: View, axis: number, shape: readonly number[]): View => ({
  ...v,
  shape,
  strides: v.strides.with(axis, 0),
});

function searched({ ins, outs: [out], attrs: { axis } }: Signature<AxisAttrs>): WgslCode {
  const [index, source] = ins as [View, View];
  const views = [without(index, axis, out!.shape), without(source, axis, out!.shape)];
  const place = placeOf(views, out!.shape, "i", "c", true);
  const body = [
    ...place.lines,
    `let wanted = u32(${place.coordinate(axis)});`,
    `let fromIndex = ${place.at[0]};`,
    `let fromSource = ${place.at[1]};`,
    `var total = ${typeOf(out!.dtype)}(0);`,
    `for (var j = 0; j < ${source.shape[axis]}; j++) {`,
    `if (u32(in0[fromIndex + j * ${literal(index.strides[axis]!)}]) == wanted) {`,
    `total += in1[fromSource + j * ${literal(source.strides[axis]!)}];`,
    "}",
    "}",
    "out0[i] = total;",
  ];
  const bindings = [reads("in0", index.dtype), reads("in1", source.dtype), writes("out0", out!.dtype)];
  return { name: "scatterAdd", passes: [each(sizeOf(out!.shape), body, bindings)] };
}

/** The lines of an index along the axis that differ: axes along which it is repeated are left out. */
function linesOf(index: View, axis: number): View & { readonly axes: readonly number[] } {
  const axes = [...index.shape.keys()].filter((a) => a !== axis && index.strides[a] !== 0);
  const { dtype, offset, shape, strides } = index;
  return { dtype, offset, axes, shape: axes.map((a) => shape[a]!), strides: axes.map((a) => strides[a]!) };
}

/** Set where an earlier source has the same place. */
const LATER = "0x80000000u";

/** `scratch`, (lines, count): the next source with the same place, or `count`; and whether there was one before. */
function linked({ ins, outs: [out], attrs: { axis } }: Signature<AxisAttrs>): WgslCode {
  const [index, source] = ins as [View, View];
  const count = source.shape[axis]!;
  const lines = linesOf(index, axis);
  const number = sizeOf(lines.shape);
  const type = typeOf(out!.dtype);

  const line = placeOf([lines], lines.shape, "line", "c");
  const at = (j: string) => `in0[base + ${j} * ${literal(index.strides[axis]!)}]`;
  const link = [
    `let line = i / ${count}u;`,
    `let j = i32(i % ${count}u);`,
    ...line.lines,
    `let base = ${line.at[0]};`,
    `let mine = ${at("j")};`,
    "var word = 0u;",
    "for (var k = 0; k < j; k++) {",
    `if (${at("k")} == mine) { word = ${LATER}; break; }`,
    "}",
    "var next = j + 1;",
    `while (next < ${count}) {`,
    `if (${at("next")} == mine) { break; }`,
    "next++;",
    "}",
    "scratch[i] = word | u32(next);",
  ];

  const { shape } = source;
  const to = { ...out!, shape, strides: out!.strides.with(axis, 0) };
  const place = placeOf([index, without(source, axis, shape), to], shape, "i", "c", true);
  const steps = lines.shape.map((_, k) => count * sizeOf(lines.shape.slice(k + 1)));
  const words = sum(
    0,
    lines.axes.map((a, k) => `${place.coordinate(a)} * ${steps[k]}`),
  );
  const add = [
    ...place.lines,
    `let words = ${words};`,
    `var j = ${place.coordinate(axis)};`,
    `let to = u32(in0[${place.at[0]}]);`,
    `if (scratch[words + j] >= ${LATER} || to >= ${out!.shape[axis]}u) { return; }`,
    `let fromSource = ${place.at[1]};`,
    `var total = ${type}(0);`,
    `while (j < ${count}) {`,
    `total += in1[fromSource + j * ${literal(source.strides[axis]!)}];`,
    `j = i32(scratch[words + j] & ~${LATER});`,
    "}",
    `out0[${place.at[2]} + i32(to) * ${literal(out!.strides[axis]!)}] = total;`,
  ];
  return {
    name: "scatterAdd",
    scratch: 4 * number * count,
    passes: [
      each(number * count, link, [reads("in0", index.dtype), writes("scratch", "u32")]),
      each(sizeOf(out!.shape), [`out0[i] = ${type}(0);`], [writes("out0", out!.dtype)]),
      each(sizeOf(shape), add, [
        reads("in0", index.dtype),
        reads("in1", source.dtype),
        reads("scratch", "u32"),
        writes("out0", out!.dtype),
      ]),
    ],
  };
}

const each = (count: number, body: readonly string[], bindings: WgslPass["bindings"]): WgslPass => ({
  text: eachElement(count, body),
  bindings,
  groups: groupsOf(count),
});

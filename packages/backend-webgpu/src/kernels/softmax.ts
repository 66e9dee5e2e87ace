// softmax and logSoftmax in one dispatch, and the frame of all that looks at whole lines: a workgroup for each line along an
// axis, or, where lines are short, a thread.

import { type Signature, sizeOf, type View } from "@nn/tensor";
import { eachElement, groupIndex, groupsOf, main, reads, type WgslCode, type WgslKernel, writes } from "../code.js";
import { textOf } from "../math.js";
import { literal, placeOf } from "../walk.js";
import { together } from "./together.js";

/** Elements from which a workgroup takes a line. */
const SHARED_FROM = 64;
const LANES = 128;

export const softmax: WgslKernel<{ axis: number }> = {
  op: "softmax",
  emit: (signature) =>
    overLines("softmax", signature, 0, ({ at, each }) => each(`out0[${at(1)}] = nn_exp(v - most) / sum;`)),
};

export const logSoftmax: WgslKernel<{ axis: number }> = {
  op: "logSoftmax",
  emit: (signature) =>
    overLines("logSoftmax", signature, 0, ({ at, each }) => each(`out0[${at(1)}] = (v - most) - nn_log(sum);`)),
};

/** What a line's text is made of. */
export interface LineText {
  /** Where element `j` of the line lies in an input, or in the output, whose number is the next; where that has one element for the line, where this lies. */
  at(view: number): string;
  /** A line for each element `j`, with `v`, what x has there. */
  each(line: string): readonly string[];
  /** A line for one thread. */
  once(line: string): readonly string[];
}

/**
 * A dispatch over the lines of an input along an axis. The output and the other inputs have that axis, or are without it.
 *
 * @param x the input's number
 * @param body what becomes of a line, given `most`, the greatest element of x there, and `sum`, that of exp(v − most)
 */
export function overLines(
  name: string,
  { ins, outs, attrs: { axis } }: Signature<{ readonly axis: number }>,
  x: number,
  body: (text: LineText) => readonly string[],
): WgslCode {
  const { shape } = ins[x]!;
  const count = shape[axis]!;
  const rest = shape.toSpliced(axis, 1);
  const number = sizeOf(rest);
  if (number * count === 0) return { name, passes: [] };
  const views = [...ins, outs[0]!];
  const isLine = (v: View) => v.shape.length === shape.length;
  const place = placeOf(
    views.map((v) => (isLine(v) ? { ...v, shape: rest, strides: v.strides.toSpliced(axis, 1) } : v)),
    rest,
    "line",
    "c",
  );
  const at = (k: number) => `from${k}${isLine(views[k]!) ? ` + i32(j) * ${literal(views[k]!.strides[axis]!)}` : ""}`;
  const shared = count >= SHARED_FROM;
  const each = (line: string) => [
    `for (var j = ${shared ? "lane" : "0u"}; j < ${count}u; j += ${shared ? LANES : 1}u) {`,
    `let v = in${x}[${at(x)}];`,
    line,
    "}",
  ];
  const once = (line: string) => [shared ? `if (lane == 0u) { ${line} }` : line];
  const bindings = [...ins.map((v, k) => reads(`in${k}`, v.dtype)), writes("out0", outs[0]!.dtype)];
  const lines = (subgroups: boolean) => {
    const all = (of: string, both: (a: string, b: string) => string) =>
      shared ? together(of, both, { lanes: LANES, memory: "lanes", subgroups }) : [];
    return [
      ...place.lines,
      ...views.map((_, k) => `let from${k} = ${place.at[k]};`),
      "var most = -infinity();",
      ...each("most = max_f32(most, v);"),
      ...all("most", (a, b) => `max_f32(${a}, ${b})`),
      "var sum = 0.0;",
      ...each("sum += nn_exp(v - most);"),
      ...(shared ? ["workgroupBarrier();"] : []),
      ...all("sum", (a, b) => `${a} + ${b}`),
      ...body({ at, each, once }),
    ];
  };
  const calls = (lines: readonly string[]) =>
    textOf(["max_f32", "infinity", "nn_exp", ...(lines.some((line) => line.includes("nn_log")) ? ["nn_log"] : [])]);
  if (!shared) {
    const of = lines(false);
    const text = eachElement(number, ["let line = i;", ...of], calls(of));
    return { name, passes: [{ text, bindings, groups: groupsOf(number) }] };
  }
  const text = (subgroups: boolean) => {
    const of = lines(subgroups);
    return main(
      LANES,
      [`let line = ${groupIndex(number)};`, `if (line >= ${number}u) { return; }`, ...of],
      [...calls(of), `var<workgroup> lanes: array<f32, ${LANES}>;`],
    );
  };
  return { name, passes: [{ text: text(false), withSubgroups: text(true), bindings, groups: number }] };
}

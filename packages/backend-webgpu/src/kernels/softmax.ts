// softmax and logSoftmax in one dispatch: a workgroup for each line along the axis, or, where lines are short, a thread.

import { type Signature, sizeOf, type View } from "@nn/tensor";
import { eachElement, groupIndex, groupsOf, main, reads, type WgslCode, type WgslKernel, writes } from "../code.js";
import { textOf } from "../math.js";
import { literal, placeOf } from "../walk.js";

/** Elements from which a workgroup takes a line. */
const SHARED_FROM = 64;
const LANES = 128;

export const softmax: WgslKernel<{ axis: number }> = {
  op: "softmax",
  emit: (signature) => lines(signature, "softmax", "nn_exp(v - most) / sum"),
};

export const logSoftmax: WgslKernel<{ axis: number }> = {
  op: "logSoftmax",
  emit: (signature) => lines(signature, "logSoftmax", "(v - most) - nn_log(sum)"),
};

/** @param value of an element `v`, given `most`, the greatest of its line, and `sum`, that of exp(v − most) */
function lines({ ins, outs, attrs: { axis } }: Signature<{ axis: number }>, name: string, value: string): WgslCode {
  const [x, y] = [ins[0]!, outs[0]!];
  const count = x.shape[axis]!;
  const rest = x.shape.toSpliced(axis, 1);
  const number = sizeOf(rest);
  if (number * count === 0) return { name, passes: [] };
  const without = (v: View): View => ({ ...v, shape: rest, strides: v.strides.toSpliced(axis, 1) });
  const place = placeOf([without(x), without(y)], rest, "line", "c");
  const at = (k: number, v: View) => `from${k} + i32(j) * ${literal(v.strides[axis]!)}`;
  const shared = count >= SHARED_FROM;
  const each = (body: string) => [
    `for (var j = ${shared ? "lane" : "0u"}; j < ${count}u; j += ${shared ? LANES : 1}u) {`,
    `let v = in0[${at(0, x)}];`,
    body,
    "}",
  ];
  /** Puts the threads' values of `name` together. */
  const together = (name: string, both: (a: string, b: string) => string) =>
    shared
      ? [
          `lanes[lane] = ${name};`,
          "workgroupBarrier();",
          `for (var half = ${LANES / 2}u; half > 0u; half /= 2u) {`,
          `if (lane < half) { lanes[lane] = ${both("lanes[lane]", "lanes[lane + half]")}; }`,
          "workgroupBarrier();",
          "}",
          `${name} = lanes[0];`,
          "workgroupBarrier();",
        ]
      : [];
  const body = [
    ...place.lines,
    `let from0 = ${place.at[0]};`,
    `let from1 = ${place.at[1]};`,
    "var most = -infinity();",
    ...each("most = max_f32(most, v);"),
    ...together("most", (a, b) => `max_f32(${a}, ${b})`),
    "var sum = 0.0;",
    ...each("sum += nn_exp(v - most);"),
    ...together("sum", (a, b) => `${a} + ${b}`),
    ...each(`out0[${at(1, y)}] = ${value};`),
  ];
  const calls = textOf(["max_f32", "infinity", "nn_exp", ...(value.includes("nn_log") ? ["nn_log"] : [])]);
  const bindings = [reads("in0", "f32"), writes("out0", "f32")];
  if (!shared) {
    const text = eachElement(number, ["let line = i;", ...body], calls);
    return { name, passes: [{ text, bindings, groups: groupsOf(number) }] };
  }
  const text = main(
    LANES,
    [`let line = ${groupIndex(number)};`, `if (line >= ${number}u) { return; }`, ...body],
    [...calls, `var<workgroup> lanes: array<f32, ${LANES}>;`],
  );
  return { name, passes: [{ text, bindings, groups: number }] };
}

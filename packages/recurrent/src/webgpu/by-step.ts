// A dispatch per step, where W_hh is too large for one workgroup: tiles of rows × 16 units, their product with W_hh in
// workgroup memory, and what the step does with it. Steps count themselves in scratch, so that two texts do for all.

import { groupIndex, main, textOf, type WgslPass, writes } from "@nn/backend-webgpu";
import { at, type Loop, stateAt, stateFloats, stepBindings, stepLines } from "./step.js";

/** Units of a workgroup. */
const UNITS = 16;
const LANES = 256;
/** Products that are in workgroup memory at a time; rows of units have a place more, so that they lie in different banks. */
const DEEP = 32;
const PITCH = UNITS + 1;

export function byStep(loop: Loop): { readonly passes: readonly WgslPass[]; readonly floats: number } {
  const two = [0, 1].map((twin) => stepPass(loop, twin, false));
  const passes = [...Array(loop.steps).keys()].map((i) => two[i % 2]!);
  // A way back ends with the product of its last step.
  if (loop.gradient) passes.push(stepPass(loop, loop.steps % 2, true));
  return { passes, floats: stateFloats(loop) };
}

/** The pass of every second step; `last`: only the product, added to state 0. */
function stepPass(loop: Loop, twin: number, last: boolean): WgslPass {
  const { signature, gates, size, rows, steps, gradient, backwards, weight } = loop;
  const some = rows >= 12 ? 16 : rows >= 3 ? 4 : 1;
  const parts = LANES / UNITS / some;
  const [down, across] = [Math.ceil(rows / some), Math.ceil(size / UNITS)];
  const [sums, depth] = gradient ? [1, gates * size] : [gates, size];
  const view = signature.ins[weight]!;
  const fromW = gradient ? at(view, "k", "unit") : at(view, `(gate * ${size} + unit)`, "k");
  const product = `out${loop.vectors}[((t ${backwards ? "+" : "-"} 1) * ${rows} + row) * ${gates * size} + k]`;
  const source = gradient
    ? `select(0.0, ${product}, step > 0u)`
    : `scratch[${stateAt(loop, 0, twin)} + row * ${size} + k]`;
  const inW = `${sums * DEEP * UNITS}u`;
  const each = [...Array(sums).keys()];
  const multiply = [
    `for (var start = 0; start < ${depth}; start += ${DEEP}) {`,
    `for (var i = lane; i < ${some * DEEP}u; i += ${LANES}u) {`,
    `let k = start + i32(i % ${DEEP}u);`,
    `let row = top + i32(i / ${DEEP}u);`,
    `left[i] = 0.0;`,
    `if (k < ${depth} && row < ${rows}) { left[i] = ${source}; }`,
    "}",
    // Neighbouring threads read neighbours: along k, or along the units.
    `for (var i = lane; i < ${inW}; i += ${LANES}u) {`,
    ...(gradient
      ? [`let j = i % ${UNITS}u;`, `let kk = i / ${UNITS}u;`]
      : [`let kk = i % ${DEEP}u;`, `let j = i / ${DEEP}u % ${UNITS}u;`]),
    `let gate = i32(i / ${DEEP * UNITS}u);`,
    `let k = start + i32(kk % ${DEEP}u);`,
    "let unit = edge + i32(j);",
    `let to = (u32(gate) * ${DEEP}u + kk) * ${PITCH}u + j;`,
    "right[to] = 0.0;",
    `if (k < ${depth} && unit < ${size}) { right[to] = in${weight}[${fromW}]; }`,
    "}",
    "workgroupBarrier();",
    `for (var kk = part; kk < ${DEEP}u; kk += ${parts}u) {`,
    `let a = left[r * ${DEEP}u + kk];`,
    ...each.map((g) => `sum${g} += a * right[(${g * DEEP}u + kk) * ${PITCH}u + x];`),
    "}",
    "workgroupBarrier();",
    "}",
  ];
  const gather =
    parts === 1
      ? []
      : [
          ...each.map((g) => `partial[${g * LANES}u + lane] = sum${g};`),
          "workgroupBarrier();",
          "if (part > 0u) { return; }",
          ...each.flatMap((g) => [
            `for (var p = 1u; p < ${parts}u; p++) { sum${g} += partial[${g * LANES}u + p * ${UNITS * some}u + lane]; }`,
          ]),
        ];
  // Nobody but its own thread sees a state of a way back, and of a way there no other than h.
  const state = (i: number, twin: number) => `scratch[${stateAt(loop, i, i === 0 ? twin : 0)} + row * ${size} + unit]`;
  const given = { state: (i: number) => state(i, twin), sum: (g: number) => `sum${g}` };
  const keep = (values: readonly string[]) => [
    ...values.map((v, i) => `let next${i} = ${v};`),
    ...values.map((_, i) => `${state(i, 1 - twin)} = next${i};`),
  ];
  const work = last ? [`${state(0, twin)} = ${state(0, twin)} + sum0;`] : stepLines(loop, given, keep);
  const groups = down * across;
  const body = [
    `let g = ${groupIndex(groups)};`,
    `if (g >= ${groups}u) { return; }`,
    `let top = i32(g / ${across}u) * ${some};`,
    `let edge = i32(g % ${across}u) * ${UNITS};`,
    `let x = lane % ${UNITS}u;`,
    `let r = lane / ${UNITS}u % ${some}u;`,
    `let part = lane / ${UNITS * some}u;`,
    `let step = u32(scratch[${twin}]);`,
    ...(last ? [] : [`if (g == 0u && lane == 0u) { scratch[${1 - twin}] = f32(step + 1u); }`]),
    `let t = ${backwards ? `${steps - 1} - i32(step)` : "i32(step)"};`,
    ...each.map((g) => `var sum${g} = 0.0;`),
    ...multiply,
    ...gather,
    "let row = top + i32(r);",
    "let unit = edge + i32(x);",
    `if (row >= ${rows} || unit >= ${size}) { return; }`,
    "{",
    ...work,
    "}",
  ];
  const memory = [
    `var<workgroup> left: array<f32, ${some * DEEP}>;`,
    `var<workgroup> right: array<f32, ${sums * DEEP * PITCH}>;`,
    ...(parts === 1 ? [] : [`var<workgroup> partial: array<f32, ${sums * LANES}>;`]),
  ];
  const bindings = last
    ? stepBindings(loop).filter(({ name }) => name === `in${weight}` || name === `out${loop.vectors}`)
    : stepBindings(loop);
  return {
    text: main(LANES, body, [...textOf(last ? [] : loop.calls), ...memory]),
    bindings: [...bindings, writes("scratch", "f32")],
    groups,
  };
}

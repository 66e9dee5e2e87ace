// The whole loop as one dispatch, where W_hh is small: a workgroup takes some rows through all of time, with its states in
// workgroup memory. A thread has one or more columns of W_hh; in registers, where those are few and short.

import {
  eachElement,
  groupIndex,
  groupsOf,
  literal,
  main,
  reads,
  textOf,
  type WgslPass,
  writes,
} from "@nn/backend-webgpu";
import { at, type Loop, stateAt, stateFloats, stepBindings, stepLines } from "./step.js";

/** Elements of W_hh, at most: a workgroup reads all of them in every step. */
const WEIGHTS = 1 << 17;
/** Threads, at most. */
const LANES = 256;
/** Floats of workgroup memory. */
const FLOATS = 4096;
/** Elements of a column that a thread holds in registers, at most. */
const HELD = 64;

/** Rows of a workgroup; 0: the loop does not fit. */
export function rowsInside(loop: Loop): number {
  const { gates, size, rows } = loop;
  if (gates * size * size > WEIGHTS) return 0;
  const most = Math.floor(FLOATS / floatsPerRow(loop));
  const wanted = rows >= 128 ? 4 : rows >= 64 ? 2 : 1;
  return most >= wanted ? wanted : most >= 2 && wanted > 2 ? 2 : Math.min(most, 1);
}

/** What is multiplied, the products, and the states. */
const floatsPerRow = ({ gates, size, gradient, states }: Loop) =>
  size * ((gradient ? gates : 1) + gates + states.length - (gradient ? 0 : 1));

export function inside(loop: Loop): { readonly passes: readonly WgslPass[]; readonly floats: number } {
  const { signature, gates, size, rows, steps, gradient, backwards, states, weight } = loop;
  const some = rowsInside(loop);
  const columns = gates * size;
  const lanes = Math.min(LANES, Math.ceil(columns / 32) * 32);
  const held = columns <= LANES && size <= HELD;
  const turned = !gradient && !held;
  const floats = stateFloats(loop);
  const view = signature.ins[weight]!;
  /** Of column c, gate · size + unit, the k-th. */
  const element = (k: string) =>
    gradient
      ? `in${weight}[${at(view, `(gate * ${size} + ${k})`, `(c - gate * ${size})`)}]`
      : turned
        ? `scratch[${literal(floats)} + ${k} * ${columns} + c]`
        : `in${weight}[${at(view, "c", k)}]`;
  const type = some === 1 ? "f32" : `vec${some}f`;
  const each = [...Array(some).keys()];
  const vector = (k: string) => {
    const place = gradient ? `(gate * ${size} + ${k})` : k;
    return some === 1 ? `v[${place}]` : `${type}(${each.map((r) => `v[${place} * ${some} + ${r}]`).join(", ")})`;
  };
  const gate = gradient ? [`let gate = c / ${size};`] : [];
  const store = each.map((r) => `sums[c * ${some} + ${r}] = total${some === 1 ? "" : `[${r}]`};`);
  const product = held
    ? [
        `if (lane < ${columns}u) {`,
        `var total = ${type}();`,
        ...[...Array(size).keys()].map((k) => `total += w${k} * ${vector(`${k}`)};`),
        ...store,
        "}",
      ]
    : [
        `for (var c = i32(lane); c < ${columns}; c += ${lanes}) {`,
        ...gate,
        `var total = ${type}();`,
        `for (var k = 0; k < ${size}; k++) { total += ${element("k")} * ${vector("k")}; }`,
        ...store,
        "}",
      ];
  const hold = held
    ? [
        `let c = min(i32(lane), ${columns - 1});`,
        ...gate,
        ...[...Array(size).keys()].map((k) => `let w${k} = ${element(`${k}`)};`),
      ]
    : [];
  /** Each unit of each row. In the way there state 0 is what is multiplied. */
  const items = (body: readonly string[]) => [
    `for (var i = i32(lane); i < ${size * some}; i += ${lanes}) {`,
    `let unit = i % ${size};`,
    `let row = first + i / ${size};`,
    `let own = unit * ${some} + i / ${size};`,
    `if (row < ${rows}) {`,
    ...body,
    "}",
    "}",
  ];
  const name = (i: number) => (i === 0 && !gradient ? "v[own]" : `s${i}[own]`);
  const sum = (g: number) => `sums[own + ${g * size * some}]`;
  const sums = gradient ? `(${[...Array(gates).keys()].map(sum).join(" + ")})` : "";
  const given = { state: name, sum: (g: number) => (gradient ? sums : sum(g)) };
  const step = stepLines(loop, given, (values, vectors) => [
    ...values.map((v, i) => `let next${i} = ${v};`),
    ...(gradient ? vectors.map((v, g) => `v[own + ${g * size * some}] = ${v};`) : []),
    ...values.map((_, i) => `${name(i)} = next${i};`),
  ]);
  const kept = (i: number) => `scratch[${stateAt(loop, i)} + row * ${size} + unit]`;
  const list = [...states.keys()];
  const body = [
    `let first = i32(${groupIndex(groups(rows, some))}) * ${some};`,
    `if (first >= ${rows}) { return; }`,
    ...hold,
    `for (var i = i32(lane); i < ${(gradient ? columns : size) * some}; i += ${lanes}) { v[i] = 0.0; }`,
    "workgroupBarrier();",
    ...items(list.map((i) => `${name(i)} = ${kept(i)};`)),
    "workgroupBarrier();",
    `for (var i = 0; i < ${steps}; i++) {`,
    `let t = ${backwards ? `${steps - 1} - i` : "i"};`,
    ...product,
    "workgroupBarrier();",
    ...items(step),
    "workgroupBarrier();",
    "}",
    ...(gradient ? [...product, "workgroupBarrier();"] : []),
    ...items(list.map((i) => `${kept(i)} = ${name(i)}${gradient && i === 0 ? ` + ${sums}` : ""};`)),
  ];
  const memory = [
    `var<workgroup> v: array<f32, ${(gradient ? columns : size) * some}>;`,
    `var<workgroup> sums: array<f32, ${columns * some}>;`,
    ...list.flatMap((i) => (i === 0 && !gradient ? [] : [`var<workgroup> s${i}: array<f32, ${size * some}>;`])),
  ];
  const bindings = stepBindings(loop).filter(({ name }) => !(turned && name === `in${weight}`));
  const pass: WgslPass = {
    text: main(lanes, body, [...textOf(loop.calls), ...memory]),
    bindings: [...bindings, writes("scratch", "f32")],
    groups: groups(rows, some),
  };
  if (!turned) return { passes: [pass], floats };
  return { passes: [turn(loop, floats), pass], floats: floats + columns * size };
}

const groups = (rows: number, some: number) => Math.ceil(rows / some);

/** W_hh turned round in scratch, so that neighbouring threads read neighbours. */
function turn({ signature, weight, gates, size }: Loop, to: number): WgslPass {
  const columns = gates * size;
  return {
    text: eachElement(columns * size, [
      `let c = i32(i % ${columns}u);`,
      `let k = i32(i / ${columns}u);`,
      `scratch[${to}u + i] = in${weight}[${at(signature.ins[weight]!, "c", "k")}];`,
    ]),
    bindings: [reads(`in${weight}`, "f32"), writes("scratch", "f32")],
    groups: groupsOf(columns * size),
  };
}

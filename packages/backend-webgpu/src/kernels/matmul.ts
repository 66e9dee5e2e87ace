// matmul: (B…, M, K) · (B…, K, N), any strides. Tiles in workgroup memory, a square of results in each thread's vectors;
// thin products are reductions. Each tile's sum over 16 products is added as one number: errors grow more slowly.

import { expr as ex, type Signature, sizeOf, type View } from "@nn/tensor";
import { groupIndex, indented, main, reads, type WgslCode, type WgslKernel, writes } from "../code.js";
import { textOf } from "../math.js";
import { literal, placeOf } from "../walk.js";
import { finish } from "./epilogue.js";
import { reduce } from "./reduce.js";

/** Threads of a workgroup along rows and columns. */
const SIDE = 16;
/** Products per tile: with SIDE, a tile has a place for each thread. */
const DEEP = 16;

export const matmul: WgslKernel<object> = {
  op: "matmul",
  fusesEpilogue: true,
  accepts: ({ ins: [a] }) => a!.dtype === "f32",
  emit(signature) {
    const [a, b] = signature.ins as [View, View];
    const [m, k] = a.shape.slice(-2) as [number, number];
    const n = b.shape.at(-1)!;
    if (Math.min(m, n) <= 2 || (m * n <= 1024 && k >= 1024)) return dots(signature, a, b);
    return tiles(signature, a, b, m, n, k);
  },
};

/** As a reduction of the products: a workgroup for each result where there are many. */
function dots(signature: Signature<object>, a: View, b: View): WgslCode {
  const [m, k] = a.shape.slice(-2) as [number, number];
  const n = b.shape.at(-1)!;
  const shape = [...a.shape.slice(0, -2), m, n, k];
  const [ai, ak] = a.strides.slice(-2) as [number, number];
  const [bk, bj] = b.strides.slice(-2) as [number, number];
  const wide = (v: View, strides: number[]): View => ({
    ...v,
    shape,
    strides: [...v.strides.slice(0, -2), ...strides],
  });
  const code = reduce.emit({
    ...signature,
    ins: [wide(a, [ai, 0, ak]), wide(b, [0, bj, bk]), ...signature.ins.slice(2)],
    attrs: { of: "add", axes: [shape.length - 1], prologue: ex.call("mul", ex.input(0), ex.input(1)) },
  });
  return { ...code, name: "matmul" };
}

function tiles(signature: Signature<object>, a: View, b: View, m: number, n: number, k: number): WgslCode {
  const out = signature.outs[0]!;
  if (sizeOf(out.shape) === 0) return { name: "matmul", passes: [] };
  /** Results of a thread along rows and columns. */
  const each = Math.min(m, n) >= 48 ? 4 : Math.min(m, n) >= 24 ? 2 : 1;
  const side = SIDE * each;
  const [down, across] = [Math.ceil(m / side), Math.ceil(n / side)];
  const batches = a.shape.slice(0, -2);
  const groups = sizeOf(batches) * down * across;
  const outer = (v: View): View => ({ ...v, shape: batches, strides: v.strides.slice(0, -2) });
  const place = placeOf([outer(a), outer(b)], batches, "batch", "t");
  const [ai, ak] = a.strides.slice(-2) as [number, number];
  const [bk, bj] = b.strides.slice(-2) as [number, number];
  const last = finish(signature, "total", "r");

  const all = [...Array(each).keys()];
  const type = each === 1 ? "f32" : `vec${each}f`;
  const part = (vector: string, i: number) => (each === 1 ? vector : `${vector}[${i}]`);
  /** Fills a thread's place in a tile; neighbouring threads read along the axis whose elements are neighbours. */
  const fill = (tile: string, from: string, base: string, first: string, size: number, step: number, deep: number) => [
    "{",
    ...(Math.abs(deep) < Math.abs(step)
      ? [`let p = i32(lane % ${DEEP}u);`, `let s = i32(lane / ${DEEP}u);`]
      : [`let p = i32(lane / ${SIDE}u);`, `let s = i32(lane % ${SIDE}u);`]),
    `let at = ${base} + (start + p) * ${literal(deep)} + (${first} + s * ${each}) * ${literal(step)};`,
    `var value = ${type}();`,
    ...all.flatMap((i) => [
      `if (start + p < ${k} && ${first} + s * ${each} + ${i} < ${size}) {`,
      `${part("value", i)} = ${from}[at + ${literal(i * step)}];`,
      "}",
    ]),
    `${tile}[p * ${SIDE} + s] = value;`,
    "}",
  ];
  const body = [
    `let g = ${groupIndex(groups)};`,
    `if (g >= ${groups}u) { return; }`,
    `let batch = g / ${down * across}u;`,
    `let row = i32(g / ${across}u % ${down}u) * ${side};`,
    `let column = i32(g % ${across}u) * ${side};`,
    ...place.lines,
    `let baseA = ${place.at[0]};`,
    `let baseB = ${place.at[1]};`,
    `let x = i32(lane % ${SIDE}u);`,
    `let y = i32(lane / ${SIDE}u);`,
    ...all.map((i) => `var s${i} = ${type}();`),
    `for (var start = 0; start < ${k}; start += ${DEEP}) {`,
    ...fill("tileA", "in0", "baseA", "row", m, ai, ak),
    ...fill("tileB", "in1", "baseB", "column", n, bj, bk),
    "workgroupBarrier();",
    ...all.map((i) => `var p${i} = ${type}();`),
    `for (var p = 0; p < ${DEEP}; p++) {`,
    `let a = tileA[p * ${SIDE} + y];`,
    `let b = tileB[p * ${SIDE} + x];`,
    ...all.map((i) => `p${i} += ${part("a", i)} * b;`),
    "}",
    ...all.map((i) => `s${i} += p${i};`),
    "workgroupBarrier();",
    "}",
    ...all.flatMap((i) =>
      all.map((j) => `store(i32(batch), row + y * ${each} + ${i}, column + x * ${each} + ${j}, ${part(`s${i}`, j)});`),
    ),
  ];
  const before = [
    ...textOf(last.calls),
    `var<workgroup> tileA: array<${type}, ${SIDE * DEEP}>;`,
    `var<workgroup> tileB: array<${type}, ${SIDE * DEEP}>;`,
    ...indented([
      "fn store(batch: i32, row: i32, column: i32, total: f32) {",
      `if (row >= ${m} || column >= ${n}) { return; }`,
      `let r = u32((batch * ${m} + row) * ${n} + column);`,
      ...last.lines,
      `out0[r] = ${last.value};`,
      "}",
    ]),
  ];
  return {
    name: "matmul",
    passes: [
      {
        text: main(SIDE * SIDE, body, before),
        bindings: [reads("in0", "f32"), reads("in1", "f32"), ...last.bindings, writes("out0", out.dtype)],
        groups,
      },
    ],
  };
}

// reduce: a thread per result where there are few elements to each, else a workgroup, by subgroups where the device has
// them. Two passes, the first of which reduces pieces, for few results of very many elements and for columns. The order
// of every sum is fixed by the shape (and the size of the subgroups).

import { type DType, expr as ex, type ReduceAttrs, rowMajor, type Signature, sizeOf, type View } from "@nn/tensor";
import {
  eachElement,
  groupIndex,
  groupsOf,
  LANES,
  main,
  reads,
  typeOf,
  type WgslKernel,
  type WgslPass,
  writes,
} from "../code.js";
import { compares, printFormula } from "../formula.js";
import { textOf } from "../math.js";
import { placeOf } from "../walk.js";
import { finish, ownInputs } from "./epilogue.js";
import { type Combine, together } from "./together.js";

/** Elements of a result from which more than one thread works on it. */
const SHARED_FROM = 256;
/** Elements of a result from which workgroups share it, if there are few results; and how many each takes. */
const PIECES_FROM = 16384;
const PIECES_RESULTS = 256;
const PIECE = 4096;
/** Threads wanted at least, and elements that each then takes at least. */
const THREADS = 16384;
const THREAD_PIECE = 64;
/** Elements summed before they are added to the rest: errors grow more slowly. */
const RUN = 32;

export const reduce: WgslKernel<ReduceAttrs> = {
  op: "reduce",
  fusesEpilogue: true,
  emit(signature) {
    const { ins, outs, attrs } = signature;
    const whole = ins[0]!.shape;
    const results = sizeOf(outs[0]!.shape);
    const count = sizeOf(attrs.axes.map((axis) => whole[axis]!));
    if (results === 0) return { name: "reduce", passes: [] };
    const way = chooseWay(signature, count, results);
    if (way.pieces === 1) return { name: "reduce", passes: [pass(signature, count, way, "out0")] };
    // The second pass reduces what the first left: (pieces, results).
    const { dtype } = attrs.prologue;
    const left: View = {
      dtype,
      offset: 0,
      shape: [...outs[0]!.shape, way.pieces],
      strides: [...rowMajor(outs[0]!.shape), results],
    };
    const rest: Signature<ReduceAttrs> = {
      ...signature,
      ins: [left, ...ins.slice(ownInputs(signature))],
      attrs: { of: attrs.of, axes: [outs[0]!.shape.length], prologue: ex.input(0, dtype) },
    };
    const second = pass(rest, way.pieces, inOne(way.pieces), "out0");
    const shift = ownInputs(signature) - 1;
    const renamed = (name: string) =>
      name === "in0" ? "scratch" : name.replace(/^in(\d+)$/, (_, n) => `in${Number(n) + shift}`);
    return {
      name: "reduce",
      scratch: results * way.pieces * 4,
      passes: [
        pass({ ins: ins.slice(0, ownInputs(signature)), outs, attrs }, count, way, "scratch"),
        {
          ...second,
          ...mapTexts(second, (text) => text.replace(/\bin\d+\b/g, renamed)),
          bindings: second.bindings.map((b) => ({ ...b, name: renamed(b.name) })),
        },
      ],
    };
  },
};

const mapTexts = ({ text, withSubgroups }: WgslPass, f: (text: string) => string) => ({
  text: f(text),
  ...(withSubgroups ? { withSubgroups: f(withSubgroups) } : {}),
});

/** How the elements of a result are shared out. */
interface Way {
  /** The dispatch reduces each result in so many pieces, of so many elements. */
  readonly pieces: number;
  readonly piece: number;
  /** Whether a workgroup or a thread does a piece. */
  readonly shared: boolean;
}

/** Each result in one piece. */
const inOne = (count: number): Way => ({ pieces: 1, piece: count, shared: count >= SHARED_FROM });

function chooseWay(signature: Signature<ReduceAttrs>, count: number, results: number): Way {
  if (count < SHARED_FROM) return inOne(count);
  const { axes } = signature.attrs;
  const ins = signature.ins.slice(0, ownInputs(signature));
  /** The least distance in memory between neighbours along some axes. */
  const near = ({ shape, strides }: View, along: (axis: number) => boolean) =>
    Math.min(
      ...strides.map((s, axis) =>
        s !== 0 && shape[axis] !== 1 && along(axis) ? Math.abs(s) : Number.POSITIVE_INFINITY,
      ),
    );
  const isStrided = ins.every((v) => near(v, (a) => axes.includes(a)) >= near(v, (a) => !axes.includes(a)));
  if (isStrided && results >= LANES / 2) {
    // Columns: neighbouring threads read neighbours if each does another result.
    const wanted = Math.min(Math.ceil(count / THREAD_PIECE), Math.ceil(THREADS / results));
    const piece = Math.ceil(count / wanted);
    return { pieces: Math.ceil(count / piece), piece, shared: false };
  }
  if (count < PIECES_FROM || results > PIECES_RESULTS) return inOne(count);
  return { pieces: Math.ceil(count / PIECE), piece: PIECE, shared: true };
}

/** Reduces `count` elements of each result, into `to`. */
function pass(signature: Signature<ReduceAttrs>, count: number, { pieces, piece, shared }: Way, to: string): WgslPass {
  const { outs, attrs } = signature;
  const { of, axes, prologue } = attrs;
  const ins = signature.ins.slice(0, ownInputs(signature));
  const { dtype } = prologue;
  const whole = ins[0]!.shape;
  const kept = [...whole.keys()].filter((axis) => !axes.includes(axis));
  const part = (v: View, of: readonly number[], offset: number): View => ({
    dtype: v.dtype,
    offset,
    shape: of.map((axis) => v.shape[axis]!),
    strides: of.map((axis) => v.strides[axis]!),
  });
  const shapeOf = (of: readonly number[]) => of.map((axis) => whole[axis]!);
  const indexed = ex.isIndexed(prologue);
  const outer = placeOf(
    ins.map((v) => part(v, kept, v.offset)),
    shapeOf(kept),
    "r",
    "k",
    indexed,
  );
  const inner = placeOf(
    ins.map((v) => part(v, axes, 0)),
    shapeOf(axes),
    "e",
    "c",
    indexed,
  );
  const used = ex.inputsOf(prologue);
  const { lines, value, calls } = printFormula(prologue, {
    load: (k) => `in${k}[from${k} + ${inner.at[k]}]`,
    coordinate: (axis) =>
      axes.includes(axis) ? inner.coordinate(axes.indexOf(axis)) : outer.coordinate(kept.indexOf(axis)),
  });
  const combined = combine(of, dtype);
  const last = pieces === 1 ? finish(signature, "total", "r") : { lines: [], value: "total", bindings: [], calls: [] };
  const prepare = [
    ...outer.lines,
    ...used.map((k) => `let from${k} = ${outer.at[k]};`),
    `var total = ${neutral(of, dtype)};`,
  ];
  /** Reduces elements `first`, `first + step`, … before `end` into `total`. */
  const over = (from: string, to: string, step: number, into: string) => [
    `for (var e = ${from}; e < ${to}; e += ${step}u) {`,
    ...inner.lines,
    ...lines,
    `${into} = ${combined(into, value)};`,
    "}",
  ];
  const loop = (first: string, end: string, step: number) =>
    piece <= RUN * step
      ? over(first, end, step, "total")
      : [
          `for (var start = ${first}; start < ${end}; start += ${RUN * step}u) {`,
          `var sum = ${neutral(of, dtype)};`,
          ...over("start", `min(start + ${RUN * step}u, ${end})`, step, "sum"),
          `total = ${combined("total", "sum")};`,
          "}",
        ];
  const n = sizeOf(outs[0]!.shape) * pieces;
  const lane = shared ? "lane" : "0u";
  const step = shared ? LANES : 1;
  const body =
    pieces === 1
      ? ["let r = n;", ...prepare, ...loop(lane, `${count}u`, step)]
      : [
          `let r = n % ${n / pieces}u;`,
          `let first = n / ${n / pieces}u * ${piece}u;`,
          ...prepare,
          ...loop(`first + ${lane}`, `min(first + ${piece}u, ${count}u)`, step),
        ];
  const store = [...last.lines, `${to}[n] = ${last.value};`];
  const before = textOf([...calls, ...last.calls, ...needs(of, dtype)]);
  const exact = compares(prologue) ? false : undefined;
  const bindings = [...used.map((k) => reads(`in${k}`, ins[k]!.dtype, exact)), ...last.bindings, writes(to, dtype)];
  if (!shared) {
    return { text: eachElement(n, ["let n = i;", ...body, ...store], before), bindings, groups: groupsOf(n) };
  }
  const shape = (subgroups: boolean) =>
    main(
      LANES,
      [
        `let n = ${groupIndex(n)};`,
        `if (n >= ${n}u) { return; }`,
        ...body,
        ...together("total", combined, { lanes: LANES, memory: "totals", subgroups }),
        "if (lane == 0u) {",
        ...store,
        "}",
      ],
      [...before, `var<workgroup> totals: array<${typeOf(dtype)}, ${LANES}>;`],
    );
  return { text: shape(false), withSubgroups: shape(true), bindings, groups: n };
}

function combine(of: ReduceAttrs["of"], dtype: DType): Combine {
  if (of === "add" || of === "mul") return (a, b) => `${a} ${of === "add" ? "+" : "*"} ${b}`;
  return (a, b) => `${dtype === "f32" ? `${of}_f32` : of}(${a}, ${b})`;
}

function neutral(of: ReduceAttrs["of"], dtype: DType): string {
  const type = typeOf(dtype);
  if (of === "add" || of === "mul") return `${type}(${of === "add" ? 0 : 1})`;
  if (dtype === "f32") return of === "max" ? "-infinity()" : "infinity()";
  if (dtype === "i32") return of === "max" ? "i32(-2147483648)" : "2147483647i";
  return of === "max" ? "0u" : dtype === "bool" ? "1u" : "0xffffffffu";
}

const needs = (of: ReduceAttrs["of"], dtype: DType): string[] =>
  dtype === "f32" && (of === "max" || of === "min") ? [`${of}_f32`, "infinity"] : [];

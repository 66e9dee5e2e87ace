// A matrix product whose operands are functions: matmul reads strided views, a convolution the patches of an image. Tiles
// of both in workgroup memory, twice, so that the next are read while these are multiplied; a square of results in each
// thread's registers. Few results of long sums are cut along the sum: partial sums first, and then theirs, in order. With
// f16 the tiles hold operands rounded to it, which therefore may be stored so, too; sums are f32 as ever.

import { type Signature, sizeOf, type View } from "@nn/tensor";
import {
  type Binding,
  eachElement,
  groupIndex,
  groupsOf,
  indented,
  main,
  reads,
  readsFours,
  type WgslCode,
  type WgslPass,
  writes,
} from "../code.js";
import { textOf } from "../math.js";
import { literal, placeOf } from "../walk.js";
import { finish } from "./epilogue.js";

/** One of the two matrices: a has rows and b columns, both called `o`; `p` counts along the sum. */
export interface Operand {
  /** Four neighbours along the sum are loaded together; else four neighbours along o. */
  readonly deep: boolean;
  /**
   * Body of a function of `batch`, `o` and `p` (u32), that returns those four (vec4f) from there on. Past the end of the sum
   * they must be 0; past the last row or column they may be anything.
   */
  readonly body: readonly string[];
  /** Functions that the body calls, as text. */
  readonly before?: readonly string[];
  readonly bindings: readonly Binding[];
}

export interface Product {
  readonly name: string;
  /** Of the op: its output, and the formula that follows. */
  readonly signature: Signature<unknown>;
  readonly batches: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly a: Operand;
  readonly b: Operand;
  /** The number of the output's element, given `batch`, `row` and `column` (u32); omitted: in that order. */
  readonly at?: string;
  /** What is added to element `r` (u32) before the formula. */
  readonly bias?: { readonly value: string; readonly binding: Binding };
  /** Whether a row's bits must not depend on the number of rows: each sum is then one, from its first to its last. */
  readonly inOrder?: boolean;
  /** Whether a large result is to be stored as f16 (see {@link Binding.half}): it is no gradient, which may be a parameter's. */
  readonly half?: boolean;
}

/**
 * A matrix in memory, the last two axes of a view: `o` rows or columns a step of `across` apart, and `k` elements of each a step of
 * `along` apart; the axes before are those of the batches.
 */
export function strided(
  name: string,
  v: View,
  batches: readonly number[],
  o: number,
  across: number,
  along: number,
  k: number,
): Operand {
  const outer = { ...v, shape: batches, strides: v.strides.slice(0, -2) };
  const place = placeOf([outer], batches, "batch", "t");
  const at = `${place.at[0]} + i32(o) * ${literal(across)} + i32(p) * ${literal(along)}`;
  const deep = across !== 1 && (along === 1 || Math.abs(along) < Math.abs(across));
  const [near, far] = deep ? [along, across] : [across, along];
  const fours = near === 1 && [far, v.offset, ...outer.strides].every((s) => s % 4 === 0) && (deep ? k : o) % 4 === 0;
  const step = (e: number) => `at + ${literal(e * near)}`;
  const one = (e: number) => `${name}[${step(e)}]`;
  const some = [0, 1, 2, 3];
  return {
    deep,
    body: [
      ...place.lines,
      `if (p >= ${k}u) { return vec4f(); }`,
      `let at = ${at};`,
      ...(fours
        ? [`return ${name}[at / 4];`]
        : deep && k % 4 > 0
          ? [`return vec4f(${some.map((e) => `select(0.0, ${one(e)}, p + ${e}u < ${k}u)`).join(", ")});`]
          : [`return vec4f(${some.map(one).join(", ")});`]),
    ],
    bindings: [fours ? readsFours(name) : reads(name, "f32")],
  };
}

/** Threads of a workgroup, at most. */
const THREADS = 256;
/** Results along a side of a tile, at most. */
const SIDE = 128;
/** Workgroups that a GPU wants at least. */
const WANTED = 64;
/** Steps of a sum from which it may be cut, and how many a part has at least. */
const CUT_FROM = 512;
const PART = 256;
/** Floats of both tiles, twice: 16 KiB. */
const TILE_FLOATS = 4096;

export function product(p: Product): WgslCode {
  const size = sizeOf(p.signature.outs[0]!.shape);
  if (size === 0) return { name: p.name, passes: [] };
  const shape = shapeOf(p);
  if (shape.parts === 1) return { name: p.name, passes: [tiles(p, shape, size)] };
  return { name: p.name, scratch: 4 * size * shape.parts, passes: [tiles(p, shape, size), sumUp(p, shape, size)] };
}

/** How the work is cut. */
interface Shape {
  /** Results of a workgroup, of a thread, and threads, along rows (y) and columns (x). */
  readonly sideY: number;
  readonly sideX: number;
  readonly eachY: number;
  readonly eachX: number;
  readonly lanesY: number;
  readonly lanesX: number;
  readonly down: number;
  readonly across: number;
  /** Steps of the sum in a tile. */
  readonly deep: number;
  /** The sum in so many parts of so many steps. */
  readonly parts: number;
  readonly part: number;
}

function shapeOf({ m, n, k, batches, inOrder, signature }: Product): Shape {
  const power = (v: number) => Math.min(SIDE, Math.max(8, 2 ** Math.ceil(Math.log2(v))));
  let [sideY, sideX] = [power(m), power(n)];
  const groups = () => batches * Math.ceil(m / sideY) * Math.ceil(n / sideX);
  // An elementary function is printed for each result of a thread: with fewer of them it is shorter.
  const most = finish(signature, "total", "r").calls.length > 0 ? 64 : SIDE;
  while (Math.max(sideY, sideX) > 32 && (groups() < WANTED || Math.min(sideY, sideX) > most)) {
    if (sideY > sideX) sideY /= 2;
    else sideX /= 2;
  }
  const threads = Math.min(THREADS, sideY * sideX);
  const results = (sideY * sideX) / threads;
  const eachY = 2 ** Math.floor(Math.log2(results) / 2);
  const eachX = results / eachY;
  const deep = [16, 8, 4].find((d) => (d <= k || d === 4) && 2 * d * (sideY + sideX) <= TILE_FLOATS)!;
  const cut = !inOrder && groups() < WANTED / 2 && k >= CUT_FROM;
  const wanted = cut ? Math.min(Math.ceil(WANTED / groups()), Math.floor(k / PART)) : 1;
  const part = Math.max(1, Math.ceil(k / wanted / deep)) * deep;
  return {
    ...{ sideY, sideX, eachY, eachX, lanesY: sideY / eachY, lanesX: sideX / eachX, deep, part },
    ...{ down: Math.ceil(m / sideY), across: Math.ceil(n / sideX), parts: Math.max(1, Math.ceil(k / part)) },
  };
}

/** All tiles; whole sums go through the formula, parts of them to scratch. */
function tiles(p: Product, shape: Shape, size: number): WgslPass {
  const whole = shape.parts === 1;
  const last = whole ? ending(p) : undefined;
  return {
    text: tilesText(p, shape, size),
    tiles: ["tile_a", "tile_b"],
    bindings: [
      ...[...p.a.bindings, ...p.b.bindings].map((b) => ({ ...b, half: true })),
      ...(last ? [...last.bindings, output(p)] : [writes("scratch", "f32")]),
    ],
    groups: p.batches * shape.parts * shape.down * shape.across,
  };
}

function tilesText(p: Product, shape: Shape, size: number): string {
  const { m, n, k } = p;
  const { sideY, sideX, eachY, eachX, lanesY, lanesX, down, across, deep, parts, part } = shape;
  const threads = lanesY * lanesX;
  const a = tileOf("a", p.a, { side: sideY, each: eachY, lanes: lanesY, lane: "y", deep, threads });
  const b = tileOf("b", p.b, { side: sideX, each: eachX, lanes: lanesX, lane: "x", deep, threads });
  const groups = p.batches * parts * down * across;
  const once = part <= deep;
  const wide = Math.min(4, eachX);
  const type = wide === 1 ? "f32" : `vec${wide}f`;
  const [rows, vectors] = [indices(eachY), indices(eachX / wide)];
  const multiply = indices(4).flatMap((kk) => [
    ...vectors.map((h) => `let v${kk}_${h} = ${b.vector(kk, h, wide)};`),
    ...rows.flatMap((i) => vectors.map((h) => `c${i}_${h} += ${a.scalar(kk, i)} * v${kk}_${h};`)),
  ]);
  const inner = [
    `for (var q = 0u; q < ${deep / 4}u; q++) {`,
    ...a.read(once ? "0u" : "now"),
    ...b.read(once ? "0u" : "now"),
    ...multiply,
    "}",
  ];
  const fetch = (start: string) => [...a.fetch(start), ...b.fetch(start)];
  const keep = (buffer: string) => [...a.keep(buffer), ...b.keep(buffer)];
  const body = [
    `let g = ${groupIndex(groups)};`,
    `if (g >= ${groups}u) { return; }`,
    `let column = g % ${across}u * ${sideX}u;`,
    `let row = g / ${across}u % ${down}u * ${sideY}u;`,
    `let part = g / ${across * down}u % ${parts}u;`,
    `let batch = g / ${across * down * parts}u;`,
    `let x = lane % ${lanesX}u;`,
    `let y = lane / ${lanesX}u;`,
    ...rows.flatMap((i) => vectors.map((h) => `var c${i}_${h} = ${type}();`)),
    ...a.declare,
    ...b.declare,
    `let first = part * ${part}u;`,
    ...(once
      ? [...(k > 0 ? fetch("first") : []), ...keep("0u"), "workgroupBarrier();", ...inner]
      : [
          `let end = min(first + ${part}u, ${k}u);`,
          "var now = 0u;",
          `for (var next = first; next < end + ${deep}u; next += ${deep}u) {`,
          "if (next < end) {",
          ...fetch("next"),
          "}",
          "if (next > first) {",
          ...inner,
          "}",
          "if (next < end) {",
          ...keep("1u - now"),
          "}",
          "workgroupBarrier();",
          "now = 1u - now;",
          "}",
        ]),
    ...rows.flatMap((i) =>
      vectors.map(
        (h) => `store(batch, part, row + ${a.place(i)}, column + ${b.place(h * wide)}, ${four(`c${i}_${h}`, wide)});`,
      ),
    ),
  ];
  const last = ending(p);
  const whole = parts === 1;
  const before = [
    ...(whole ? textOf(last.calls) : []),
    ...(p.a.before ?? []),
    ...(p.b.before ?? []),
    ...indented([
      ...["fn load_a(batch: u32, o: u32, p: u32) -> vec4f {", ...p.a.body, "}"],
      ...["fn load_b(batch: u32, o: u32, p: u32) -> vec4f {", ...p.b.body, "}"],
      `fn store(batch: u32, part: u32, row: u32, left: u32, sums: vec4f) {`,
      `if (row >= ${m}u) { return; }`,
      `for (var e = 0u; e < ${wide}u; e++) {`,
      `let column = left + e${b.step === 1 ? "" : ` * ${b.step}u`};`,
      `if (column >= ${n}u) { return; }`,
      `let r = ${p.at ?? `(batch * ${m}u + row) * ${n}u + column`};`,
      ...(whole
        ? ["let sum = sums[e];", ...last.lines, `out0[r] = ${last.value};`]
        : [`scratch[part * ${size}u + r] = sums[e];`]),
      "}",
      "}",
    ]),
    ...[a, b].map((t) => `var<workgroup> ${t.name}: array<vec4f, ${t.fours * (once ? 1 : 2)}>;`),
  ];
  return main(threads, body, before);
}

/** Adds up the parts, in order. */
function sumUp(p: Product, { parts }: Shape, size: number): WgslPass {
  const last = ending(p);
  const body = [
    "let r = i;",
    "var sum = scratch[r];",
    `for (var part = 1u; part < ${parts}u; part++) { sum += scratch[part * ${size}u + r]; }`,
    ...last.lines,
    `out0[r] = ${last.value};`,
  ];
  return {
    text: eachElement(size, body, textOf(last.calls)),
    bindings: [reads("scratch", "f32"), ...last.bindings, output(p)],
    groups: groupsOf(size),
  };
}

const output = ({ signature, half }: Product) => writes("out0", signature.outs[0]!.dtype, half);

/** From `sum` to the value of element `r`. */
function ending({ signature, bias }: Product) {
  const last = finish(signature, "total", "r");
  const total = `let total = sum${bias ? ` + ${bias.value}` : ""};`;
  return { ...last, lines: [total, ...last.lines], bindings: [...(bias ? [bias.binding] : []), ...last.bindings] };
}

// ── tiles ──────────────────────────────────────────────────────────────────────────────────────────

interface TileShape {
  readonly side: number;
  readonly each: number;
  readonly lanes: number;
  /** The thread's number along the side. */
  readonly lane: string;
  readonly deep: number;
  readonly threads: number;
}

/** A tile in workgroup memory, in fours as they are loaded, and what a thread takes of it. */
function tileOf(x: string, operand: Operand, { side, each, lanes, lane, deep, threads }: TileShape) {
  const name = `tile_${x}`;
  const fours = (side * deep) / 4;
  const along = deep / 4;
  const first = x === "a" ? "row" : "column";
  const rounds = indices(Math.ceil(fours / threads));
  /** Which four of a row of `along`: neighbours in o are moved, so that they lie in different banks. */
  const moved = (q: string, o: string) => (along === 1 ? q : `(${q} ^ (${o} / ${8 / along}u % ${along}u))`);
  const of = (e: number) => (e === 0 ? "lane" : `(lane + ${e * threads}u)`);
  const guarded = (e: number, line: string) =>
    (e + 1) * threads <= fours ? line : `if (${of(e)} < ${fours}u) { ${line} }`;
  const split = operand.deep
    ? (e: number) => ({ q: `(${of(e)} % ${along}u)`, o: `(${of(e)} / ${along}u)` })
    : (e: number) => ({ p: `${of(e)} / ${side / 4}u`, o: `${of(e)} % ${side / 4}u * 4u` });
  /** Where the i-th of a thread's results lies along the side. */
  const place = (i: number) =>
    operand.deep
      ? `(${lane} + ${lanes * i}u)`
      : each >= 4
        ? `(${lane} * 4u + ${(i >> 2) * lanes * 4 + (i & 3)}u)`
        : `(${lane} * ${each}u + ${i}u)`;
  const scalar = (kk: number, i: number) =>
    operand.deep ? `${x}${i}.${"xyzw"[kk]}` : each >= 4 ? `${x}${kk}_${i >> 2}.${"xyzw"[i & 3]}` : `${x}${kk}_${i}`;
  return {
    name,
    fours,
    place,
    scalar,
    /** From one result of a vector to the next. */
    step: operand.deep ? lanes : 1,
    /** Results h · wide and so on, as a vector. */
    vector(kk: number, h: number, wide: number): string {
      if (wide === 1) return scalar(kk, h);
      if (!operand.deep && each >= 4) return `${x}${kk}_${h}`;
      return `vec${wide}f(${indices(wide)
        .map((j) => scalar(kk, h * wide + j))
        .join(", ")})`;
    },
    declare: rounds.map((e) => `var ${x}_next${e} = vec4f();`),
    /** Loads the thread's part of the tile from `start` on. */
    fetch: (start: string) =>
      rounds.map((e) => {
        const s = split(e);
        const p = "q" in s ? `${start} + ${s.q} * 4u` : `${start} + ${s.p}`;
        return guarded(e, `${x}_next${e} = load_${x}(batch, ${first} + ${s.o}, ${p});`);
      }),
    /** Puts what was loaded into one of the two buffers. */
    keep: (buffer: string) =>
      rounds.map((e) => {
        const s = split(e);
        const at = "q" in s ? `${s.o} * ${along}u + ${moved(s.q, s.o)}` : of(e);
        return guarded(e, `${name}[(${buffer}) * ${fours}u + ${at}] = ${x}_next${e};`);
      }),
    /** Reads what four steps of the sum need, from four `q` of a buffer. */
    read(buffer: string): string[] {
      const base = `${buffer} * ${fours}u`;
      if (operand.deep)
        return indices(each).map(
          (i) => `let ${x}${i} = ${name}[${base} + ${place(i)} * ${along}u + ${moved("q", place(i))}];`,
        );
      const row = (kk: number) => `${base} + (q * 4u + ${kk}u) * ${side / 4}u`;
      return indices(4).flatMap((kk) =>
        each >= 4
          ? indices(each / 4).map((h) => `let ${x}${kk}_${h} = ${name}[${row(kk)} + ${h * lanes}u + ${lane}];`)
          : indices(each).map((i) => `let ${x}${kk}_${i} = ${name}[${row(kk)} + ${place(i)} / 4u][${place(i)} % 4u];`),
      );
    },
  };
}

/** A vector or number as a vec4f. */
const four = (v: string, wide: number) =>
  wide === 4 ? v : wide === 2 ? `vec4f(${v}, 0.0, 0.0)` : `vec4f(${v}, 0.0, 0.0, 0.0)`;

const indices = (n: number): number[] => [...Array(n).keys()];

// GEMM: B in panels of 8 columns, A as it is or in panels as high as a tile, C tile by tile. Blocks of rows and columns are
// the parts that threads share. Tile and block sizes: README beside this file.

import { collapse, type Signature, sizeOf, type View } from "@nn/tensor";
import { type Func, type Int, i32, type Local, type Module, type Value } from "../../build.js";
import { type Phase, type PhaseFunc, phaseFunction, type WasmCode } from "../../code.js";
import { I32 } from "../../encode.js";
import { costOf, Formula } from "../../formula.js";
import { loadElements, loops, row, storeElements } from "../../walk.js";
import { COLUMNS, tilesOf, writeMicro } from "./micro.js";
import { writePack } from "./pack.js";

/** Steps of k done at a time, so that a panel of B stays in the first-level cache. */
const K_BLOCK = 384;
/** Rows done at a time, so that their part of A stays in the second-level cache. */
const ROW_BLOCK = 96;
/** A is packed where its rows lie a page or so apart (the caches dislike that) and are used often enough. */
const FAR = 512;
const OFTEN = 256;
/** Nanoseconds of a multiplication and addition. */
const COST = 0.045;

/** What lies in panels of 8 (see matmul.ts) instead of rows. */
export interface Panels {
  /** Panels of 8 columns are what the tiles read; panels of 8 rows are packed anew, but cheaply. */
  readonly b: "columns" | "rows" | null;
  readonly out: boolean;
  /** The epilogue's extra inputs. */
  readonly extra: readonly boolean[];
}

/** A matrix of a batch. */
interface Matrix {
  readonly offset: number;
  readonly rows: number;
  readonly columns: number;
  /** Of the batch axes. */
  readonly batch: readonly number[];
}

export function gemm(signature: Signature<unknown>, panels: Panels): WasmCode {
  const { ins, outs, epilogue } = signature;
  const [m, k] = ins[0]!.shape.slice(-2) as [number, number];
  const n = ins[1]!.shape.at(-1)!;
  const views = [ins[0]!, ins[1]!, outs[0]!, ...ins.slice(2)];
  const { shape: batchShape, strides } = collapse(views.map(batchPart));
  const matrices = views.map(
    (v, i): Matrix => ({
      offset: v.offset,
      rows: v.strides.at(-2)!,
      columns: v.strides.at(-1)!,
      batch: strides[i]!,
    }),
  );
  const batch = sizeOf(batchShape);
  const b = matrices[1]!;
  // Each of a batch packs its own B, if there is a B for each.
  const ownB = panels.b === null && b.batch.some((s) => s !== 0);
  const bFloats = panels.b === "columns" ? 0 : Math.ceil(n / COLUMNS) * COLUMNS * k;
  const rowBlock = Math.min(m, ROW_BLOCK);
  const packA = n >= OFTEN && Math.max(...ins[0]!.strides.slice(-2).map(Math.abs)) >= FAR;
  const aFloats = packA ? rowBlock * Math.min(k, K_BLOCK) : 0;
  const g: Gemm = { signature, panels, m, n, k, batchShape, matrices, rowBlock, packA, ownB };
  const cost = batch * m * n * k * COST + (epilogue ? batch * m * n * costOf(epilogue.expr) : 0);
  return {
    name: `gemm ${m}×${k}·${k}×${n}`,
    shared: ownB ? 0 : 4 * bFloats,
    scratch: 4 * (aFloats + (ownB ? bFloats : 0)),
    write(module) {
      const pack = panels.b === "columns" ? null : packB(module, g);
      const first: Phase[] = [];
      if (pack && !ownB) {
        const p = phaseFunction(module, "gemm pack", signature);
        const from = address(p.f, p.ins[1]!, b.offset);
        eachPanel(p.f, g, [p.from, p.to], (j, present) => pack(p.f, from, j, p.shared, present));
        first.push({ run: p.f, parts: Math.ceil(n / COLUMNS), cost: bFloats * 0.3 });
      }
      return [...first, multiply(module, g, pack, cost)];
    },
  };
}

interface Gemm {
  readonly signature: Signature<unknown>;
  readonly panels: Panels;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly batchShape: readonly number[];
  /** A, B, C, and the epilogue's extra inputs. */
  readonly matrices: readonly Matrix[];
  readonly rowBlock: number;
  readonly packA: boolean;
  readonly ownB: boolean;
}

function batchPart(v: View): View {
  return { ...v, shape: v.shape.slice(0, -2), strides: v.strides.slice(0, -2) };
}

const address = (f: Func, base: Local, offset: number): Local =>
  offset === 0 ? base : f.let(i32.add(base, 4 * offset));

type PackPanel = (f: Func, from: Value, j: Value, to: Value, present: number) => void;

/** Packs panel j of the B at `from` into its place among those at `to`; `present` of its columns are there. */
function packB(m: Module, { panels, matrices: [, b], k, n }: Gemm): PackPanel {
  const fromRows = panels.b === "rows";
  const pack = memo((present) =>
    writePack(m, {
      width: COLUMNS,
      present,
      kStride: fromRows ? 1 : b!.rows,
      stride: fromRows ? COLUMNS : b!.columns,
    }),
  );
  return (f, from, j, to, present) => {
    const target = f.let(i32.add(to, i32.mul(j, 4 * COLUMNS * k)));
    if (!fromRows) return f.call(pack(present), i32.add(from, i32.mul(j, 4 * COLUMNS * b!.columns)), target, k);
    const source = f.let(i32.add(from, i32.mul(j, 4 * COLUMNS * COLUMNS)));
    f.for(0, k, COLUMNS, (k0) => {
      f.call(pack(present), source, target, i32.min_u(i32.sub(k, k0), COLUMNS));
      f.step(source, 4 * COLUMNS * n);
      f.step(target, 4 * COLUMNS * COLUMNS);
    });
  };
}

/** Panels `from … to` of B; the last may be narrower. */
function eachPanel(
  f: Func,
  { n }: Gemm,
  [from, to]: readonly [Int, Int],
  body: (j: Value, columns: number) => void,
): void {
  const full = Math.floor(n / COLUMNS);
  const edge = n % COLUMNS;
  if (full > 0) f.for(from, i32.min_u(to, full), 1, (j) => body(j, COLUMNS));
  if (edge > 0) f.if(i32.lt_u(full, to), () => body(i32.const(full), edge));
}

// ── the product ────────────────────────────────────────────────────────────────────────────────────

function multiply(module: Module, g: Gemm, pack: PackPanel | null, cost: number): Phase {
  const { signature, m, n, k, rowBlock, ownB, packA, batchShape } = g;
  const p = phaseFunction(module, "gemm", signature);
  const { f } = p;
  const rowBlocks = Math.ceil(m / rowBlock);
  const panelCount = Math.ceil(n / COLUMNS);
  // Enough parts for the threads; but a part of a batch that packs its own B is a whole product.
  const columnBlocks = ownB ? 1 : Math.min(Math.ceil(panelCount / 8), Math.max(1, Math.ceil(16 / rowBlocks)));
  const panelsEach = Math.ceil(panelCount / columnBlocks);
  const batch = sizeOf(batchShape);
  const parts = ownB ? batch : batch * rowBlocks * columnBlocks;
  const strip = stripWriter(module, g);
  const packRows = packA ? rowsPacker(module, g) : null;
  const aScratch = p.scratch;
  const bScratch = f.let(i32.add(p.scratch, packA ? 4 * rowBlock * Math.min(k, K_BLOCK) : 0));

  /** One block of rows times some panels. */
  const block = (at: readonly Value[], panelsAt: Value, i0: Value, rows: number, panels: readonly [Int, Int]) => {
    const [a, , c, ...extra] = at.map((v) => f.let(v));
    const [A, , C] = g.matrices as [Matrix, Matrix, Matrix];
    const aRow = f.let(i32.add(a!, i32.mul(i0, 4 * A.rows)));
    const cRow = f.let(i32.add(c!, i32.mul(i0, 4 * (g.panels.out ? COLUMNS : C.rows))));
    f.for(0, k, K_BLOCK, (k0) => {
      const kc = f.let(i32.min_u(i32.sub(k, k0), K_BLOCK));
      const aBlock = f.let(i32.add(aRow, i32.mul(k0, 4 * A.columns)));
      if (packRows) f.call(packRows(rows), aBlock, aScratch, kc);
      eachPanel(f, g, panels, (j, columns) => {
        const bPanel = i32.add(panelsAt, i32.mul(i32.add(i32.mul(j, k), k0), 4 * COLUMNS));
        const cPanel = f.let(i32.add(cRow, i32.mul(j, 4 * COLUMNS * (g.panels.out ? m : 1))));
        f.call(strip(rows, g.panels.out ? COLUMNS : columns), packRows ? aScratch : aBlock, bPanel, cPanel, kc, k0);
        if (signature.epilogue)
          f.if(i32.ge_u(i32.add(k0, K_BLOCK), k), () => finish(p, g, cPanel, extra, i0, rows, j, columns));
      });
    });
  };
  const rowBlockAt = (mb: Value, body: (i0: Value, rows: number) => void) => {
    const i0 = f.let(i32.mul(mb, rowBlock));
    const rest = m - (rowBlocks - 1) * rowBlock;
    if (rest === rowBlock) body(i0, rowBlock);
    else if (rowBlocks === 1) body(i0, rest);
    else
      f.if(
        i32.eq(mb, rowBlocks - 1),
        () => body(i0, rest),
        () => body(i0, rowBlock),
      );
  };
  const bases = [p.ins[0]!, p.ins[1]!, p.outs[0]!, ...p.ins.slice(2)];
  /** Addresses of the matrices of one of the batch. */
  const matricesAt = (index: Value): Value[] => {
    const coordinates = coordinatesOf(f, index, batchShape);
    return g.matrices.map(({ offset, batch: strides }, i) =>
      coordinates.reduce<Value>(
        (sum, c, axis) => (strides[axis] === 0 ? sum : i32.add(sum, i32.mul(c, 4 * strides[axis]!))),
        i32.add(bases[i]!, 4 * offset),
      ),
    );
  };
  f.for(p.from, p.to, 1, (part) => {
    if (ownB) {
      const at = matricesAt(part).map((v) => f.let(v));
      eachPanel(f, g, [0, panelCount], (j, columns) => pack!(f, at[1]!, j, bScratch, columns));
      f.for(0, rowBlocks, 1, (mb) => rowBlockAt(mb, (i0, rows) => block(at, bScratch, i0, rows, [0, panelCount])));
      return;
    }
    const nb = f.let(i32.rem_u(part, columnBlocks));
    const rest = f.let(i32.div_u(part, columnBlocks));
    const at = matricesAt(i32.div_u(rest, rowBlocks));
    const panelsAt = pack ? p.shared : at[1]!;
    const firstPanel = f.let(i32.mul(nb, panelsEach));
    const lastPanel = f.let(i32.min_u(i32.add(firstPanel, panelsEach), panelCount));
    rowBlockAt(i32.rem_u(rest, rowBlocks), (i0, rows) => block(at, panelsAt, i0, rows, [firstPanel, lastPanel]));
  });
  return { run: f, parts, cost };
}

/** `strip(a, b, c, k, before)`: all tiles of a block of rows in one panel. */
function stripWriter(module: Module, g: Gemm): (rows: number, columns: number) => Func {
  const [A, , C] = g.matrices as [Matrix, Matrix, Matrix];
  const ldc = g.panels.out ? COLUMNS : C.rows;
  const micro = memo((rows: number, columns: number) =>
    writeMicro(module, {
      rows,
      columns,
      rowStride: g.packA ? 1 : A.rows,
      kStride: g.packA ? rows : A.columns,
      ldc,
      continues: g.k > K_BLOCK,
    }),
  );
  return memo((rows: number, columns: number) => {
    const tiles = tilesOf(rows, module.features);
    for (const t of tiles) micro(t, columns);
    const f = module.function("strip", [I32, I32, I32, I32, I32]);
    const [a, b, c, k, before] = f.params.map((_, i) => f.param(i)) as [Local, Local, Local, Local, Local];
    const full = tiles.filter((t) => t === tiles[0]).length;
    const tile = (t: number) => {
      f.call(micro(t, columns), a, b, c, k, before);
      f.set(a, i32.add(a, g.packA ? i32.mul(k, 4 * t) : 4 * t * A.rows));
      f.step(c, 4 * t * ldc);
    };
    f.repeat(full, () => tile(tiles[0]!));
    for (const t of tiles.slice(full)) tile(t);
    return f;
  });
}

/** `packRows(from, to, k)`: the tiles of a block of rows, panel after panel. */
function rowsPacker(module: Module, g: Gemm): (rows: number) => Func {
  const A = g.matrices[0]!;
  const pack = memo((rows: number) =>
    writePack(module, { width: rows, present: rows, kStride: A.columns, stride: A.rows }),
  );
  return memo((rows: number) => {
    const tiles = tilesOf(rows, module.features);
    for (const t of tiles) pack(t);
    const f = module.function("packRows", [I32, I32, I32]);
    const [from, to, k] = [f.param(0), f.param(1), f.param(2)];
    const full = tiles.filter((t) => t === tiles[0]).length;
    const tile = (t: number) => {
      f.call(pack(t), from, to, k);
      f.step(from, 4 * t * A.rows);
      f.set(to, i32.add(to, i32.mul(k, 4 * t)));
    };
    f.repeat(full, () => tile(tiles[0]!));
    for (const t of tiles.slice(full)) tile(t);
    return f;
  });
}

/** The epilogue over a strip of C that is still in the cache. */
function finish(
  p: PhaseFunc,
  g: Gemm,
  c: Local,
  extra: readonly Local[],
  i0: Value,
  rows: number,
  j: Value,
  columns: number,
): void {
  const { f } = p;
  const others = g.matrices.slice(3);
  const ldc = g.panels.out ? COLUMNS : g.matrices[2]!.rows;
  const packed = g.panels.extra;
  const formula = new Formula(f, g.signature.epilogue!.expr, {
    level: (i) => (i > 0 && !packed[i - 1] && others[i - 1]!.columns === 0 ? 1 : 2),
    indexLevel: () => 2,
  });
  const at = [
    c,
    ...others.map((e, i) => {
      const [down, across] = packed[i] ? [COLUMNS, g.m] : [e.rows, e.columns];
      return f.let(i32.add(extra[i]!, i32.add(i32.mul(i0, 4 * down), i32.mul(j, 4 * COLUMNS * across))));
    }),
  ];
  const strides = [[ldc, 1], ...others.map((e, i) => (packed[i] ? [COLUMNS, 1] : [e.rows, e.columns]))];
  const operands = at.map((base, i) => ({ base, offset: 0, strides: strides[i]! }));
  const none = () => i32.const(0);
  formula.at(0, { input: none, index: none });
  loops(f, [rows, columns], operands, [0], [0, rows], { at, coordinates: [] }, (point) => {
    formula.at(1, { input: (i) => loadElements(f, point.at[i]!, 0, 4), index: none });
    const inner = strides.map((s) => s[1]!);
    row(f, columns, point.at, inner, {}, (width, q) => {
      const v = formula.at(2, { input: (i) => loadElements(f, q[i]!, inner[i]!, width), index: none });
      storeElements(f, q[0]!, 1, width, v);
    });
  });
}

/** The coordinates of the i-th element of a shape. */
function coordinatesOf(f: Func, i: Value, shape: readonly number[]): Value[] {
  const coordinates: Value[] = [];
  let rest = i;
  for (let axis = shape.length - 1; axis > 0; axis--) {
    coordinates.unshift(f.let(i32.rem_u(rest, shape[axis]!)));
    rest = f.let(i32.div_u(rest, shape[axis]!));
  }
  return shape.length > 0 ? [f.let(rest), ...coordinates] : [];
}

function memo<A extends number[], R>(make: (...args: A) => R): (...args: A) => R {
  const known = new Map<string, R>();
  return (...args) => {
    const key = args.join();
    let made = known.get(key);
    if (made === undefined) {
      made = make(...args);
      known.set(key, made);
    }
    return made;
  };
}

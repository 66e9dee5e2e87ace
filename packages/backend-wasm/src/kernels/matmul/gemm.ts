// GEMM: B in panels of 8 columns, A as it is or in panels as high as a tile, C tile by tile. Blocks of rows and columns are
// the parts that threads share. Tile and block sizes: README beside this file.

import { collapse, type Signature, sizeOf, type View } from "@nn/tensor";
import { elementAt, type Func, type Int, i32, type Local, type Module, type Value } from "../../build.js";
import { type PhaseFunc, phase, type WasmCode } from "../../code.js";
import { I32 } from "../../encode.js";
import { costOf } from "../../formula.js";
import { writeMap } from "../map.js";
import { COLUMNS, tilesOf, writeMicro } from "./micro.js";
import { writePack } from "./pack.js";

/** Steps of k done at a time, so that a panel of B stays in the first-level cache. */
export const K_BLOCK = 384;
/** Rows done at a time, so that their part of A stays in the second-level cache. */
const ROW_BLOCK = 48;
/** A is packed where its rows lie a page or so apart (the caches dislike that) and are used often enough. */
const FAR = 512;
const OFTEN = 256;
/** Nanoseconds of a multiplication and addition. */
export const COST = 0.045;

/** What lies in panels of 8 (see matmul.ts) instead of rows. */
export interface Panels {
  /** Panels of 8 columns are what the tiles read; panels of 8 rows are packed anew, but cheaply. */
  readonly b: "columns" | "rows" | null;
  readonly out: boolean;
  /** The epilogue's extra inputs. */
  readonly extra: readonly boolean[];
}

/** A matrix of a batch, in elements. */
interface Matrix {
  readonly offset: number;
  /** Of the batch axes. */
  readonly batch: readonly number[];
  /** From row to row, from column to column, and from one panel of 8 columns to the next. */
  readonly row: number;
  readonly column: number;
  readonly panel: number;
}

interface Gemm {
  readonly panels: Panels;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** A, B, C, and the epilogue's extra inputs. */
  readonly matrices: readonly Matrix[];
  readonly packA: boolean;
}

export function gemm(signature: Signature<unknown>, panels: Panels): WasmCode {
  const { ins, outs, epilogue } = signature;
  const [m, k] = ins[0]!.shape.slice(-2) as [number, number];
  const n = ins[1]!.shape.at(-1)!;
  const views = ins.toSpliced(2, 0, outs[0]!);
  const { shape: batchShape, strides } = collapse(
    views.map((v) => ({ ...v, shape: v.shape.slice(0, -2), strides: v.strides.slice(0, -2) })),
  );
  const inPanels = [false, false, panels.out, ...panels.extra];
  const matrices = views.map((v, i): Matrix => {
    const [row, column] = inPanels[i] ? [COLUMNS, 1] : (v.strides.slice(-2) as [number, number]);
    return { offset: v.offset, batch: strides[i]!, row, column, panel: COLUMNS * (inPanels[i] ? m : column) };
  });
  const [A, B, C] = matrices as [Matrix, Matrix, Matrix];
  const batch = sizeOf(batchShape);
  const panelCount = Math.ceil(n / COLUMNS);
  const rowBlock = Math.min(m, ROW_BLOCK);
  const rowBlocks = Math.ceil(m / rowBlock);
  // Each of a batch packs its own B, if there is a B for each: it is a part of its own. Else blocks are.
  const packB = panels.b !== "columns";
  const ownB = packB && B.batch.some((s) => s !== 0);
  const rowParts = ownB ? 1 : rowBlocks;
  const columnParts = ownB ? 1 : Math.min(Math.ceil(panelCount / 8), Math.max(1, Math.ceil(16 / rowBlocks)));
  const panelsEach = Math.ceil(panelCount / columnParts);
  const isFar = Math.max(Math.abs(A.row), Math.abs(A.column)) >= FAR;
  // Tiles reach their rows by offsets, which cannot be negative.
  const packA = A.row < 0 || (n >= OFTEN && isFar);
  const aBytes = packA ? 4 * rowBlock * Math.min(k, K_BLOCK) : 0;
  const bBytes = packB ? 4 * panelCount * COLUMNS * k : 0;
  const g: Gemm = { panels, m, n, k, matrices, packA };
  const cost = batch * m * n * (k * COST + (epilogue ? costOf(epilogue.expr) : 0));
  const multiply = (module: Module, p: PhaseFunc): number => {
    const { f } = p;
    const bases = p.ins.toSpliced(2, 0, p.outs[0]!);
    const ownPanels = f.let(i32.add(p.scratch, aBytes));
    f.for(p.from, p.to, 1, (part) => {
      const coordinates = coordinatesOf(f, part, [...batchShape, rowParts, columnParts]);
      const at = matrices.map(({ batch, offset }, i) => {
        const start = elementAt(bases[i]!, offset);
        return f.let(batch.reduce((sum, s, axis) => elementAt(sum, coordinates[axis]!, s), start));
      });
      if (ownB) packPanels(f, module, g, at[1]!, ownPanels, [0, panelCount]);
      const panelsAt = ownB ? ownPanels : packB ? p.shared : at[1]!;
      const first = f.let(i32.mul(coordinates.at(-1)!, panelsEach));
      const range = [first, f.let(i32.min_u(i32.add(first, panelsEach), panelCount))] as const;

      /** One block of rows times the panels. */
      const block = (i0: Value, rows: number) => {
        const rowAt = (x: number) => f.let(elementAt(at[x]!, i0, matrices[x]!.row));
        const [aRow, cRow] = [rowAt(0), rowAt(2)];
        f.for(0, k, K_BLOCK, (k0) => {
          const kc = f.let(i32.min_u(i32.sub(k, k0), K_BLOCK));
          const a = f.let(elementAt(aRow, k0, A.column));
          if (packA) f.call(writePackRows(module, g, rows), a, p.scratch, kc);
          eachPanel(f, n, range, (j, columns) => {
            const strip = writeStrip(module, g, rows, panels.out ? COLUMNS : columns);
            const c = f.let(elementAt(cRow, j, C.panel));
            f.call(strip, packA ? p.scratch : a, elementAt(panelsAt, i32.add(i32.mul(j, k), k0), COLUMNS), c, kc, k0);
            if (!epilogue) return;
            // The strip of C is still in the cache.
            f.if(i32.ge_u(i32.add(k0, K_BLOCK), k), () => {
              const [out, ...extra] = matrices.slice(2).map(
                ({ row, column }): View => ({
                  shape: [rows, columns],
                  strides: [row, column],
                  offset: 0,
                  dtype: "f32",
                }),
              );
              const places = extra.map((_, i) => f.let(elementAt(rowAt(3 + i), j, matrices[3 + i]!.panel)));
              writeMap(f, { expr: epilogue.expr, ins: [out!, ...extra], out: out!, at: [c, ...places], to: c });
            });
          });
        });
      };
      const rowsAt = (index: Value) => {
        const i0 = f.let(i32.mul(index, rowBlock));
        const rest = m % rowBlock;
        const whole = () => block(i0, rowBlock);
        if (rest === 0) whole();
        else f.if(i32.eq(index, rowBlocks - 1), () => block(i0, rest), whole);
      };
      if (ownB) f.for(0, rowBlocks, 1, rowsAt);
      else rowsAt(coordinates.at(-2)!);
    });
    return batch * rowParts * columnParts;
  };
  const pack = (module: Module, p: PhaseFunc): number => {
    packPanels(p.f, module, g, elementAt(p.ins[1]!, B.offset), p.shared, [p.from, p.to]);
    return panelCount;
  };
  return {
    name: `gemm ${m}×${k}·${k}×${n}`,
    shared: ownB ? 0 : bBytes,
    scratch: aBytes + (ownB ? bBytes : 0),
    write: (module) => [
      ...(packB && !ownB ? [phase(module, "gemm pack", signature, 0.075 * bBytes, (p) => pack(module, p))] : []),
      phase(module, "gemm", signature, cost, (p) => multiply(module, p)),
    ],
  };
}

/** Packs panels of the B at `from` into their places among those at `to`. */
function packPanels(f: Func, m: Module, { panels, matrices, n, k }: Gemm, from: Value, to: Local, range: Range): void {
  const { row, column, panel } = matrices[1]!;
  const fromRows = panels.b === "rows";
  eachPanel(f, n, range, (j, present) => {
    const shape = { width: COLUMNS, present };
    const target = f.let(elementAt(to, j, COLUMNS * k));
    if (!fromRows) {
      const pack = writePack(m, { ...shape, kStride: row, stride: column });
      return f.call(pack, elementAt(from, j, panel), target, k);
    }
    const pack = writePack(m, { ...shape, kStride: 1, stride: COLUMNS });
    const source = f.let(elementAt(from, j, COLUMNS * COLUMNS));
    f.for(0, k, COLUMNS, (k0) => {
      f.call(pack, source, target, i32.min_u(i32.sub(k, k0), COLUMNS));
      f.step(source, 4 * COLUMNS * n);
      f.step(target, 4 * COLUMNS * COLUMNS);
    });
  });
}

type Range = readonly [Int, Int];

/** Panels `from … to` of n columns in panels of 8; the last may be narrower. */
export function eachPanel(f: Func, n: number, [from, to]: Range, body: (j: Value, columns: number) => void): void {
  const full = Math.floor(n / COLUMNS);
  const edge = n % COLUMNS;
  if (full > 0) f.for(from, i32.min_u(to, full), 1, (j) => body(j, COLUMNS));
  if (edge > 0) f.if(i32.lt_u(full, to), () => body(i32.const(full), edge));
}

/** `strip(a, b, c, k, before)`: all tiles of a block of rows in one panel. */
function writeStrip(m: Module, g: Gemm, rows: number, columns: number): Func {
  const [A, , { row: ldc }] = g.matrices as [Matrix, Matrix, Matrix];
  return writeTiles(m, "strip", 5, rows, (height, [, , , k]) => [
    writeMicro(m, {
      rows: height,
      columns,
      rowStride: g.packA ? 1 : A.row,
      kStride: g.packA ? height : A.column,
      ldc,
      continues: g.k > K_BLOCK,
    }),
    [g.packA ? i32.mul(k!, 4 * height) : 4 * height * A.row, 0, 4 * height * ldc],
  ]);
}

/** `packRows(from, to, k)`: the tiles of a block of rows, panel after panel. */
function writePackRows(m: Module, { matrices: [A] }: Gemm, rows: number): Func {
  return writeTiles(m, "packRows", 3, rows, (height, [, , k]) => [
    writePack(m, { width: height, present: height, kStride: A!.column, stride: A!.row }),
    [4 * height * A!.row, i32.mul(k!, 4 * height)],
  ]);
}

/**
 * A function that calls another one of the same parameters for each tile of a block of rows, one below the other.
 *
 * @param tile for a height: the other function, and by how much its first parameters move on
 */
function writeTiles(
  m: Module,
  name: string,
  parameters: number,
  rows: number,
  tile: (height: number, parameters: readonly Local[]) => readonly [Func, readonly Int[]],
): Func {
  const f = m.function(name, new Array(parameters).fill(I32));
  const run = (height: number) => {
    const [callee, steps] = tile(height, f.params);
    f.call(callee, ...f.params);
    steps.forEach((by, i) => {
      f.step(f.params[i]!, by);
    });
  };
  const tiles = tilesOf(rows, m.features);
  const full = tiles.filter((t) => t === tiles[0]).length;
  f.repeat(full, () => run(tiles[0]!));
  for (const t of tiles.slice(full)) run(t);
  return f;
}

/** The coordinates of the i-th element of a shape. */
function coordinatesOf(f: Func, i: Value, shape: readonly number[]): Value[] {
  let rest = i;
  return shape
    .toReversed()
    .map((n, axis) => {
      if (n === 1) return i32.const(0);
      const coordinate = f.let(axis < shape.length - 1 ? i32.rem_u(rest, n) : rest);
      rest = f.let(i32.div_u(rest, n));
      return coordinate;
    })
    .reverse();
}

// Products of some rows with a packed weight: tiles of the backend's GEMM, or, for so few rows that these would wait for
// their own sums, one row at a time.

import {
  blocks,
  COLUMNS,
  elementAt,
  type Func,
  I32,
  type Int,
  i32,
  K_BLOCK,
  type Local,
  type Module,
  tilesOf,
  turned,
  type Value,
  v128,
  writeMicro,
} from "@nn/backend-wasm";
import { BLOCK, indices, PART } from "./common.js";

/** Rows that are multiplied one by one. */
export const FEW = 3;

export interface Product {
  /** Rows of all blocks together. */
  readonly rows: number;
  /** Whether only some of a block may be there, any number. */
  readonly some: boolean;
  readonly k: number;
  /** Floats from row to row of the left side, and of the result. */
  readonly lda: number;
  readonly ldc: number;
  /** Whether it adds to what is there. */
  readonly adds?: boolean;
}

/** Writes `product(a, panel, c, rows)` for one panel (k, 8) of which so many columns are stored. */
export function writeProduct(m: Module, p: Product, columns = COLUMNS): Func {
  const f = m.function("product", [I32, I32, I32, I32]);
  const [a, b, c, count] = f.params as [Local, Local, Local, Local];
  const shape = { columns, rowStride: p.lda, kStride: 1, ldc: p.ldc, continues: !!p.adds || p.k > K_BLOCK };
  f.for(0, p.k, K_BLOCK, (k0) => {
    const kc = f.let(i32.min_u(i32.sub(p.k, k0), K_BLOCK));
    const [panel, more] = [f.let(elementAt(b, k0, COLUMNS)), p.adds ? i32.const(1) : k0];
    for (const rows of p.some ? indices(Math.min(p.rows, BLOCK) + 1).slice(1) : blockSizes(p.rows)) {
      f.if(i32.eq(count, rows), () => {
        const [x, y] = [f.let(elementAt(a, k0)), f.let(c)];
        const tiles = tilesOf(rows, m.features);
        for (const tall of new Set(tiles))
          f.repeat(tiles.filter((t) => t === tall).length, () => {
            f.call(writeMicro(m, { ...shape, rows: tall }), x, panel, y, kc, more);
            f.step(x, 4 * tall * p.lda);
            f.step(y, 4 * tall * p.ldc);
          });
      });
    }
  });
  return f;
}

/** How many rows a block may have: a range of parts, cut into blocks. */
function blockSizes(rows: number): number[] {
  const whole = Math.min(Math.floor(rows / PART), BLOCK / PART);
  const rest = rows % PART;
  const sizes = indices(whole).map((i) => PART * (i + 1));
  if (rest > 0) sizes.push(...indices(whole + 1).map((i) => PART * i + rest));
  return sizes.filter((n) => n <= BLOCK);
}

/** Writes `product(a, panel, c, rows)` for a wide panel (k, width), one row after the other. */
export function writeRows(m: Module, { k, lda, ldc }: Product, width: number): Func {
  const f = m.function("row product", [I32, I32, I32, I32]);
  const [a, b, c, rows] = f.params as [Local, Local, Local, Local];
  const vectors = indices(width / 4);
  f.repeat(rows, () => {
    const sums = vectors.map(() => f.let(f.int(0)));
    const [x, y] = [f.let(a), f.let(b)];
    f.repeat(k, () => {
      const factor = f.let(v128.load32_splat(x));
      for (const i of vectors) f.set(sums[i]!, f.fma(factor, v128.load(y, 16 * i), sums[i]!));
      f.step(x, 4);
      f.step(y, 4 * width);
    });
    for (const i of vectors) f.store(c, sums[i]!, 16 * i);
    f.step(a, 4 * lda);
    f.step(c, 4 * ldc);
  });
  return f;
}

// ── W_hh, by units ─────────────────────────────────────────────────────────────────────────────────

/** W_hh (gates · H, H) in groups of units with all their gates, [group][gate][unit] cut into panels (k, columns). */
export interface Groups {
  readonly gates: number;
  readonly size: number;
  /** Units of a group, a multiple of 4; the last may have fewer. */
  readonly units: number;
  /** Of a panel. */
  readonly columns: number;
}

export const groupCount = ({ size, units }: Groups): number => Math.ceil(size / units);
/** Floats of a group. */
export const groupSize = ({ gates, size, units }: Groups): number => size * gates * units;

/** Packs the groups `from … to` of the weight at an address; units that are not there are zeros. */
export function packGroups(m: Module, f: Func, g: Groups, weight: Local, to: Local, range: readonly [Int, Int]): void {
  const full = Math.floor(g.size / g.units);
  const pack = (units: number, i: Value) =>
    f.call(writePack(m, g, units), elementAt(weight, i, g.units * g.size), elementAt(to, i, groupSize(g)));
  if (full > 0) f.for(range[0], i32.min_u(range[1], full), 1, (i) => pack(g.units, i));
  if (full < groupCount(g)) f.if(i32.lt_u(full, range[1]), () => pack(g.size % g.units, i32.const(full)));
}

/** Writes `pack(from, to)`: one group, from the address of its first unit's row in the first gate. */
function writePack(m: Module, { gates, size, units, columns }: Groups, present: number): Func {
  const f = m.function("pack gates", [I32, I32]);
  const [from, to] = f.params as [Local, Local];
  blocks(f, size, [4, 1], (steps) => {
    for (let gate = 0; gate < gates; gate++)
      for (let u = 0; u < units; u += 4) {
        const column = gate * units + u;
        const place = Math.floor(column / columns) * columns * size + (column % columns);
        const row = (i: number) => 4 * size * (gate * size + u + i);
        if (steps === 1) {
          for (const i of indices(4)) f.store(to, u + i < present ? i32.load(from, row(i)) : 0, 4 * (place + i));
          continue;
        }
        const rows = indices(4).map((i) => f.let(u + i < present ? v128.load(from, row(i)) : f.int(0)));
        turned(f, rows).forEach((x, k) => {
          f.store(to, x, 4 * (place + columns * k));
        });
      }
    f.step(from, 4 * steps);
    f.step(to, 4 * steps * columns);
  });
  return f;
}

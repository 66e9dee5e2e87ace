// The tile: a few rows (output channels) × vectors of pixels in registers. Weights lie in panels as high as the tile;
// pixels are read where they are, at distances that a table holds for every step of k.

import {
  type Func,
  f32x4,
  I32,
  i32,
  type Local,
  loadFirst,
  type Module,
  storeFirst,
  type Value,
  v128,
} from "@nn/backend-wasm";
import { zeroVector } from "./planes.js";

/** Four pixels of a row, or fewer, or two and two of different rows: places in floats from the tile's first pixel. */
export interface Pixels {
  /** Where they are read and written. */
  readonly from: number;
  readonly to: number;
  readonly count: number;
  /** Where the upper half is. */
  readonly upper?: { readonly from: number; readonly to: number };
}

export interface TileShape {
  readonly pixels: readonly Pixels[];
  /** Floats from output channel to output channel. */
  readonly ldc: number;
  /** Whether c may hold the sum of earlier blocks of k. */
  readonly continues: boolean;
  readonly bias: boolean;
  /** A formula of the sums, applied before they are stored. */
  readonly formula: ((f: Func) => (sum: Value) => Value) | null;
}

/** `(a, b, c, k, table, before, bias)` are the parameters of tiles and of columns of tiles. */
const PARAMETERS = new Array(7).fill(I32);

/** Writes a tile: `c = (before ? c : bias) + Σₖ a[k] · b[table[k]]`, k ≥ 1. */
function writeTile(m: Module, rows: number, { pixels, ldc, continues, bias: biased, formula }: TileShape): Func {
  const f = m.function(`tile${rows}x${pixels.length}`, PARAMETERS);
  const [a, b, c, k, table, before, bias] = f.params.map((_, i) => f.param(i)) as Local[];
  const sums = Array.from({ length: rows }, (_, r) => {
    const start = biased ? f.let(v128.load32_splat(bias!, 4 * r)) : zeroVector;
    return pixels.map(() => f.let(start));
  });
  const each = (body: (sum: Local, p: Pixels, offset: number) => void) => {
    for (const [r, row] of sums.entries()) for (const [i, p] of pixels.entries()) body(row[i]!, p, r * ldc);
  };
  if (continues) f.if(before!, () => each((sum, p, offset) => f.set(sum, load(c!, p, "to", offset))));
  f.repeat(k!, () => {
    const q = f.let(i32.add(b!, i32.load(table!)));
    const weight = (r: number) => f.let(v128.load32_splat(a!, 4 * r));
    const pixel = (i: number) => f.let(load(q, pixels[i]!, "from", 0));
    const add = (r: number, i: number, w: Value, x: Value) => f.set(sums[r]![i]!, f.fma(w, x, sums[r]![i]!));
    // What there is less of stays in registers.
    if (rows < pixels.length) {
      const weights = sums.map((_, r) => weight(r));
      for (const i of pixels.keys()) {
        const x = pixel(i);
        for (const [r, w] of weights.entries()) add(r, i, w, x);
      }
    } else {
      const xs = pixels.map((_, i) => pixel(i));
      for (const r of sums.keys()) {
        const w = weight(r);
        for (const [i, x] of xs.entries()) add(r, i, w, x);
      }
    }
    f.step(a!, 4 * rows);
    f.step(table!, 4);
  });
  const last = formula?.(f);
  each((sum, p, offset) => {
    const v = last ? f.let(last(sum)) : sum;
    if (p.upper) {
      f.storeHalf(0, c!, v, 4 * (p.to + offset));
      f.storeHalf(1, c!, v, 4 * (p.upper.to + offset));
    } else storeFirst(f, p.count, c!, v, 4 * (p.to + offset));
  });
  return f;
}

/** Pixels as they are read (whole vectors: there is room behind them) or as they were written. */
function load(at: Local, p: Pixels, side: "from" | "to", offset: number): Value {
  const first = 4 * (p[side] + offset);
  if (p.upper)
    return v128.shuffle32(
      v128.load64_zero(at, first),
      v128.load64_zero(at, 4 * (p.upper[side] + offset)),
      [0, 1, 4, 5],
    );
  return side === "from" ? v128.load(at, first) : loadFirst(p.count, at, first);
}

/** Heights of tiles, and how many of each there are in a row. */
export type Runs = readonly (readonly [height: number, count: number])[];

export function runsOf(heights: readonly number[]): Runs {
  const runs: [number, number][] = [];
  for (const h of heights) {
    const last = runs.at(-1);
    if (last?.[0] === h) last[1]++;
    else runs.push([h, 1]);
  }
  return runs;
}

/** Writes a column of tiles, for all output channels of some runs. */
export function writeColumn(m: Module, runs: Runs, shape: TileShape): Func {
  const tiles = runs.map(([height]) => writeTile(m, height, shape));
  const f = m.function("column", PARAMETERS);
  const [a, b, c, k, table, before, bias] = f.params.map((_, i) => f.param(i)) as Local[];
  runs.forEach(([height, count], i) => {
    f.repeat(count, () => {
      f.call(tiles[i]!, a!, b!, c!, k!, table!, before!, bias!);
      f.set(a!, i32.add(a!, i32.mul(k!, 4 * height)));
      f.step(c!, 4 * height * shape.ldc);
      f.step(bias!, 4 * height);
    });
  });
  return f;
}

/** The sums of the lanes of four vectors, side by side. */
export function folded(f: Func, v: readonly Local[]): Local {
  const [a, b, c, d] = v as [Local, Local, Local, Local];
  const two = (p: Local, q: Local) =>
    f.let(f32x4.add(v128.shuffle32(p, q, [0, 4, 1, 5]), v128.shuffle32(p, q, [2, 6, 3, 7])));
  const [ab, cd] = [two(a, b), two(c, d)];
  return f.let(f32x4.add(v128.shuffle32(ab, cd, [0, 1, 4, 5]), v128.shuffle32(ab, cd, [2, 3, 6, 7])));
}

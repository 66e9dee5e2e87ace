// The microkernel: a tile of a few rows × 8 columns of C in registers, one step of k per round. What matters for its
// speed is in the README beside this file.

import { type Features, type Func, f32x4, type Local, type Module, type Value, v128 } from "../../build.js";
import { I32 } from "../../encode.js";
import { indices } from "../../walk.js";

/** Columns of a tile. */
export const COLUMNS = 8;

/**
 * Rows of the tiles that a number of rows is cut into. x86 leaves 15 vector registers: with fused multiply-adds 6 rows
 * fit (12 sums, 2 vectors of B, one of A); without, a product needs a register too, and 4 rows are best. A tile of 1 or
 * 2 rows waits for its own sums, so that 8 rows are 4 + 4 and not 6 + 2.
 */
export function tilesOf(rows: number, { relaxed }: Features): number[] {
  const tiles: number[] = [];
  for (let left = rows; left > 0; left -= tiles.at(-1)!)
    tiles.push(relaxed && left >= 6 && left !== 7 && left !== 8 ? 6 : left === 5 ? 5 : Math.min(4, left));
  return tiles;
}

export interface MicroShape {
  readonly rows: number;
  /** Columns that are stored: 8, or fewer at the edge. */
  readonly columns: number;
  /** Strides of A in elements: from row to row (≥ 0), and from k to k. */
  readonly rowStride: number;
  readonly kStride: number;
  /** Elements from row to row of C. */
  readonly ldc: number;
  /** Whether C may hold the sum of earlier blocks of k. */
  readonly continues: boolean;
}

/**
 * Writes `micro(a, b, c, k, before)`: `c[rows][columns] = (before ? c : 0) + Σₖ a·b` with b (k, 8) packed, k ≥ 1.
 */
export function writeMicro(m: Module, shape: MicroShape): Func {
  const { rows, columns, rowStride, kStride, ldc, continues } = shape;
  return m.once(`micro ${JSON.stringify(shape)}`, () => {
    const f = m.function(`micro${rows}x${columns}`, [I32, I32, I32, I32, I32]);
    const [a, b, c, k, before] = f.params as [Local, Local, Local, Local, Local];
    const zero = f.int(0);
    const halves = columns > 4 ? 2 : 1;
    const sums = indices(rows).map(() => indices(halves).map(() => f.let(zero)));
    f.repeat(k, () => {
      const right = indices(halves).map((h) => f.let(v128.load(b, 16 * h)));
      sums.forEach((row, r) => {
        const x = f.let(v128.load32_splat(a, 4 * r * rowStride));
        row.forEach((sum, h) => {
          f.set(sum, f.fma(x, right[h]!, sum));
        });
      });
      f.step(a, 4 * kStride);
      f.step(b, 4 * COLUMNS);
    });
    const each = (body: (sum: Local, offset: number, count: number) => void) =>
      sums.forEach((row, r) => {
        row.forEach((sum, h) => {
          body(sum, 4 * (r * ldc + 4 * h), Math.min(4, columns - 4 * h));
        });
      });
    if (continues)
      f.if(before, () =>
        each((sum, offset, count) => {
          f.set(sum, f32x4.add(sum, loadFirst(count, c, offset)));
        }),
      );
    each((sum, offset, count) => storeFirst(f, count, c, sum, offset));
    return f;
  });
}

/** The first `count` elements at an address, zeros (or anything) above. */
export function loadFirst(count: number, at: Local, offset: number): Value {
  if (count === 4) return v128.load(at, offset);
  let v = count >= 2 ? v128.load64_zero(at, offset) : v128.load32_zero(at, offset);
  if (count === 3) v = v128.load32_lane(2, at, v, offset + 8);
  return v;
}

export function storeFirst(f: Func, count: number, at: Local, v: Local, offset: number): void {
  if (count === 4) f.store(at, v, offset);
  else if (count >= 2) f.storeHalf(0, at, v, offset);
  if (count % 2 === 1) f.storeLane(count - 1, at, v, offset + 4 * (count - 1));
}

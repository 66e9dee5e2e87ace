// raggedProduct and raggedWeightGrad: the steps that rows have are listed first, then copied together, block by block, and
// multiplied with the tiles of the backend's GEMM. So the padding costs nothing but its zeros.

import {
  COLUMNS,
  eachPanel,
  elementAt,
  type Func,
  f32x4,
  type Int,
  i32,
  K_BLOCK,
  type Local,
  type Module,
  type Phase,
  phase,
  tilesOf,
  type Value,
  type WasmCode,
  type WasmKernel,
  writeMicro,
  writePack,
} from "@nn/backend-wasm";
import type { Signature, View } from "@nn/tensor";
import { COST, copyRow, inUnits, inVectors, load, loadUnits, rowAt, store, timeOf } from "./common.js";

/** Rows at a time. */
const ROWS = 48;
/** Past the end of a row of scratch: rows a page apart would share lines of the cache. */
const APART = 16;

type Rows = Signature<object>;
/** Nothing is empty, and the inputs named are in vectors, if there. */
const readable = ({ ins }: Rows, ...data: readonly number[]): boolean =>
  ins.every((v) => v.shape.every((d) => d > 0)) && data.every((i) => !ins[i] || inVectors(ins[i]));

// ── the list ───────────────────────────────────────────────────────────────────────────────────────

/** All steps of all rows as (t, row), those before the rows' ends first, and before it their number. */
const listBytes = ({ shape }: View): number => 16 + 8 * shape[0]! * shape[1]!;

function writeList(m: Module, signature: Rows, x: View, lengths: number, at: number): Phase {
  const [steps, rows] = x.shape as [number, number];
  const { offset, strides } = signature.ins[lengths]!;
  return phase(m, "ragged list", signature, 2 * steps * rows, ({ f, ins, shared }) => {
    const count = f.let(i32.add(shared, at));
    const next = f.let(i32.add(count, 16));
    const last = f.let(i32.add(next, 8 * (steps * rows - 1)));
    const first = f.let(elementAt(ins[lengths]!, offset));
    f.for(0, steps, 1, (t) => {
      const length = f.let(first);
      f.for(0, rows, 1, (row) => {
        const has = f.let(i32.lt_s(t, i32.load(length)));
        const place = f.let(i32.select(next, last, has));
        f.store(place, t);
        f.store(place, row, 4);
        f.step(next, i32.mul(has, 8));
        f.step(last, i32.sub(i32.mul(has, 8), 8));
        f.step(length, 4 * strides[0]!);
      });
    });
    f.store(count, i32.shr_u(i32.sub(next, i32.add(count, 16)), 3));
    return 1;
  });
}

/** The address of a listed step in a view at `base`. */
const stepAt = (f: Func, base: Local, view: View, listed: Local): Local =>
  f.let(elementAt(rowAt(f, base, view, f.let(i32.load(listed, 4))), i32.load(listed), timeOf(view)));

/** `body` for the steps listed from `first` on, `count` of them, maybe none. */
function eachListed(f: Func, list: Local, first: Int, count: Int, body: (listed: Local) => void): void {
  const listed = f.let(i32.add(list, i32.mul(first, 8)));
  f.times(count, () => {
    body(listed);
    f.step(listed, 8);
  });
}

// ── x · weightᵀ ────────────────────────────────────────────────────────────────────────────────────

function product(signature: Rows): WasmCode {
  const { ins, outs } = signature;
  const [x, weight, , bias] = ins as [View, View, View, View | undefined];
  const [steps, rows, k] = x.shape as [number, number, number];
  const width = weight.shape[0]!;
  const panels = Math.ceil(width / COLUMNS);
  const panelBytes = 4 * panels * COLUMNS * k;
  const [pitch, sumPitch] = [k + APART, panels * COLUMNS + APART];
  const out = outs[0]!;
  return {
    name: `ragged ${steps}×${rows}×${k}·${k}×${width}`,
    shared: panelBytes + listBytes(x),
    scratch: 4 * ROWS * (pitch + sumPitch),
    write: (m) => [
      writeList(m, signature, x, 2, panelBytes),
      phase(m, "ragged pack", signature, 0.3 * width * k, ({ f, ins: at, shared, from, to }) => {
        const source = f.let(elementAt(at[1]!, weight.offset));
        const [stride, kStride] = weight.strides as [number, number];
        eachPanel(f, width, [from, to], (j, present) =>
          f.call(
            writePack(m, { width: COLUMNS, present, kStride, stride }),
            elementAt(source, j, COLUMNS * stride),
            elementAt(shared, j, COLUMNS * k),
            k,
          ),
        );
        return panels;
      }),
      phase(m, "ragged product", signature, steps * rows * width * k * COST, ({ f, ins: at, outs: to, ...p }) => {
        const list = f.let(i32.add(p.shared, panelBytes + 16));
        const count = f.let(i32.load(p.shared, panelBytes));
        const sums = f.let(i32.add(p.scratch, 4 * ROWS * pitch));
        const tile = tilesOf(ROWS, m.features)[0]!;
        const micro = writeMicro(m, {
          rows: tile,
          columns: COLUMNS,
          rowStride: pitch,
          kStride: 1,
          ldc: sumPitch,
          continues: k > K_BLOCK,
        });
        f.for(i32.mul(p.from, ROWS), i32.min_u(i32.mul(p.to, ROWS), steps * rows), ROWS, (first) => {
          const here = f.let(i32.min_u(i32.sub(steps * rows, first), ROWS));
          const open = f.let(i32.select(i32.sub(count, first), 0, i32.gt_u(count, first)));
          f.set(open, i32.min_u(open, here));
          const row = f.let(p.scratch);
          eachListed(f, list, first, open, (listed) => {
            copyRow(f, stepAt(f, at[0]!, x, listed), x, row);
            f.step(row, 4 * pitch);
          });
          const tiles = f.let(i32.div_u(i32.add(open, tile - 1), tile));
          f.for(0, k, K_BLOCK, (k0) => {
            const kc = f.let(i32.min_u(i32.sub(k, k0), K_BLOCK));
            f.for(0, panels, 1, (j) => {
              const panel = f.let(elementAt(p.shared, i32.add(i32.mul(j, k), k0), COLUMNS));
              const [a, c] = [f.let(elementAt(p.scratch, k0)), f.let(elementAt(sums, j, COLUMNS))];
              f.times(tiles, () => {
                f.call(micro, a, panel, c, kc, k0);
                f.step(a, 4 * tile * pitch);
                f.step(c, 4 * tile * sumPitch);
              });
            });
          });
          f.set(row, sums);
          eachListed(f, list, first, open, (listed) => {
            const [from, target] = [f.let(row), stepAt(f, to[0]!, out, listed)];
            const add = bias && f.let(elementAt(at[3]!, bias.offset));
            inUnits(f, width, (n) => {
              const sum = loadUnits(f, n, from);
              store(f, n, target, add ? f32x4.add(sum, load(f, n, add, bias)) : sum);
              for (const q of [from, target]) f.step(q, 16);
              if (add) f.step(add, 16 * bias.strides[0]!);
            });
            f.step(row, 4 * sumPitch);
          });
          eachListed(f, list, i32.add(first, open), i32.sub(here, open), (listed) => {
            f.zero(stepAt(f, to[0]!, out, listed), 4 * width);
          });
        });
        return Math.ceil((steps * rows) / ROWS);
      }),
    ],
  };
}

// ── Σ dᵀ · x ───────────────────────────────────────────────────────────────────────────────────────

function weightGrad(signature: Rows): WasmCode {
  const { ins, outs } = signature;
  const [d, x] = ins as [View, View];
  const [steps, rows, height] = d.shape as [number, number, number];
  const width = x.shape[2]!;
  const most = steps * rows;
  const panels = Math.ceil(width / COLUMNS);
  const panelBytes = 4 * panels * COLUMNS * most;
  const out = outs[0]!;
  const blocks = Math.ceil(height / ROWS);
  return {
    name: `ragged ${height}×(${steps}×${rows})×${width}`,
    shared: panelBytes + listBytes(d),
    scratch: 4 * ROWS * K_BLOCK,
    write: (m) => [
      writeList(m, signature, d, 2, panelBytes),
      phase(m, "ragged pack", signature, 0.3 * width * most, ({ f, ins: at, shared, from, to }) => {
        const list = f.let(i32.add(shared, panelBytes + 16));
        const count = f.let(i32.load(shared, panelBytes));
        eachPanel(f, width, [from, to], (j, present) => {
          const target = f.let(elementAt(shared, j, COLUMNS * most));
          eachListed(f, list, 0, count, (listed) => {
            const source = f.let(elementAt(stepAt(f, at[1]!, x, listed), j, COLUMNS * x.strides[2]!));
            copyPart(f, source, x, target, present, COLUMNS);
            f.step(target, 4 * COLUMNS);
          });
        });
        return panels;
      }),
      phase(m, "ragged gradient", signature, most * width * height * COST, ({ f, ins: at, outs: to, ...p }) => {
        const list = f.let(i32.add(p.shared, panelBytes + 16));
        const count = f.let(i32.load(p.shared, panelBytes));
        const block = (i0: Value, size: number) => {
          const c0 = f.let(elementAt(elementAt(to[0]!, out.offset), i0, width));
          f.if(i32.eqz(count), () => f.zero(c0, 4 * size * width));
          f.for(0, count, K_BLOCK, (k0) => {
            const kc = f.let(i32.min_u(i32.sub(count, k0), K_BLOCK));
            const row = f.let(p.scratch);
            eachListed(f, list, k0, kc, (listed) => {
              copyPart(f, f.let(elementAt(stepAt(f, at[0]!, d, listed), i0, d.strides[2]!)), d, row, size, size);
              f.step(row, 4 * ROWS);
            });
            eachPanel(f, width, [0, panels], (j, columns) => {
              const panel = f.let(elementAt(p.shared, i32.add(i32.mul(j, most), k0), COLUMNS));
              const [a, c] = [f.let(p.scratch), f.let(elementAt(c0, j, COLUMNS))];
              const tiles = tilesOf(size, m.features);
              for (const tall of new Set(tiles)) {
                const shape = { rows: tall, columns, rowStride: 1, kStride: ROWS, ldc: width, continues: true };
                const micro = writeMicro(m, shape);
                f.repeat(tiles.filter((t) => t === tall).length, () => {
                  f.call(micro, a, panel, c, kc, k0);
                  f.step(a, 4 * tall);
                  f.step(c, 4 * tall * width);
                });
              }
            });
          });
        };
        f.for(p.from, p.to, 1, (i) => {
          const rest = height % ROWS;
          const whole = () => block(f.let(i32.mul(i, ROWS)), ROWS);
          if (rest === 0) whole();
          else if (height < ROWS) block(i32.const(0), rest);
          else f.if(i32.eq(i, blocks - 1), () => block(i32.const(height - rest), rest), whole);
        });
        return blocks;
      }),
    ],
  };
}

/** Copies `present` elements of a view's row; those up to `width` are not used. */
function copyPart(f: Func, from: Local, view: View, to: Local, present: number, width: number): void {
  for (let i = 0; i < width; i += 4) {
    const some = Math.min(4, present - i);
    if (some > 0) store(f, Math.min(4, width - i), to, load(f, some, from, view, view.strides.at(-1)! * i), 4 * i);
  }
}

export const raggedProduct: WasmKernel<object> = {
  op: "recurrent/raggedProduct",
  accepts: (signature) => readable(signature, 0, 3),
  emit: product,
};
export const raggedWeightGrad: WasmKernel<object> = {
  op: "recurrent/raggedWeightGrad",
  accepts: (signature) => readable(signature, 0, 1),
  emit: weightGrad,
};

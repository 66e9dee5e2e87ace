// A few rows times a matrix, with the same bits that GEMM gives them among many: every sum in the order of k and in blocks of
// it. The matrix is packed in wide panels, which stay as long as it does: for what runs step by step.

import { type Signature, sizeOf } from "@nn/tensor";
import { elementAt, type Func, f32x4, i32, type Local, type Module, v128 } from "../../build.js";
import { phase, type WasmCode } from "../../code.js";
import { I32 } from "../../encode.js";
import { indices } from "../../walk.js";
import { COST, K_BLOCK } from "./gemm.js";
import { epiloguePhase, MAX_ROWS } from "./gemv.js";
import { loadFirst, storeFirst } from "./micro.js";
import { writePack } from "./pack.js";

/** Columns of a panel: 8 sums, so that none is waited for. */
const WIDE = 32;
/** Nanoseconds to pack an element. */
const PACK_COST = 0.3;

/** The code, or `null` where there are too many rows. */
export function rows(signature: Signature<unknown>): WasmCode | null {
  const { ins } = signature;
  const [a, b] = ins;
  const [m, k] = a!.shape.slice(-2) as [number, number];
  const n = b!.shape.at(-1)!;
  if (sizeOf(a!.shape) !== m * k || m > MAX_ROWS) return null;
  const [kStride, stride] = b!.strides.slice(-2) as [number, number];
  const [rowStride, along] = a!.strides.slice(-2) as [number, number];
  const count = Math.ceil(n / WIDE);
  const presentIn = (j: number) => Math.min(WIDE, n - j * WIDE);
  /** `body(from, to, columns)`: for the full panels, and for the last if it is none. */
  const eachPanel = (f: Func, from: Local, to: Local, body: (j: Local, columns: number) => void) =>
    f.for(from, to, 1, (j) => {
      if (presentIn(count - 1) === WIDE) body(j, WIDE);
      else if (count === 1) body(j, n);
      else
        f.if(
          i32.eq(j, count - 1),
          () => body(j, presentIn(count - 1)),
          () => body(j, WIDE),
        );
    });
  return {
    name: `rows ${m}×${k}·${k}×${n}`,
    shared: 4 * count * WIDE * k,
    write: (module) => [
      {
        keeps: 1,
        ...phase(module, "rows pack", signature, PACK_COST * k * n, ({ f, ins: at, shared, from, to }) => {
          eachPanel(f, from, to, (j, present) => {
            const pack = writePack(module, { width: WIDE, present, kStride, stride });
            f.call(pack, elementAt(elementAt(at[1]!, b!.offset), j, WIDE * stride), elementAt(shared, j, WIDE * k), k);
          });
          return count;
        }),
      },
      phase(module, "rows", signature, COST * m * n * k, ({ f, ins: at, outs: to, shared, from, to: end }) => {
        eachPanel(f, from, end, (j, columns) => {
          const row = writeRow(module, along, columns);
          for (const r of indices(m)) {
            const x = f.let(elementAt(at[0]!, a!.offset + r * rowStride));
            const y = f.let(elementAt(elementAt(to[0]!, r * n), j, WIDE));
            const panel = f.let(elementAt(shared, j, WIDE * k));
            f.for(0, k, K_BLOCK, (k0) => {
              const kc = f.let(i32.min_u(i32.sub(k, k0), K_BLOCK));
              f.call(row, x, panel, y, kc, k0);
              f.step(x, 4 * K_BLOCK * along);
              f.step(panel, 4 * K_BLOCK * WIDE);
            });
          }
        });
        return count;
      }),
      ...epiloguePhase(module, "rows epilogue", signature),
    ],
  };
}

/** Writes `row(x, panel, y, k, before)`: y[columns] = (before ? y : 0) + Σₖ x·panel. */
function writeRow(m: Module, along: number, columns: number): Func {
  return m.once(`row ${along} ${columns}`, () => {
    const f = m.function("row", [I32, I32, I32, I32, I32]);
    const [x, panel, y, k, before] = f.params as [Local, Local, Local, Local, Local];
    const vectors = indices(Math.ceil(columns / 4));
    const sums = vectors.map(() => f.let(f.int(0)));
    f.repeat(k, () => {
      const factor = f.let(v128.load32_splat(x));
      for (const i of vectors) f.set(sums[i]!, f.fma(factor, v128.load(panel, 16 * i), sums[i]!));
      f.step(x, 4 * along);
      f.step(panel, 4 * WIDE);
    });
    const present = (i: number) => Math.min(4, columns - 4 * i);
    f.if(before, () => {
      for (const i of vectors) f.set(sums[i]!, f32x4.add(sums[i]!, loadFirst(present(i), y, 16 * i)));
    });
    for (const i of vectors) storeFirst(f, present(i), y, sums[i]!, 16 * i);
    return f;
  });
}

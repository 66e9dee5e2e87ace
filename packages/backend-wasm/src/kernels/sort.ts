// sort of the last axis: each row by its bytes, from the lowest to the highest, which is stable and takes four passes whatever
// the numbers are. Not in the backend's own kernels, to keep bundles small: the lowering compares each with each.

import { sizeOf } from "@nn/tensor";
import { elementAt, type Func, i32, type Local, type Value } from "../build.js";
import { phase, type WasmKernel } from "../code.js";
import { indices, loops, operandsOf, starts } from "../walk.js";

/** Below, comparing each with each is faster. */
const LEAST = 40;
/** A word for each value of a byte. */
const TABLE = 4 * 256;

/**
 * Sorting, and with it `topK` and `sample`, in n steps instead of n²: part of `recurrentKernels` of @nn/recurrent.
 *
 * @example
 * ```ts
 * setBackend(await wasm({ kernels: [sortKernel] }));
 * ```
 */
export const sortKernel: WasmKernel<{ readonly descending: boolean }> = {
  op: "sort",
  accepts: ({ ins: [x] }) => x!.shape.length > 0 && x!.shape.at(-1)! >= LEAST && sizeOf(x!.shape) > 0,
  emit(signature) {
    const [x] = signature.ins;
    const { shape, dtype } = x!;
    const n = shape.at(-1)!;
    const views = [x!, ...signature.outs];
    // With one axis there is one row.
    const outer = shape.length > 1 ? indices(shape.length - 1) : [];
    return {
      name: `sort ${sizeOf(shape) / n}×${n}`,
      scratch: 16 * n + 4 * TABLE,
      write: (m) => [
        phase(m, "sort", signature, 15 * sizeOf(shape), ({ f, ins, outs, scratch, from, to }) => {
          const operands = operandsOf(
            views,
            [...ins, ...outs],
            views.map((v) => v.strides),
          );
          const start = { at: starts(f, operands), coordinates: [] };
          loops(f, shape, operands, outer, [from, to], start, ({ at }) => {
            const [pairs, tables] = [f.let(scratch), f.let(i32.add(scratch, 16 * n))];
            const other = f.let(i32.add(scratch, 8 * n));
            f.zero(tables, 4 * TABLE);
            const [source, pair] = [f.let(at[0]!), f.let(pairs)];
            f.for(0, n, 1, (i) => {
              const key = f.let(keyOf(f, i32.load(source), dtype, signature.attrs.descending));
              f.store(pair, key);
              f.store(pair, i, 4);
              for (const byte of indices(4)) {
                const place = f.let(placeOf(tables, key, byte));
                f.store(place, i32.add(i32.load(place), 1));
              }
              f.step(source, 4 * x!.strides.at(-1)!);
              f.step(pair, 8);
            });
            for (const byte of indices(4)) {
              // How many there are of each byte becomes where they begin.
              const [entry, sum] = [f.let(i32.add(tables, byte * TABLE)), f.let(other)];
              f.repeat(256, () => {
                const count = f.let(i32.load(entry));
                f.store(entry, sum);
                f.step(sum, i32.mul(count, 8));
                f.step(entry, 4);
              });
              f.set(pair, pairs);
              f.repeat(n, () => {
                const key = f.let(i32.load(pair));
                const place = f.let(placeOf(tables, key, byte));
                const target = f.let(i32.load(place));
                f.store(target, key);
                f.store(target, i32.load(pair, 4), 4);
                f.store(place, i32.add(target, 8));
                f.step(pair, 8);
              });
              f.set(pair, pairs);
              f.set(pairs, other);
              f.set(other, pair);
            }
            const [value, index] = [f.let(at[1]!), f.let(at[2]!)];
            f.set(pair, pairs);
            f.repeat(n, () => {
              const i = f.let(i32.load(pair, 4));
              f.store(index, i);
              f.store(value, i32.load(elementAt(at[0]!, i, x!.strides.at(-1)!)));
              f.step(value, 4 * signature.outs[0]!.strides.at(-1)!);
              f.step(index, 4 * signature.outs[1]!.strides.at(-1)!);
              f.step(pair, 8);
            });
          });
          return outer.length > 0 ? shape[0]! : 1;
        }),
      ],
    };
  },
};

/** The entry of a key's byte in its table. */
const placeOf = (tables: Local, key: Local, byte: number): Value =>
  i32.add(i32.add(tables, byte * TABLE), i32.mul(i32.and(i32.shr_u(key, 8 * byte), 255), 4));

/** A word whose order, unsigned, is that of the numbers: NaN the greatest, −0 equal to 0. */
function keyOf(f: Func, word: Value, dtype: string, descending: boolean): Value {
  const w = f.let(word);
  if (dtype === "i32") f.set(w, i32.xor(w, -0x80000000));
  else if (dtype === "f32") {
    f.set(w, i32.select(0, w, i32.eq(w, -0x80000000)));
    const isNaN = f.let(i32.gt_s(i32.and(w, 0x7fffffff), 0x7f800000));
    // Of negative numbers all bits are turned, of others the sign.
    f.set(w, i32.xor(w, i32.or(i32.shr_s(w, 31), -0x80000000)));
    f.set(w, i32.select(-1, w, isNaN));
  }
  return descending ? i32.xor(w, -1) : w;
}

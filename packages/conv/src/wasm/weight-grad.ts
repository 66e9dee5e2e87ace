// The gradient of a convolution in its weight: for every output channel and every element that windows have, the sum
// over all positions of gradient · input. Four positions are a vector; a tile is a few output channels × elements.

import {
  blocks,
  type Func,
  f32x4,
  I32,
  i32,
  type Local,
  loadFirst,
  type Module,
  phase,
  row,
  storeElements,
  turned,
  v128,
  type WasmKernel,
} from "@nn/backend-wasm";
import { isContiguous, sizeOf, type View } from "@nn/tensor";
import type { ConvWeightGradAttrs } from "../conv/conv.js";
import { COST, fits } from "./conv.js";
import { alsoForOneAxis } from "./one-axis.js";
import { cut, indices, inTiles, type Planes, place, planesOf, writeCopy, writeTable } from "./planes.js";

/** Positions in a band, about: the gradients of a tile's channels stay in the first-level cache. */
const BAND = 800;
/** Sums that are added up at the end, at most; threads share them. Their number depends on the shapes alone. */
const SUMS = 8;
/** Elements in all sums together, at most. */
const MOST = 1 << 18;
/** Output channels in a part, where these are a divisor. */
const CHANNELS = 32;

export const convWeightGrad: WasmKernel<ConvWeightGradAttrs> = /* @__PURE__ */ alsoForOneAxis({
  op: "conv/convWeightGrad",
  // With few positions, or sums that are in no cache, those are loaded and stored more than added to.
  accepts: ({ ins: [x, ct], outs: [out], attrs }) =>
    (attrs.groups > 1 || sizeOf(ct!.shape.slice(2)) >= 100) &&
    sizeOf(out!.shape) <= MOST &&
    isContiguous(ct!) &&
    fits(attrs, x!, out!, ct!),
  emit(signature) {
    const { ins, outs, attrs } = signature;
    const [x, ct, out] = [...ins, ...outs] as [View, View, View];
    const { groups } = attrs;
    const [all, channels, ...kernel] = out.shape as [number, number, number, number];
    const [batch, , height, width] = ct.shape as [number, number, number, number];
    const rows = all / groups;
    const k = channels * sizeOf(kernel);
    const band = Math.min(height, Math.ceil(BAND / width));
    const before = attrs.padding.map(([b]) => b);
    const planes = planesOf(x, channels, kernel, attrs, before, band, Math.ceil(width / 4) * 4);
    const sums = Math.min(batch, SUMS, Math.floor(MOST / (all * k)));
    const block = rows % CHANNELS === 0 ? CHANNELS : rows;
    return {
      name: `conv weight gradient ${channels}→${rows} ${kernel.join("×")}`,
      shared: 16 * sums * all * k,
      scratch: planes.bytes,
      write: (m) => [
        phase(m, "conv weight gradient", signature, sizeOf(ct.shape) * k * COST, (p) => {
          const { f, scratch } = p;
          const copy = writeCopy(m, planes);
          const table = writeTable(f, scratch, planes);
          if (height === band) f.zero(scratch, 4 * planes.size);
          f.for(p.from, p.to, 1, (part) => {
            const [sum, inSum] = cut(f, part, all / block);
            const first = f.let(i32.mul(inSum, block));
            const to = place(f, p.shared, [sum, 4 * all * k], [first, 4 * k]);
            f.zero(to, 16 * block * k);
            const [from, end] = [sum, i32.add(sum, 1)].map((s) => f.let(i32.div_u(i32.mul(s, batch), sums)));
            f.for(from!, end!, 1, (n) => {
              const group = i32.div_u(first, rows);
              const xAt = place(f, p.ins[0]!, [x.offset, 1], [n, x.strides[0]!], [group, channels * x.strides[1]!]);
              const ctAt = place(f, p.ins[1]!, [ct.offset, 1], [n, all * height * width], [first, height * width]);
              f.for(0, height, band, (y0) => {
                if (height > band) f.zero(scratch, 4 * planes.size);
                f.call(copy, xAt, scratch, y0);
                const lines = f.let(i32.min_u(i32.sub(height, y0), band));
                const [c, sum] = [place(f, ctAt, [y0, width]), f.let(to)];
                inTiles(m, f, block, (tall) => {
                  const taps = f.let(table);
                  // A tile of few channels takes more elements, so that sums do not wait for themselves.
                  blocks(f, k, [tall > 3 ? 2 : 4, 1], (wide) => {
                    f.call(writeTile(m, planes, ct.shape, tall, wide, k), c, scratch, sum, taps, lines);
                    f.step(taps, 4 * wide);
                    f.step(sum, 16 * wide);
                  });
                  f.step(c, 4 * tall * height * width);
                  f.step(sum, 16 * (tall - 1) * k);
                });
              });
            });
          });
          return (sums * all) / block;
        }),
        phase(m, "conv weight gradient sum", signature, all * k * sums, ({ f, shared, outs: [to], from, to: end }) => {
          const start = [place(f, shared, [from, 4 * k]), place(f, to!, [out.offset, 1], [from, k])];
          row(f, f.let(i32.mul(i32.sub(end, from), k)), start, [4, 1], {}, (n, [at, y]) => {
            const load = (e: number, s: number) => v128.load(at!, 16 * (s * all * k + e));
            const four = indices(4).map((e) =>
              f.let(indices(e < n ? sums : 0).reduce((v, s) => f32x4.add(v, load(e, s)), f.int(0))),
            );
            storeElements(
              f,
              y!,
              1,
              n,
              turned(f, four).reduce((a, b) => f32x4.add(a, b)),
            );
          });
          return all;
        }),
      ],
    };
  },
});

/** Writes `tile(ct, x, to, table, rows)`: `to[channel][element] += ct[channel] · x[element]` over so many rows. */
function writeTile(m: Module, planes: Planes, shape: readonly number[], tall: number, wide: number, k: number): Func {
  const [height, width] = shape.slice(2) as [number, number];
  const f = m.function("gradient", new Array(5).fill(I32));
  const [ct, x, to, table, rows] = f.params as [Local, Local, Local, Local, Local];
  const xs = indices(wide).map((e) => f.let(i32.add(x, i32.load(table, 4 * e))));
  const at = (r: number, e: number) => 16 * (r * k + e);
  const sums = indices(tall).map((r) => xs.map((_, e) => f.let(v128.load(to, at(r, e)))));
  const add = (n: number) => {
    const values = xs.map((x) => f.let(v128.load(x)));
    sums.forEach((row, r) => {
      const c = f.let(loadFirst(n, ct, 4 * r * height * width));
      row.forEach((sum, e) => {
        f.set(sum, f.fma(c, values[e]!, sum));
      });
    });
    for (const q of [ct, ...xs]) f.step(q, 4 * n);
  };
  f.repeat(rows, () => {
    f.repeat(width >> 2, () => add(4));
    if (width % 4 > 0) add(width % 4);
    for (const x of xs) f.step(x, 4 * (planes.stride[0]! * planes.pitch - width));
  });
  sums.forEach((row, r) => {
    row.forEach((sum, e) => {
      f.store(to, sum, at(r, e));
    });
  });
  return f;
}

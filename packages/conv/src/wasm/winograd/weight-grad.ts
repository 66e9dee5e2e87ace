// The gradient of a 3 × 3 convolution in its weight, by the same 36 points: at each, for every output and every input
// channel, the sum over all tiles of gradient · input.

import {
  blocks,
  type Func,
  f32x4,
  I32,
  i32,
  type Local,
  type Module,
  phase,
  tilesOf,
  turned,
  v128,
  type WasmKernel,
} from "@nn/backend-wasm";
import type { View } from "@nn/tensor";
import type { ConvWeightGradAttrs } from "../../conv/conv.js";
import { indices, inTiles, place } from "../planes.js";
import { OUT, ofInputs, ofOutputs, POINTS, toWeights } from "./points.js";
import { groupsOf, linesOf, prepare, type Reading, readingSize, writeRead } from "./tiles.js";
import { ALL, costOfTiles, paysOff, SKEW } from "./winograd.js";

/** Sums that are added up at the end, at most; threads share them. Their number depends on the shapes alone. */
const SUMS = 8;
/** Elements in all sums together, at most. */
const MOST = 1 << 22;
/** Nanoseconds of a pair of channels, at the end. */
const COST = 40;

export const winogradWeightGrad: WasmKernel<ConvWeightGradAttrs> = {
  op: "conv/convWeightGrad",
  accepts: ({ ins: [x, ct], outs: [out], attrs }) =>
    ALL * out!.shape[0]! * out!.shape[1]! <= MOST && paysOff(attrs, x!, out!, ct!),
  emit(signature) {
    const [x, ct, out] = [...signature.ins, ...signature.outs] as [View, View, View];
    const [rows, channels] = out.shape as [number, number];
    const lines = linesOf(ct.shape);
    const before = signature.attrs.padding.map(([b]: readonly number[]) => b!);
    // A channel's tiles are a row, here.
    const pitch = lines.tiles + SKEW;
    const reading = (source: View, inputs: boolean): Reading => ({
      lines,
      source,
      before: inputs ? before : [0, 0],
      extent: inputs ? POINTS : OUT,
      transform: inputs ? ofInputs : ofOutputs,
      point: pitch * source.shape[1]! + SKEW,
      group: 8,
    });
    const [ofX, ofCt] = [reading(x, true), reading(ct, false)];
    const sums = Math.min(SUMS, lines.blocks, Math.floor(MOST / (ALL * rows * channels)));
    const [xAt, ctAt] = [readingSize(ofX), readingSize(ofX) + readingSize(ofCt)];
    const [xTiles, ctTiles] = [ctAt, ctAt + ALL * ofX.point];
    const pairs = Math.ceil(channels / 2);
    return {
      name: `conv weight gradient ${channels}→${rows} 3×3 winograd`,
      scratch: 4 * (ctTiles + ALL * ofCt.point),
      shared: 4 * sums * ALL * rows * 2 * (channels + 2),
      write: (m) => {
        const point = pointSize(m, rows, channels);
        const all = 4 * ALL * point;
        return [
          phase(m, "winograd gradient", signature, costOfTiles(lines, rows, channels), (p) => {
            const { f, scratch } = p;
            const [readX, readCt] = [ofX, ofCt].map((r) => writeRead(m, r)) as [Func, Func];
            const add = writeDots(m, rows, channels, pitch, { ct: ofCt.point, x: ofX.point });
            prepare(f, scratch, ofX);
            prepare(f, place(f, scratch, [xAt, 1]), ofCt);
            f.for(p.from, p.to, 1, (part) => {
              const to = place(f, p.shared, [part, ALL * point]);
              f.zero(to, all);
              const [from, end] = [part, i32.add(part, 1)].map((s) =>
                f.let(i32.div_u(i32.mul(s, lines.blocks), sums)),
              ) as [Local, Local];
              f.for(from, end, 1, (block) => {
                const line = f.let(i32.mul(block, lines.each));
                const count = f.let(i32.min_u(i32.sub(lines.all, line), lines.each));
                const read = (f1: Func, base: Local, view: View, n: number, at: number, tiles: number) => {
                  const [source, target] = [place(f, base, [view.offset, 1]), place(f, scratch, [tiles, 1])];
                  f.repeat(n, () => {
                    f.call(f1, source, target, place(f, scratch, [at, 1]), line, count);
                    f.step(source, 4 * view.strides[1]!);
                    f.step(target, 4 * pitch);
                  });
                };
                read(readX, p.ins[0]!, x, channels, 0, xTiles);
                read(readCt, p.ins[1]!, ct, rows, xAt, ctTiles);
                const [d, v] = [place(f, scratch, [ctTiles, 1]), place(f, scratch, [xTiles, 1])];
                f.call(add, d, v, to, i32.mul(groupsOf(lines, count), 2));
              });
            });
            return sums;
          }),
          phase(
            m,
            "winograd gradient sum",
            signature,
            0.3 * sums * ALL * rows * channels,
            ({ f, shared, from, to }) => {
              f.for(from, to, 1, (part) => {
                const at = place(f, shared, [part, point]);
                f.repeat(point / 4, () => {
                  const v = indices(sums).map((i) => v128.load(at, i * all));
                  f.store(
                    at,
                    v.reduce((a, b) => f32x4.add(a, b)),
                  );
                  f.step(at, 16);
                });
              });
              return ALL;
            },
          ),
          phase(m, "winograd gradient weights", signature, COST * rows * channels, (p) => {
            const { f } = p;
            f.for(p.from, p.to, 1, (pair) => {
              const panel = f.let(p.shared);
              const out0 = place(f, p.outs[0]!, [out.offset, 1], [pair, 18]);
              inTiles(m, f, rows, (tall) => {
                const from = place(f, panel, [pair, blockSize(tall, 2)]);
                const finish = (wide: number) => f.call(writeWeights(m, tall, wide, channels, point), from, out0);
                if (channels % 2 === 0) finish(2);
                else
                  f.if(
                    i32.lt_u(pair, pairs - 1),
                    () => finish(2),
                    () => finish(1),
                  );
                f.step(panel, 4 * lineSize(tall, channels));
                f.step(out0, 36 * tall * channels);
              });
            });
            return pairs;
          }),
        ];
      },
    };
  },
};

// ── sums at a point: blocks of a few output channels × two input channels ──────────────────────────

/** Floats of a block, of a line of them, and of all. */
const blockSize = (tall: number, wide: number): number => 4 * Math.ceil((tall * wide) / 4);
const lineSize = (tall: number, channels: number): number =>
  (channels >> 1) * blockSize(tall, 2) + (channels % 2) * blockSize(tall, 1);
const pointSize = (m: Module, rows: number, channels: number): number =>
  tilesOf(rows, m.features).reduce((n, tall) => n + lineSize(tall, channels), 0);

/** `dots(ct, x, sums, n)`: adds products over n vectors of tiles, at all points. */
function writeDots(
  m: Module,
  rows: number,
  channels: number,
  pitch: number,
  point: { readonly ct: number; readonly x: number },
): Func {
  const f = m.function("dots", new Array(4).fill(I32));
  const [ct, x, to, n] = f.params as [Local, Local, Local, Local];
  f.repeat(ALL, () => {
    const c = f.let(ct);
    inTiles(m, f, rows, (tall) => {
      const v = f.let(x);
      blocks(f, channels, [2, 1], (wide) => {
        f.call(writeBlock(m, tall, wide, pitch), c, v, to, n);
        f.step(v, 4 * wide * pitch);
        f.step(to, 4 * blockSize(tall, wide));
      });
      f.step(c, 4 * tall * pitch);
    });
    f.step(ct, 4 * point.ct);
    f.step(x, 4 * point.x);
  });
  return f;
}

function writeBlock(m: Module, tall: number, wide: number, pitch: number): Func {
  const f = m.function("block", new Array(4).fill(I32));
  const [ct, x, to, n] = f.params as [Local, Local, Local, Local];
  const sums = indices(tall).map(() => indices(wide).map(() => f.let(f.int(0))));
  f.repeat(n, () => {
    const values = indices(wide).map((e) => f.let(v128.load(x, 4 * e * pitch)));
    sums.forEach((row, r) => {
      const c = f.let(v128.load(ct, 4 * r * pitch));
      row.forEach((sum, e) => {
        f.set(sum, f.fma(c, values[e]!, sum));
      });
    });
    f.step(ct, 16);
    f.step(x, 16);
  });
  const flat = sums.flat();
  for (let i = 0; i < flat.length; i += 4) {
    const four = turned(
      f,
      indices(4).map((k) => flat[i + k] ?? f.int(0)),
    ).map((v) => f.let(v));
    f.store(
      to,
      [v128.load(to, 4 * i), ...four].reduce((a, b) => f32x4.add(a, b)),
      4 * i,
    );
  }
  return f;
}

/** `weights(sums, to)`: the kernels' gradients that a block has at the points. */
function writeWeights(m: Module, tall: number, wide: number, channels: number, point: number): Func {
  const f = m.function("weights", [I32, I32]);
  const [from, to] = f.params as [Local, Local];
  for (let i = 0; i < tall * wide; i += 4) {
    const at = (k: number) => v128.load(from, 4 * (k * point + i));
    const columns = indices(POINTS).map((x) =>
      toWeights(
        f,
        indices(POINTS).map((y) => f.let(at(POINTS * y + x))),
      ).map((v) => f.let(v)),
    );
    indices(3).forEach((y) => {
      toWeights(
        f,
        columns.map((c) => c[y]!),
      ).forEach((v, x) => {
        const value = f.let(v);
        for (let lane = 0; lane < 4 && i + lane < tall * wide; lane++) {
          const [r, e] = [Math.floor((i + lane) / wide), (i + lane) % wide];
          f.storeLane(lane, to, value, 4 * (9 * (r * channels + e) + 3 * y + x));
        }
      });
    });
  }
  return f;
}

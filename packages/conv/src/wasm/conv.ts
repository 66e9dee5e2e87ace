// Convolution over two axes, and its gradient in the input, as an implicit matrix product: no patches in memory, only
// padded planes, a band of rows at a time. A tile is a few output channels × vectors of pixels in registers.

import {
  costOf,
  elementwise,
  type Func,
  I32,
  i32,
  type Local,
  type Module,
  phase,
  type Value,
  v128,
  type WasmCode,
  type WasmKernel,
} from "@nn/backend-wasm";
import { type Expr, isContiguous, type Signature, sizeOf, type View } from "@nn/tensor";
import type { ConvAttrs, ConvInputGradAttrs } from "../conv/conv.js";
import { extent } from "../spatial.js";
import { finish } from "./finish.js";
import { alsoForOneAxis } from "./one-axis.js";
import { cut, indices, inTiles, place, planesOf, writeCopy, writeTable } from "./planes.js";

/** Floats of planes and outputs in a band, about: they stay in the second-level cache. */
const BAND = 96 * 1024;
/** Pixels of a strip, about, each of whose tiles is a call. */
const STRIP = 512;
/** Parts that are enough for any number of threads, and multiplications that are worth one. */
const PARTS = 16;
const PART = 1 << 17;
/** Nanoseconds of a multiplication and addition. */
export const COST = 0.045;

export const conv: WasmKernel<ConvAttrs> = /* @__PURE__ */ alsoForOneAxis({
  op: "conv/conv",
  fusesEpilogue: true,
  accepts: ({ ins, outs, attrs }) =>
    fits(attrs, ins[0]!, ins[1]!, outs[0]!) && (!hasBias(ins) || isContiguous(ins[2]!)),
  emit: (signature) => product(signature, false),
});

export const convInputGrad: WasmKernel<ConvInputGradAttrs> = /* @__PURE__ */ alsoForOneAxis({
  op: "conv/convInputGrad",
  fusesEpilogue: true,
  // Wider strides would mostly multiply zeros.
  accepts: ({ ins, outs, attrs }) => attrs.stride.every((s) => s === 1) && fits(attrs, ins[0]!, ins[1]!, outs[0]!),
  emit: (signature) => product(signature, true),
});

/** What follows x and weight may also be an extra input of the epilogue, but that has the output's shape. */
export const hasBias = (ins: readonly View[]) => ins[2]?.shape.length === 1;

/**
 * Whether this is faster than the lowering to a product of patches, and possible. With a kernel of one element that
 * copies nothing; for a few positions weights are better packed, and rows are no less than a vector.
 */
export function fits({ groups, padding, dilation }: ConvAttrs, x: View, weight: View, { shape }: View): boolean {
  const kernel = weight.shape.slice(2);
  return (
    padding.length === 2 &&
    sizeOf(x.shape) > 0 &&
    isContiguous(weight) &&
    shape[3]! >= 4 &&
    (groups > 1 || (sizeOf(kernel) > 1 && shape[0]! * sizeOf(shape.slice(2)) >= 128)) &&
    padding.every((p, i) => p.every((n) => n < extent(kernel[i]!, dilation[i]!)))
  );
}

// ── the product ────────────────────────────────────────────────────────────────────────────────────

/** A convolution; or, `turned`, the gradient in its input, which is one with the kernel turned round. */
function product(signature: Signature<ConvAttrs>, turned: boolean): WasmCode {
  const { ins, outs, attrs, epilogue } = signature;
  const [x, weight, bias, out] = [ins[0]!, ins[1]!, hasBias(ins) ? ins[2]! : null, outs[0]!];
  const { groups, padding, dilation } = attrs;
  const kernel = weight.shape.slice(2);
  const [batch, all, height, width] = out.shape as [number, number, number, number];
  const [rows, channels, images] = [all / groups, x.shape[1]! / groups, batch * groups];
  const taps = sizeOf(kernel);
  const k = channels * taps;

  // Few output channels: more vectors make up for them.
  const vectors = rows > 2 ? 2 : 8 / rows;
  // Rows of pixels that fill whole tiles.
  let step = 1;
  while (step < height && step * width < STRIP && (step * width) % (4 * vectors) > 0) step++;
  const parts = Math.min(PARTS, Math.ceil((sizeOf(out.shape) * k) / PART));
  const most = height * images * Math.min(1 / parts, BAND / (sizeOf(x.shape) + sizeOf(out.shape)));
  const band = Math.min(height, step * Math.ceil(most / step));
  const bands = Math.ceil(height / band);
  const before = kernel.map((n, i) => (turned ? extent(n, dilation[i]!) - 1 - padding[i]![0] : padding[i]![0]));
  const planes = planesOf(x, channels, kernel, attrs, before, band, width);
  const down = planes.stride[0]! * planes.pitch;
  // A formula of nothing but the result is done in registers.
  const alone = epilogue?.extra === 0 ? epilogue.expr : null;
  const shape: Shape = { biased: bias !== null, alone, k, plane: height * width, next: down - width };
  return {
    name: `conv ${channels}→${rows} ${kernel.join("×")}`,
    scratch: planes.bytes,
    shared: turned ? 4 * all * k : 0,
    write: (m) => [
      ...(turned
        ? [
            phase(m, "conv turn", signature, all * k, (p) => {
              p.f.for(p.from, p.to, 1, (row) => {
                const [group, inGroup] = cut(p.f, row, rows);
                const from = place(p.f, p.ins[1]!, [weight.offset, 1], [group, rows * k], [inGroup, taps]);
                const to = place(p.f, p.shared, [row, k]);
                p.f.repeat(channels, () => {
                  for (const i of indices(taps)) p.f.store(to, i32.load(from, 4 * (taps - 1 - i)), 4 * i);
                  p.f.step(from, 4 * rows * taps);
                  p.f.step(to, 4 * taps);
                });
              });
              return all;
            }),
          ]
        : []),
      phase(m, "conv", signature, sizeOf(out.shape) * (k * COST + (epilogue ? costOf(epilogue.expr) : 0)), (p) => {
        const { f, scratch } = p;
        const copy = writeCopy(m, planes);
        const table = writeTable(f, scratch, planes);
        const clear = () => f.zero(scratch, 4 * planes.size);
        if (bands === 1) clear();
        f.for(p.from, p.to, 1, (part) => {
          const [image, inBand] = cut(f, part, bands);
          const [sample, group] = cut(f, image, groups);
          const y0 = f.let(i32.mul(inBand, band));
          const count = f.let(i32.min_u(i32.sub(height, y0), band));
          if (bands > 1) clear();
          const from = place(f, p.ins[0]!, [x.offset, 1], [sample, x.strides[0]!], [group, channels * x.strides[1]!]);
          f.call(copy, from, scratch, y0);
          const to = place(f, p.outs[0]!, [out.offset, 1], [image, rows * height * width], [y0, width]);
          const a = place(f, turned ? p.shared : place(f, p.ins[1]!, [weight.offset, 1]), [group, rows * k]);
          const biasAt = bias ? place(f, p.ins[2]!, [bias.offset, 1], [group, rows]) : f.let(0);
          inTiles(m, f, rows, (tall) => {
            const [b, c] = [f.let(scratch), f.let(to)];
            const tiles = new Map<string, Func>();
            // Rows lie one behind the other in the output: pixels are counted through them, and no tile is half empty.
            const strip = (lines: number) => {
              const pixels = lines * width;
              for (let q = 0; q < pixels; q += 4 * vectors) {
                const left = Math.min(vectors, Math.ceil((pixels - q) / 4));
                const list = indices(left).map((i) => vectorAt(Math.min(q + 4 * i, pixels - 4), width, down));
                const { from, to } = list[0]!;
                const near = list.map((v) => ({ ...v, from: v.from - from, to: v.to - to }));
                const key = JSON.stringify(near);
                const tile = tiles.get(key) ?? writeTile(m, tall, near, shape);
                tiles.set(key, tile);
                f.call(tile, a, i32.add(b, 4 * from), i32.add(c, 4 * to), table, biasAt);
              }
            };
            f.times(f.let(i32.div_u(count, step)), () => {
              strip(step);
              f.step(b, 4 * step * down);
              f.step(c, 4 * step * width);
            });
            if (height % step > 0) f.if(i32.rem_u(count, step), () => strip(height % step));
            f.step(to, 4 * tall * height * width);
            f.step(a, 4 * tall * k);
            f.step(biasAt, 4 * tall);
          });
          if (!alone) finish(p, signature, rows, [sample, f.let(i32.mul(group, rows)), y0], count);
        });
        return images * bands;
      }),
    ],
  };
}

/** What all tiles have in common; in floats. */
interface Shape {
  readonly biased: boolean;
  readonly alone: Expr | null;
  /** Steps of k: weights of an output channel. */
  readonly k: number;
  /** From output channel to output channel. */
  readonly plane: number;
  /** From the window behind the last one of a row to the first one of the next. */
  readonly next: number;
}

/** Four pixels that lie side by side in the output: places in floats, there and in the planes. */
interface Vector {
  readonly from: number;
  readonly to: number;
  /** How many of them are in the first row. */
  readonly first: number;
}

function vectorAt(q: number, width: number, down: number): Vector {
  const x = q % width;
  return { from: Math.floor(q / width) * down + x, to: q, first: Math.min(4, width - x) };
}

/** Writes `tile(a, b, c, table, bias)`: `c = bias + Σₖ a[k] · b[table[k]]`. */
function writeTile(m: Module, tall: number, vectors: readonly Vector[], shape: Shape): Func {
  const f = m.function("tile", new Array(5).fill(I32));
  const [a, b, c, table, bias] = f.params as [Local, Local, Local, Local, Local];
  const sums = indices(tall).map((r) => {
    const start = shape.biased ? f.let(v128.load32_splat(bias, 4 * r)) : f.int(0);
    return vectors.map(() => f.let(start));
  });
  f.repeat(shape.k, () => {
    const q = f.let(i32.add(b, i32.load(table)));
    const pixels = vectors.map((v) => (tall === 1 ? load(q, v, shape) : f.let(load(q, v, shape))));
    sums.forEach((row, r) => {
      const w = f.let(v128.load32_splat(a, 4 * r * shape.k));
      row.forEach((sum, i) => {
        f.set(sum, f.fma(w, pixels[i]!, sum));
      });
    });
    f.step(a, 4);
    f.step(table, 4);
  });
  const formula = shape.alone && elementwise(f, shape.alone);
  sums.forEach((row, r) => {
    row.forEach((sum, i) => {
      f.store(c, formula?.(() => sum) ?? sum, 4 * (r * shape.plane + vectors[i]!.to));
    });
  });
  return f;
}

function load(at: Local, { from, first }: Vector, { next }: Shape): Value {
  const v = v128.load(at, 4 * from);
  if (first === 4) return v;
  const lanes = indices(4).map((i) => (i < first ? i : 4 + i));
  return v128.shuffle32(v, v128.load(at, 4 * (from + next)), lanes);
}

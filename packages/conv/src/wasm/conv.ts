// Convolution over two axes (or one), and its gradient in the input, as an implicit matrix product: no patches in
// memory, only padded planes, a band of rows at a time.

import {
  costOf,
  type Features,
  type Func,
  I32,
  i32,
  type Local,
  type Module,
  type Phase,
  phaseFunction,
  tilesOf,
  type WasmCode,
  type WasmKernel,
  writePack,
} from "@nn/backend-wasm";
import { isContiguous, type Signature, sizeOf, type View } from "@nn/tensor";
import type { ConvInputGradAttrs } from "../conv/conv.js";
import type { ConvAttrs } from "../conv/patches.js";
import { extent } from "../spatial.js";
import { finish, shortFormula } from "./finish.js";
import {
  as2d,
  bandOf,
  clear,
  cut,
  type Pair,
  type Planes,
  place,
  planesOf,
  type Windows2d,
  windowsOf,
  writeCopy,
  writeTable,
} from "./planes.js";
import { type Pixels, type Runs, runsOf, writeColumn } from "./tile.js";

/** Steps of k done at a time, about: panels of weights and what they meet stay in the first-level cache. */
const K_BLOCK = 384;
/** Output channels done at a time: their weights stay in the second-level cache. */
const ROW_BLOCK = 96;
/** Nanoseconds of a multiplication and addition. */
export const COST = 0.045;
/** Parts that are enough for any number of threads. */
const PARTS = 16;

export const conv: WasmKernel<ConvAttrs> = {
  op: "conv/conv",
  fusesEpilogue: true,
  accepts: ({ ins, outs, attrs }) =>
    pays(attrs, ins[1]!, outs[0]!) &&
    fits(attrs, ins[0]!, ins[1]!, ins[1]!, outs[0]!, ...(hasBias(ins) ? [ins[2]!] : [])),
  emit(signature) {
    const { ins, outs, attrs } = signature;
    const [x, weight] = [as2d(ins[0]!), as2d(ins[1]!)];
    const { groups } = attrs;
    const [rows, channels, ...kernel] = [weight.shape[0]! / groups, ...weight.shape.slice(1)] as [
      number,
      number,
      number,
      number,
    ];
    const windows: Windows2d = {
      ...windowsOf(attrs, kernel),
      source: x,
      channels,
      out: as2d(outs[0]!).shape.slice(2) as unknown as Pair,
    };
    const taps = sizeOf(kernel);
    const product = { windows, groups, rows, rowStride: channels * taps, channelStride: taps, flipped: false };
    return implicit(signature, product, hasBias(ins));
  },
};

export const convInputGrad: WasmKernel<ConvInputGradAttrs> = {
  op: "conv/convInputGrad",
  fusesEpilogue: true,
  // Wider strides would mostly multiply zeros.
  accepts: ({ ins: [ct, weight], outs, attrs }) =>
    attrs.stride.every((s) => s === 1) &&
    pays(attrs, weight!, outs[0]!) &&
    fits(attrs, ct!, weight!, weight!, outs[0]!),
  emit(signature) {
    const { ins, outs, attrs } = signature;
    const [ct, weight] = [as2d(ins[0]!), as2d(ins[1]!)];
    const { groups } = attrs;
    const [channels, rows, ...kernel] = [weight.shape[0]! / groups, ...weight.shape.slice(1)] as [
      number,
      number,
      number,
      number,
    ];
    const { dilation, before } = windowsOf(attrs, kernel);
    // A convolution of ct, with the turned weight.
    const windows: Windows2d = {
      kernel,
      stride: [1, 1],
      dilation,
      before: kernel.map((k, i) => extent(k, dilation[i]!) - 1 - before[i]!) as unknown as Pair,
      source: ct,
      channels,
      out: as2d(outs[0]!).shape.slice(2) as unknown as Pair,
    };
    const taps = sizeOf(kernel);
    return implicit(
      signature,
      { windows, groups, rows, rowStride: taps, channelStride: rows * taps, flipped: true },
      false,
    );
  },
};

/** What follows x and weight may also be an extra input of the epilogue, but that has the output's shape. */
const hasBias = (ins: readonly View[]) => ins[2]?.shape.length === 1;

/**
 * Whether this is faster than the lowering to a product of patches. With a kernel of one element that copies nothing;
 * for a few positions weights are not worth packing, and in rows of less than a vector there is nothing to gain.
 */
function pays({ groups }: ConvAttrs, weight: View, { shape }: View): boolean {
  if (groups > 1) return true;
  const positions = shape[0]! * sizeOf(shape.slice(2));
  return sizeOf(weight.shape.slice(2)) > 1 && positions >= 128 && shape.at(-1)! >= 4;
}

/** What is common to what the kernels of this pack accept. */
export function fits(
  { padding, dilation }: ConvAttrs,
  x: View,
  weight: { shape: readonly number[] },
  ...plain: View[]
): boolean {
  const axes = padding.length;
  return (
    axes <= 2 &&
    [x, ...plain].every((v) => v.dtype === "f32" && sizeOf(v.shape) > 0) &&
    plain.every(isContiguous) &&
    padding.every((p, i) => p.every((n) => n < extent(weight.shape[2 + i]!, dilation[i]!)))
  );
}

// ── the product ────────────────────────────────────────────────────────────────────────────────────

interface Product {
  readonly windows: Windows2d;
  readonly groups: number;
  /** Output channels of a group. */
  readonly rows: number;
  /** Floats between weights of neighbouring output channels, and input channels; those of a kernel lie side by side. */
  readonly rowStride: number;
  readonly channelStride: number;
  /** Whether the kernel is turned round. */
  readonly flipped: boolean;
}

function implicit(signature: Signature<any>, product: Product, biased: boolean): WasmCode {
  const { windows, groups, rows } = product;
  const { channels, kernel, out, source } = windows;
  const batch = source.shape[0]!;
  const [height, width] = out;
  const k = channels * sizeOf(kernel);
  const { step } = tilingOf(rows, out);
  // Room behind the last window of a row: vectors are read whole.
  const wide = Math.ceil(width / 4) * 4;
  const rowBytes = 4 * (channels * (wide + kernel[1]) * windows.stride[0] * windows.stride[1] + rows * width);
  const planes = planesOf(windows, bandOf(rowBytes, height, step, PARTS / (batch * groups)), wide);
  const extras = signature.epilogue?.expr;
  const outputs = batch * groups * rows * height * width;
  const kBlock = Math.max(1, Math.floor(K_BLOCK / planes.taps.length)) * planes.taps.length;
  const g: Direct = {
    ...product,
    signature,
    planes,
    biased,
    k,
    kBlock,
    formula: k <= kBlock ? shortFormula(signature) : null,
    bands: Math.ceil(height / planes.band),
  };
  return {
    name: `conv ${channels}→${rows} ${kernel.join("×")}`,
    shared: 4 * (groups * rows * k + k),
    scratch: 4 * planes.size,
    write: (m) => {
      const blocks = blocksOf(rows, m.features);
      const cost = outputs * (k * COST + (extras ? costOf(extras) : 0));
      return [packWeights(m, g, blocks), multiply(m, g, blocks, batch, cost)];
    },
  };
}

interface Direct extends Product {
  readonly signature: Signature<any>;
  readonly planes: Planes;
  readonly biased: boolean;
  readonly k: number;
  readonly kBlock: number;
  readonly bands: number;
  /** What tiles do at their end, if that is all that is left to do. */
  readonly formula: ReturnType<typeof shortFormula>;
}

interface Block {
  readonly count: number;
  readonly runs: Runs;
}

function blocksOf(rows: number, features: Features): Block[] {
  const size = rows <= 128 ? rows : ROW_BLOCK;
  return Array.from({ length: Math.ceil(rows / size) }, (_, i) => {
    const count = Math.min(size, rows - i * size);
    return { count, runs: runsOf(tilesOf(count, features)) };
  });
}

/** Weights as `[group][block of k][tile][k][height]`, and the table of distances behind them. */
function packWeights(m: Module, g: Direct, blocks: readonly Block[]): Phase {
  const { signature, groups, rows, k, kBlock, rowStride, channelStride, planes } = g;
  const taps = planes.taps.length;
  const p = phaseFunction(m, "conv weights", signature);
  const together = channelStride === taps;
  const heights = new Set(blocks.flatMap(({ runs }) => runs.map(([h]) => h)));
  const pack = new Map(
    [...heights].map((h) => [h, writePack(m, { width: h, present: h, kStride: 1, stride: rowStride })]),
  );
  const { f } = p;
  const kBlocks = Math.ceil(k / kBlock);
  f.for(p.from, p.to, 1, (part) => {
    const [group, block] = cut(f, part, kBlocks);
    const k0 = f.let(i32.mul(block, kBlock));
    const kc = f.let(i32.min_u(i32.sub(k, k0), kBlock));
    const { offset } = signature.ins[1]!;
    const from = place(f, p.ins[1]!, [offset, 1], [group, rows * k], [i32.div_u(k0, taps), channelStride]);
    const to = place(f, p.shared, [group, rows * k], [k0, rows]);
    for (const { runs } of blocks)
      for (const [height, count] of runs)
        f.repeat(count, () => {
          if (together) f.call(pack.get(height)!, from, to, kc);
          else {
            const [a, b] = [f.let(from), f.let(to)];
            f.for(0, kc, taps, () => {
              f.call(pack.get(height)!, a, b, taps);
              f.step(a, 4 * channelStride);
              f.step(b, 4 * taps * height);
            });
          }
          f.step(from, 4 * height * rowStride);
          f.set(to, i32.add(to, i32.mul(kc, 4 * height)));
        });
    f.if(i32.eqz(part), () => writeTable(f, place(f, p.shared, [groups, rows * k]), planes, g.flipped));
  });
  return { run: f, parts: groups * kBlocks, cost: groups * rows * k * 0.5 };
}

function multiply(m: Module, g: Direct, blocks: readonly Block[], batch: number, cost: number): Phase {
  const { signature, planes, groups, rows, k, kBlock, bands, biased } = g;
  const { source, channels, band } = planes;
  const [height, width] = planes.out;
  const copy = writeCopy(m, planes);
  const sweeps = new Map(blocks.map(({ count, runs }) => [count, writeSweep(m, g, runs)]));
  const p = phaseFunction(m, "conv", signature);
  const { f } = p;
  const bias = biased ? place(f, p.ins[2]!, [signature.ins[2]!.offset, 1]) : i32.const(0);
  const table = place(f, p.shared, [groups, rows * k]);
  const plane = height * width;
  if (bands === 1) clear(f, p.scratch, planes.size);
  f.for(p.from, p.to, 1, (part) => {
    const [image, inBand] = cut(f, part, bands);
    const [sample, group] = cut(f, image, groups);
    const y0 = f.let(i32.mul(inBand, band));
    const count = bands === 1 ? i32.const(height) : f.let(i32.min_u(i32.sub(height, y0), band));
    if (bands > 1) clear(f, p.scratch, planes.size);
    const { offset, strides } = source;
    const from = place(f, p.ins[0]!, [offset, 1], [sample, strides[0]!], [group, channels * strides[1]!]);
    f.call(copy, from, p.scratch, y0);
    const c = place(f, p.outs[0]!, [signature.outs[0]!.offset, 1], [image, rows * plane], [y0, width]);
    f.for(0, k, kBlock, (k0) => {
      const kc = f.let(i32.min_u(i32.sub(k, k0), kBlock));
      const a = place(f, p.shared, [group, rows * k], [k0, rows]);
      const [to, taps, biasAt] = [f.let(c), place(f, table, [k0, 1]), place(f, bias, [group, rows])];
      for (const block of blocks) {
        f.call(sweeps.get(block.count)!, a, p.scratch, to, kc, taps, k0, biasAt, count);
        f.set(a, i32.add(a, i32.mul(kc, 4 * block.count)));
        f.step(to, 4 * block.count * plane);
        f.step(biasAt, 4 * block.count);
      }
    });
    if (!g.formula)
      finish(p, signature, { sample, channel: f.let(i32.mul(group, rows)), channels: rows, y: y0, rows: count });
  });
  return { run: f, parts: batch * groups * bands, cost };
}

/** Rows of pixels that a tile of 8 columns has (few output channels: more rows make up for them), and a strip. */
function tilingOf(rows: number, [height, width]: Pair): { tall: number; step: number } {
  const tall = Math.min(height, rows === 1 ? 4 : rows === 2 ? 2 : 1);
  // As many as fill whole tiles with what is left beside the columns of 8.
  return { tall, step: Math.min(height, tall * [1, 2, 4, 2, 2, 1, 4, 1][width % 8]!) };
}

/** Writes `sweep(a, b, c, k, table, before, bias, rows)`: a block of output channels, for so many rows of pixels. */
function writeSweep(m: Module, { rows: channels, planes, k, kBlock, biased, formula }: Direct, runs: Runs): Func {
  const [height, width] = planes.out;
  const { tall, step } = tilingOf(channels, planes.out);
  const down = planes.stride[0] * planes.pitch;
  const columns = new Map<string, Func>();
  const column = (pixels: readonly Pixels[]): Func => {
    const key = JSON.stringify(pixels);
    const made =
      columns.get(key) ??
      writeColumn(m, runs, { pixels, ldc: height * width, continues: k > kBlock, bias: biased, formula });
    columns.set(key, made);
    return made;
  };
  const f = m.function("sweep", new Array(8).fill(I32));
  const [a, b, c, kc, table, before, bias, count] = f.params.map((_, i) => f.param(i)) as Local[];
  const tile = (pixels: readonly Pixels[], at: Local, to: Local) =>
    f.call(column(pixels), a!, at, to, kc!, table!, before!, bias!);
  const pixel = (y: number, x: number, n: number): Pixels => ({ from: y * down + x, to: y * width + x, count: n });
  const strip = (rows: number) => {
    const wide = width >> 3;
    const starts = Array.from({ length: Math.ceil(rows / tall) }, (_, i) => i * tall);
    for (const y of wide > 0 ? starts : []) {
      const [at, to] = [place(f, b!, [y, down]), place(f, c!, [y, width])];
      const pixels = [...Array(Math.min(tall, rows - y)).keys()].flatMap((i) => [pixel(i, 0, 4), pixel(i, 4, 4)]);
      f.repeat(wide, () => {
        tile(pixels, at, to);
        f.step(at, 32);
        f.step(to, 32);
      });
    }
    // What is left of all rows, and two twos together: as many vectors to a tile as above.
    const left: Pixels[] = [];
    for (let x = 8 * wide; x < width; x += 4)
      for (let y = 0; y < rows; y++) {
        const n = Math.min(4, width - x);
        const p = pixel(y, x, n);
        if (n === 2 && y + 1 < rows) left.push({ ...p, upper: pixel(++y, x, 2) });
        else left.push(p);
      }
    for (let i = 0; i < left.length; i += 2 * tall) tile(left.slice(i, i + 2 * tall), b!, c!);
  };
  const full = f.let(i32.div_u(count!, step));
  f.if(full, () =>
    f.repeat(full, () => {
      strip(step);
      f.step(b!, 4 * step * down);
      f.step(c!, 4 * step * width);
    }),
  );
  const rest = height % step;
  if (rest > 0) f.if(i32.rem_u(count!, step), () => strip(rest));
  return f;
}

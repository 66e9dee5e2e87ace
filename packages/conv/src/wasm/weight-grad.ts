// The gradient of a convolution in its weight: for every output channel and every element that windows have, the sum
// over all positions of gradient · input. Four positions are a vector; a tile is a few output channels × elements.

import {
  type Func,
  f32x4,
  I32,
  i32,
  type Local,
  type Module,
  type Phase,
  phaseFunction,
  row,
  storeElements,
  tilesOf,
  type Value,
  v128,
  type WasmKernel,
} from "@nn/backend-wasm";
import { isContiguous, type Signature, sizeOf, type View } from "@nn/tensor";
import type { ConvWeightGradAttrs } from "../conv/conv.js";
import { COST, fits } from "./conv.js";
import {
  as2d,
  clear,
  cut,
  type Planes,
  place,
  planesOf,
  windowsOf,
  writeCopy,
  writeTable,
  zeroVector,
} from "./planes.js";
import { folded, runsOf } from "./tile.js";

/** Positions in a band, about: the gradients of a tile's channels stay in the first-level cache. */
const BAND = 800;
/** Sums that are added up at the end, at most; threads share them. Their number depends on the shapes alone. */
const SUMS = 8;
/** Floats in all sums together, at most. */
const SUMS_SIZE = 1 << 20;
/** Output channels in a part, where samples do not make parts enough and these are a divisor. */
const CHANNELS = [24, 32, 16];

export const convWeightGrad: WasmKernel<ConvWeightGradAttrs> = {
  op: "conv/convWeightGrad",
  // With few positions, sums are folded more than added to.
  accepts: ({ ins: [x, ct], outs, attrs }) =>
    (attrs.groups > 1 || sizeOf(ct!.shape.slice(2)) >= 100) && fits(attrs, x!, outs[0]!, outs[0]!),
  emit(signature) {
    const [x, ct, out] = [...signature.ins, ...signature.outs].map(as2d) as [View, View, View];
    const { groups } = signature.attrs;
    const [all, channels, ...kernel] = out.shape as [number, number, number, number];
    const [height, width] = ct.shape.slice(2) as [number, number];
    const rows = all / groups;
    const k = channels * sizeOf(kernel);
    const wide = Math.ceil(width / 4) * 4;
    const band = Math.min(height, Math.max(1, Math.floor(BAND / wide)));
    const planes = planesOf(
      { ...windowsOf(signature.attrs, kernel), source: x, channels, out: [height, width] },
      band,
      wide,
    );
    const plain = windowsOf(
      {
        stride: [1, 1],
        padding: [
          [0, 0],
          [0, 0],
        ],
        dilation: [1, 1],
      },
      [1, 1],
    );
    const gradients = planesOf({ ...plain, source: ct, channels: rows, out: [height, width] }, band, wide);
    const batch = x.shape[0]!;
    const sums = Math.max(1, Math.min(batch, SUMS, Math.floor(SUMS_SIZE / (all * k))));
    const g: Gradient = {
      signature,
      planes,
      gradients,
      groups,
      rows,
      k,
      batch,
      sums,
      bands: Math.ceil(height / band),
      blockRows: sums * groups >= SUMS ? rows : (CHANNELS.find((n) => rows % n === 0) ?? rows),
      copied: width % 4 !== 0 || !isContiguous(ct),
    };
    return {
      name: `conv weight gradient ${channels}→${rows} ${kernel.join("×")}`,
      shared: 4 * (k + (sums > 1 ? sums * all * k : 0)),
      scratch: 4 * (planes.size + (g.copied ? gradients.size : 0)),
      write: (m) => [table(m, g), multiply(m, g), ...(sums > 1 ? [add(m, g)] : [])],
    };
  },
};

interface Gradient {
  readonly signature: Signature<ConvWeightGradAttrs>;
  /** Of x and of ct. */
  readonly planes: Planes;
  readonly gradients: Planes;
  readonly groups: number;
  /** Output channels of a group, and of a part. */
  readonly rows: number;
  readonly blockRows: number;
  /** Elements of the weight for an output channel. */
  readonly k: number;
  readonly batch: number;
  readonly sums: number;
  readonly bands: number;
  /** Whether rows of ct are copied, so that vectors end with them. */
  readonly copied: boolean;
}

function table(m: Module, g: Gradient): Phase {
  const p = phaseFunction(m, "conv table", g.signature);
  writeTable(p.f, p.shared, g.planes, false);
  return { run: p.f, parts: 1, cost: g.k };
}

function multiply(m: Module, g: Gradient): Phase {
  const { signature, planes, gradients, groups, rows, blockRows, k, batch, sums, bands, copied } = g;
  const [height] = planes.out;
  const { band } = planes;
  const x = planes.source;
  const ct = gradients.source;
  const copy = writeCopy(m, planes);
  const blocks = rows / blockRows;
  const copyGradients = copied ? writeCopy(m, { ...gradients, channels: blockRows }) : null;
  const sweep = writeSweep(m, g, blockRows);
  const p = phaseFunction(m, "conv weight gradient", signature);
  const { f } = p;
  const gradientsAt = f.let(i32.add(p.scratch, 4 * planes.size));
  if (bands === 1) clear(f, p.scratch, planes.size);
  if (copied) clear(f, gradientsAt, gradients.size);
  f.for(p.from, p.to, 1, (part) => {
    const [rest, block] = cut(f, part, blocks);
    const [sum, group] = cut(f, rest, groups);
    const first = f.let(i32.add(i32.mul(group, rows), i32.mul(block, blockRows)));
    const whole = groups * rows * k;
    const to =
      sums > 1
        ? place(f, p.shared, [k, 1], [sum, whole], [first, k])
        : place(f, p.outs[0]!, [signature.outs[0]!.offset, 1], [first, k]);
    f.zero(to, 4 * blockRows * k);
    const from = (s: Value) => i32.div_u(i32.mul(s, batch), sums);
    f.for(from(sum), from(i32.add(sum, 1)), 1, (n) => {
      const xAt = place(f, p.ins[0]!, [x.offset, 1], [n, x.strides[0]!], [group, planes.channels * x.strides[1]!]);
      const ctAt = place(f, p.ins[1]!, [ct.offset, 1], [n, ct.strides[0]!], [first, ct.strides[1]!]);
      f.for(0, height, band, (y0) => {
        if (bands > 1) clear(f, p.scratch, planes.size);
        f.call(copy, xAt, p.scratch, y0);
        if (copyGradients) f.call(copyGradients, ctAt, gradientsAt, y0);
        const count = bands === 1 ? i32.const(height) : f.let(i32.min_u(i32.sub(height, y0), band));
        f.call(sweep, copied ? gradientsAt : place(f, ctAt, [y0, ct.strides[2]!]), p.scratch, to, p.shared, count);
      });
    });
  });
  return { run: f, parts: sums * groups * blocks, cost: sizeOf(ct.shape) * k * COST };
}

/** Writes `sweep(ct, x, to, table, rows)`: adds what a band of a sample gives to the gradients of `count` channels. */
function writeSweep(m: Module, g: Gradient, count: number): Func {
  const { gradients, k, copied } = g;
  const channelStride = copied ? gradients.plane : gradients.source.strides[1]!;
  const runs = runsOf(tilesOf(count, m.features));
  // A tile of few channels takes more elements, so that sums do not wait for themselves.
  const widthOf = (height: number) => Math.min(k, height > 3 ? 2 : 4);
  const tiles = runs.map(([height]) => {
    const width = widthOf(height);
    return {
      width,
      full: writeTile(m, g, height, width, channelStride),
      rest: k % width === 0 ? null : writeTile(m, g, height, k % width, channelStride),
    };
  });
  const f = m.function("sweep", new Array(5).fill(I32));
  const [ct, x, to, table, rows] = f.params.map((_, i) => f.param(i)) as Local[];
  runs.forEach(([height, n], i) => {
    const { width, full, rest } = tiles[i]!;
    f.repeat(n, () => {
      const [at, taps] = [f.let(to!), f.let(table!)];
      const tile = (tile: Func, elements: number) => {
        const places = Array.from({ length: elements }, (_, e) => i32.add(x!, i32.load(taps, 4 * e)));
        f.call(tile, ct!, at, rows!, ...places);
        f.step(at, 4 * elements);
        f.step(taps, 4 * elements);
      };
      f.repeat(Math.floor(k / width), () => tile(full, width));
      if (rest) tile(rest, k % width);
      f.step(ct!, 4 * height * channelStride);
      f.step(to!, 4 * height * k);
    });
  });
  return f;
}

/** Writes `tile(ct, to, rows, x…)`: `to[channel][element] += Σ ct[channel] · x[element]` over so many rows. */
function writeTile(
  m: Module,
  { planes, gradients, k, copied }: Gradient,
  height: number,
  width: number,
  channelStride: number,
): Func {
  const f = m.function(`gradient${height}x${width}`, new Array(3 + width).fill(I32));
  const [ct, to, rows, ...xs] = f.params.map((_, i) => f.param(i)) as [Local, Local, Local, ...Local[]];
  const sums = Array.from({ length: height }, () => xs.map(() => f.let(zeroVector)));
  const vectors = Math.ceil(planes.out[1] / 4);
  f.repeat(rows, () => {
    f.repeat(vectors, () => {
      const values = xs.map((x) => f.let(v128.load(x)));
      sums.forEach((row, r) => {
        const c = f.let(v128.load(ct, 4 * r * channelStride));
        row.forEach((sum, i) => {
          f.set(sum, f.fma(c, values[i]!, sum));
        });
      });
      for (const q of [ct, ...xs]) f.step(q, 16);
    });
    f.step(ct, 4 * (copied ? gradients.pitch : gradients.source.strides[2]!) - 16 * vectors);
    for (const x of xs) f.step(x, 4 * planes.stride[0] * planes.pitch - 16 * vectors);
  });
  const flat = sums.flatMap((row, r) => row.map((sum, i) => ({ sum, at: 4 * (r * k + i) })));
  for (let i = 0; i < flat.length; i += 4) {
    const four = flat.slice(i, i + 4);
    const v = folded(f, four.map(({ sum }) => sum).concat(new Array(4 - four.length).fill(four[0]!.sum)));
    const [first, , third] = four.map(({ at }) => at) as [number, number, number];
    if (four.length === 4 && width === 4) f.store(to, f32x4.add(v, v128.load(to, first)), first);
    else if (four.length === 4 && width === 2) {
      const above = f.let(v128.load64_zero(to, third));
      const before = v128.shuffle32(v128.load64_zero(to, first), above, [0, 1, 4, 5]);
      f.set(v, f32x4.add(v, before));
      f.storeHalf(0, to, v, first);
      f.storeHalf(1, to, v, third);
    } else
      four.forEach(({ at }, lane) => {
        const before = f.let(v128.load32_splat(to, at));
        f.storeLane(lane, to, f.let(f32x4.add(v, before)), at);
      });
  }
  return f;
}

/** Adds up the sums, in order. */
function add(m: Module, { signature, groups, rows, k, sums }: Gradient): Phase {
  const p = phaseFunction(m, "conv weight gradient sum", signature);
  const { f } = p;
  const size = groups * rows * k;
  const block = 1024;
  const first = f.let(i32.mul(p.from, block));
  const count = f.let(i32.sub(i32.min_u(i32.mul(p.to, block), size), first));
  const start = [
    place(f, p.shared, [k, 1], [first, 1]),
    place(f, p.outs[0]!, [signature.outs[0]!.offset, 1], [first, 1]),
  ];
  row(f, count, start, [1, 1], {}, (n, [at, to]) => {
    const load = (s: number) => (n === 4 ? v128.load : v128.load32_splat)(at!, 4 * s * size);
    const v = f.let(load(0));
    for (let s = 1; s < sums; s++) f.set(v, f32x4.add(v, load(s)));
    storeElements(f, to!, 1, n, v);
  });
  return { run: f, parts: Math.ceil(size / block), cost: size * sums * 0.1 };
}

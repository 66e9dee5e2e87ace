// Convolution with 3 × 3 kernels by Winograd's F(4 × 4, 3 × 3), and its gradient in the input: a quarter of the
// multiplications. Weights and tiles go to 36 points, where the convolution is 36 matrix products.

import {
  costOf,
  elementwise,
  type Func,
  f32x4,
  I32,
  i32,
  type Local,
  loadElements,
  type Module,
  type PhaseFunc,
  phase,
  storeElements,
  turned,
  v128,
  type WasmCode,
  type WasmKernel,
  writeMicro,
} from "@nn/backend-wasm";
import { isContiguous, type Signature, sizeOf, type View } from "@nn/tensor";
import type { ConvAttrs, ConvInputGradAttrs } from "../../conv/conv.js";
import { hasBias } from "../conv.js";
import { cut, indices, inTiles, place } from "../planes.js";
import { OUT, ofInputs, ofWeights, POINTS, toOutputs } from "./points.js";
import { groupsOf, inFours, type Lines, linesOf, prepare, type Reading, readingSize, writeRead } from "./tiles.js";

/** All points of a tile. */
export const ALL = POINTS * POINTS;
/** Floats between points that would lie pages apart: the caches dislike that. */
export const SKEW = 16;
/** Nanoseconds: of a multiplication and addition; per tile and channel read or written; per weight. */
const COST = { product: 0.042, tile: 9, weight: 15, direct: 0.0375 };

export const winogradConv: WasmKernel<ConvAttrs> = {
  op: "conv/conv",
  fusesEpilogue: true,
  accepts: ({ ins, outs, attrs }) =>
    paysOff(attrs, ins[0]!, ins[1]!, outs[0]!) && (!hasBias(ins) || isContiguous(ins[2]!)),
  emit: (signature) => winograd(signature, false),
};

export const winogradInputGrad: WasmKernel<ConvInputGradAttrs> = {
  op: "conv/convInputGrad",
  fusesEpilogue: true,
  accepts: ({ ins, outs, attrs }) => paysOff(attrs, ins[0]!, ins[1]!, outs[0]!),
  emit: (signature) => winograd(signature, true),
};

/** Whether it is possible, and faster than the direct way. @param out what has the tiles */
export function paysOff({ stride, dilation, groups, padding }: ConvAttrs, x: View, weight: View, out: View): boolean {
  const [o, c, ...kernel] = weight.shape as [number, number, ...number[]];
  if (
    String(kernel) !== "3,3" ||
    groups !== 1 ||
    [...stride, ...dilation].some((n) => n !== 1) ||
    padding.some((p) => p.some((n) => n > 2)) ||
    !isContiguous(weight) ||
    sizeOf(out.shape) === 0 ||
    [x, out].some((v) => v.shape[3]! < 4 || v.strides[3] !== 1)
  )
    return false;
  const cost = costOfTiles(linesOf(out.shape), o, c) + o * c * COST.weight;
  return cost < 0.9 * out.shape[0]! * out.shape[2]! * out.shape[3]! * 9 * o * c * COST.direct;
}

/** Nanoseconds for all that is done with tiles, roughly. */
export const costOfTiles = ({ blocks, tiles }: Lines, rows: number, channels: number): number =>
  blocks * tiles * (ALL * rows * channels * COST.product + (rows + channels) * COST.tile);

/** The convolution; or, `turn`, the gradient in its input, which is one with the kernel turned round. */
function winograd(signature: Signature<ConvAttrs>, turn: boolean): WasmCode {
  const { ins, outs, attrs, epilogue } = signature;
  const [x, weight, bias, out] = [ins[0]!, ins[1]!, hasBias(ins) ? ins[2]! : null, outs[0]!];
  const [rows, channels] = [out.shape[1]!, x.shape[1]!];
  const lines = linesOf(out.shape);
  const before = attrs.padding.map(([b]) => (turn ? 2 - b : b));
  const reading: Reading = {
    lines,
    source: x,
    before,
    extent: POINTS,
    transform: ofInputs,
    point: lines.tiles * channels + SKEW,
    group: 8 * channels,
  };
  const product = { rows, channels, u: rows * channels + SKEW, v: reading.point, m: lines.tiles * rows + SKEW };
  // Scratch: what reading takes and later outputs of a channel; tiles at all points; products at all points.
  const first = readingSize(reading) + outputSize(lines);
  return {
    name: `conv ${channels}→${rows} 3×3 winograd`,
    shared: 4 * ALL * product.u,
    scratch: 4 * (first + ALL * (product.v + product.m)),
    write: (m) => [
      {
        keeps: 1,
        ...phase(m, "winograd weights", signature, COST.weight * rows * channels, (p) => {
          const { f } = p;
          // An output channel's weights of all inputs, or the other way round.
          const strides = turn ? [9, 9 * rows] : [9 * channels, 9];
          f.for(p.from, p.to, 1, (part) => {
            const from = place(f, p.ins[1]!, [weight.offset, 1], [part, strides[1]!]);
            const panel = f.let(p.shared);
            inTiles(m, f, rows, (tall) => {
              const to = place(f, panel, [part, tall]);
              for (let i = 0; i < tall; i += 4) {
                const count = Math.min(4, tall - i);
                f.call(writeWeights(m, count, strides[0]!, product.u, turn), from, to);
                f.step(from, 4 * count * strides[0]!);
                f.step(to, 16);
              }
              f.step(panel, 4 * tall * channels);
            });
          });
          return channels;
        }),
      },
      phase(
        m,
        "winograd",
        signature,
        costOfTiles(lines, rows, channels) + sizeOf(out.shape) * (epilogue ? costOf(epilogue.expr) : 0),
        (p) => {
          const { f, scratch } = p;
          const [v, mm] = [place(f, scratch, [first, 1]), place(f, scratch, [first + ALL * product.v, 1])];
          const outputAt = place(f, scratch, [readingSize(reading), 1]);
          const read = writeRead(m, reading);
          prepare(f, scratch, reading);
          const multiply = writeProducts(m, product);
          const output = writeOutputs(m, lines, product);
          f.for(p.from, p.to, 1, (part) => {
            const line = f.let(i32.mul(part, lines.each));
            const count = f.let(i32.min_u(i32.sub(lines.all, line), lines.each));
            const groups = f.let(groupsOf(lines, count));
            const from = place(f, p.ins[0]!, [x.offset, 1]);
            const to = f.let(v);
            f.repeat(channels, () => {
              f.call(read, from, to, scratch, line, count);
              f.step(from, 4 * x.strides[1]!);
              f.step(to, 32);
            });
            f.call(multiply, p.shared, v, mm, groups);
            const products = f.let(mm);
            f.for(0, rows, 1, (channel) => {
              f.call(output, products, outputAt, groups);
              store(p, signature, bias, lines, outputAt, { channel, line, count });
              f.step(products, 32);
            });
          });
          return lines.blocks;
        },
      ),
    ],
  };
}

/** In floats: channels, and strides from point to point. */
interface Product {
  readonly rows: number;
  readonly channels: number;
  readonly u: number;
  readonly v: number;
  readonly m: number;
}

/** `weights(from, to)`: kernels of up to four output channels at all points. */
function writeWeights(m: Module, count: number, stride: number, point: number, turn: boolean): Func {
  return m.once(`winograd weights ${[count, stride, point, turn]}`, () => {
    const f = m.function("weights", [I32, I32]);
    const [from, to] = f.params as [Local, Local];
    const kernel = indices(9).map((k) => {
      const at = 4 * (turn ? 8 - k : k);
      let v = v128.load32_zero(from, at);
      for (let i = 1; i < count; i++) v = v128.load32_lane(i, from, v, at + 4 * i * stride);
      return f.let(v);
    });
    const columns = indices(3).map((x) =>
      ofWeights(
        f,
        [0, 3, 6].map((y) => kernel[x + y]!),
      ).map((v) => f.let(v)),
    );
    indices(POINTS).forEach((i) => {
      ofWeights(
        f,
        columns.map((c) => c[i]!),
      ).forEach((v, j) => {
        const at = 4 * (POINTS * i + j) * point;
        if (count === 4) f.store(to, v, at);
        else for (let lane = 0; lane < count; lane++) f.storeLane(lane, to, v, at + 4 * lane);
      });
    });
    return f;
  });
}

/** `products(u, v, m, groups)`: m = u · v at every point, 8 tiles at a time. */
function writeProducts(m: Module, { rows, channels, ...strides }: Product): Func {
  const f = m.function("products", new Array(4).fill(I32));
  const [u, v, to, groups] = f.params as [Local, Local, Local, Local];
  f.repeat(ALL, () => {
    const [b, c] = [f.let(v), f.let(to)];
    f.repeat(groups, () => {
      const a = f.let(u);
      inTiles(m, f, rows, (tall) => {
        const shape = { rows: tall, columns: 8, rowStride: 1, kStride: tall, ldc: 8, continues: false };
        f.call(writeMicro(m, shape), a, b, c, channels, 0);
        f.step(a, 4 * tall * channels);
        f.step(c, 32 * tall);
      });
      f.step(b, 32 * channels);
    });
    f.step(u, 4 * strides.u);
    f.step(v, 4 * strides.v);
    f.step(to, 4 * strides.m);
  });
  return f;
}

// ── outputs ────────────────────────────────────────────────────────────────────────────────────────

/** Floats: halfway results of four tiles, then rows of tiles, 4 rows apart. */
const HALFWAY = 4 * OUT * POINTS;
const outputSize = ({ tiles }: Lines): number => HALFWAY + OUT * OUT * tiles;

/** `outputs(m, scratch, groups)`: the products of a channel as outputs, rows of tiles side by side. */
function writeOutputs(m: Module, { tiles }: Lines, { rows, ...strides }: Product): Func {
  const f = m.function("outputs", [I32, I32, I32]);
  const [from, scratch, groups] = f.params as [Local, Local, Local];
  const to = place(f, scratch, [HALFWAY, 1]);
  f.repeat(groups, () => {
    for (const half of [0, 16]) {
      const [at, halfway] = [f.let(i32.add(from, half)), f.let(scratch)];
      f.repeat(POINTS, () => {
        const v = indices(POINTS).map((i) => f.let(v128.load(at, 4 * i * POINTS * strides.m)));
        toOutputs(f, v).forEach((t, i) => {
          f.store(halfway, t, 16 * i * POINTS);
        });
        f.step(at, 4 * strides.m);
        f.step(halfway, 16);
      });
      f.set(halfway, scratch);
      const target = f.let(to);
      f.repeat(OUT, () => {
        const v = indices(POINTS).map((i) => f.let(v128.load(halfway, 16 * i)));
        turned(
          f,
          toOutputs(f, v).map((t) => f.let(t)),
        ).forEach((t, i) => {
          f.store(target, t, 16 * i);
        });
        f.step(halfway, 16 * POINTS);
        f.step(target, 4 * OUT * tiles);
      });
      f.step(to, 4 * 4 * OUT);
    }
    f.step(from, 32 * rows);
  });
  return f;
}

/** Stores the outputs of a channel of a block, with bias and epilogue. */
function store(
  { f, ins, outs }: PhaseFunc,
  { epilogue, ...signature }: Signature<any>,
  bias: View | null,
  { across, down, tiles }: Lines,
  output: Local,
  { channel, line, count }: { channel: Local; line: Local; count: Local },
): void {
  const extra = epilogue?.extra ?? 0;
  const views = [signature.outs[0]!, ...signature.ins.slice(ins.length - extra)];
  const bases = [outs[0]!, ...ins.slice(ins.length - extra)];
  const [, , height, width] = views[0]!.shape as [number, number, number, number];
  const formula = epilogue && elementwise(f, epilogue.expr);
  const b = bias && f.let(v128.load32_splat(place(f, ins[2]!, [bias.offset, 1], [channel, 1])));
  f.for(0, count, 1, (i) => {
    const [sample, inSample] = cut(f, f.let(i32.add(line, i)), down);
    const y = f.let(i32.mul(inSample, OUT));
    const from = place(f, output, [HALFWAY, 1], [i, OUT * across]);
    const at = bases.map((base, v) => {
      const [s0, s1, s2] = views[v]!.strides as [number, number, number];
      return place(f, base, [views[v]!.offset, 1], [sample, s0], [channel, s1], [y, s2]);
    });
    f.repeat(i32.min_u(i32.sub(height, y), OUT), () => {
      const [q, ...targets] = [from, ...at].map((p) => f.let(p));
      const inner = views.map((v) => v.strides[3]!);
      inFours(f, width, [q!, ...targets], [1, ...inner], () => {
        const value = f.let(b ? f32x4.add(v128.load(q!), b) : v128.load(q!));
        const input = (k: number) => (k === 0 ? value : loadElements(f, targets[k]!, inner[k]!, 4));
        storeElements(f, targets[0]!, inner[0]!, 4, formula?.(input) ?? value);
      });
      f.step(from, 4 * OUT * tiles);
      for (const [k, p] of at.entries()) f.step(p, 4 * views[k]!.strides[2]!);
    });
  });
}

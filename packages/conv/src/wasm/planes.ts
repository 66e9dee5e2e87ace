// Planes: the channels that a convolution reads, copied to scratch with their padding, so that every element of a
// window lies at a fixed distance from its first one, and neighbouring windows lie side by side.

import {
  type Func,
  I32,
  type Int,
  i32,
  type Local,
  loadElements,
  type Module,
  row,
  storeElements,
  tilesOf,
  type Value,
} from "@nn/backend-wasm";
import { sizeOf, type View } from "@nn/tensor";
import { extent, type Windows } from "../spatial.js";

/** What is copied, and where elements lie in scratch; all in floats. */
export interface Planes {
  /** (N, C, H, W), any strides; so many channels are copied at a time. */
  readonly source: View;
  readonly channels: number;
  /** Padding in front; what is behind is as much as windows need. */
  readonly before: readonly number[];
  readonly stride: readonly number[];
  /** From row to row, and from channel to channel. */
  readonly pitch: number;
  readonly plane: number;
  readonly rows: number;
  /** From columns x ≡ i to x ≡ i + 1 modulo the stride: those lie together, so that windows do. */
  readonly phase: number;
  /** From a window's first element to the others, in the order of the kernel. */
  readonly taps: readonly number[];
  /** All of it, with a little behind that may be read. Behind that is the table of distances. */
  readonly size: number;
  /** All of that in bytes. */
  readonly bytes: number;
}

/** @param band rows of windows at a time, of `width` windows */
export function planesOf(
  source: View,
  channels: number,
  kernel: readonly number[],
  { stride, dilation }: Windows,
  before: readonly number[],
  band: number,
  width: number,
): Planes {
  const [strideY, strideX] = stride as [number, number];
  const [reachY, reachX] = kernel.map((k, i) => extent(k, dilation[i]!) - 1) as [number, number];
  const rows = (band - 1) * strideY + reachY + 1;
  const phase = width + Math.floor(reachX / strideX);
  const pitch = phase * strideX;
  // Planes a page apart would all lie in the same few lines of the cache.
  const plane = rows * pitch + ((rows * pitch) % 256 === 0 ? 16 : 0);
  const taps = indices(sizeOf(kernel)).map((i) => {
    const [y, x] = [Math.floor(i / kernel[1]!) * dilation[0]!, (i % kernel[1]!) * dilation[1]!];
    return y * pitch + (x % strideX) * phase + Math.floor(x / strideX);
  });
  const size = channels * plane + 16;
  const bytes = 4 * (size + channels * taps.length);
  return { source, channels, before, stride, pitch, plane, rows, phase, taps, size, bytes };
}

/**
 * Writes `copy(from, to, y0)`: the planes of the rows of windows from y0 on, from the address of the first channel.
 * Around them there must be zeros already.
 */
export function writeCopy(m: Module, { source, channels, before, stride, ...p }: Planes): Func {
  const f = m.function("planes", [I32, I32, I32]);
  const [from, to, y0] = f.params as [Local, Local, Local];
  const [, , height, width] = source.shape as [number, number, number, number];
  const [, channelStride, yStride, xStride] = source.strides as [number, number, number, number];
  const [beforeY, beforeX] = before as [number, number];
  const [strideY, strideX] = stride as [number, number];
  // Rows of the source that are in the band.
  const top = f.let(i32.mul(y0, strideY));
  const first = f.let(i32.select(0, i32.sub(top, beforeY), i32.lt_u(top, beforeY)));
  const last = f.let(i32.min_u(height, i32.add(top, p.rows - beforeY)));
  f.repeat(channels, () => {
    const at = place(f, from, [first, yStride]);
    const target = place(f, to, [i32.sub(i32.add(first, beforeY), top), p.pitch]);
    f.for(first, last, 1, () => {
      for (let i = 0; i < strideX; i++) {
        const x = (((i - beforeX) % strideX) + strideX) % strideX;
        const column = (x + beforeX - i) / strideX;
        const count = Math.min(Math.ceil((width - x) / strideX), p.phase - column);
        const start = [place(f, at, [x, xStride]), place(f, target, [i * p.phase + column, 1])];
        const step = strideX * xStride;
        row(f, Math.max(0, count), start, [step, 1], {}, (n, [a, b]) =>
          storeElements(f, b!, 1, n, loadElements(f, a!, step, n)),
        );
      }
      f.step(at, 4 * yStride);
      f.step(target, 4 * p.pitch);
    });
    f.step(from, 4 * channelStride);
    f.step(to, 4 * p.plane);
  });
  return f;
}

/** Writes the distances of all elements that an output sees, in bytes: (channels, kernel). Returns where. */
export function writeTable(f: Func, scratch: Local, { channels, plane, taps, size }: Planes): Local {
  const table = place(f, scratch, [size, 1]);
  const to = f.let(table);
  const base = f.let(0);
  f.repeat(channels, () => {
    for (const [i, t] of taps.entries()) f.store(to, i32.add(base, 4 * t), 4 * i);
    f.step(base, 4 * plane);
    f.step(to, 4 * taps.length);
  });
  return table;
}

/** The address so many times so many floats behind another. */
export function place(f: Func, base: Value, ...steps: readonly (readonly [times: Int, floats: number])[]): Local {
  return f.let(steps.reduce((at, [n, floats]) => i32.add(at, i32.mul(n, 4 * floats)), base));
}

/** Quotient and remainder. */
export function cut(f: Func, n: Value, by: number): [Value, Value] {
  return by === 1 ? [n, i32.const(0)] : [f.let(i32.div_u(n, by)), f.let(i32.rem_u(n, by))];
}

/** `body` for tiles of some heights, as many of each as so many output channels are cut into. */
export function inTiles(m: Module, f: Func, rows: number, body: (tall: number) => void): void {
  const tiles = tilesOf(rows, m.features);
  for (const tall of new Set(tiles)) f.repeat(tiles.filter((t) => t === tall).length, () => body(tall));
}

/** 0 … n − 1. */
export const indices = (n: number): number[] => [...Array(n).keys()];

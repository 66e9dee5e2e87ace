// Planes: the channels that a convolution or pooling reads, copied to scratch with their padding, so that every
// element of a window lies at a fixed distance from its first one, and neighbouring windows lie side by side.

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
  type Value,
  v128,
} from "@nn/backend-wasm";
import type { View } from "@nn/tensor";
import { extent, type Windows } from "../spatial.js";

/** A pair for the two spatial axes, (y, x). */
export type Pair = readonly [number, number];

/** What is copied, and how windows lie in it. */
export interface Windows2d {
  /** (N, channels, H, W), any strides. */
  readonly source: View;
  /** Channels that are copied at a time. */
  readonly channels: number;
  readonly kernel: Pair;
  /** Windows along each axis. */
  readonly out: Pair;
  readonly stride: Pair;
  readonly dilation: Pair;
  /** Padding in front; what is behind is as much as windows need. */
  readonly before: Pair;
}

/** Where elements lie in scratch; all in floats. */
export interface Planes extends Windows2d {
  /** Windows' rows that are there at a time. */
  readonly band: number;
  /** From row to row, and from channel to channel. */
  readonly pitch: number;
  readonly plane: number;
  readonly rows: number;
  /** From columns x ≡ i to x ≡ i + 1 modulo the stride: those lie together, so that windows do. */
  readonly phase: number;
  /** From a window's first element to the others, in the order of the kernel. */
  readonly taps: readonly number[];
  /** All of it, with a little behind that may be read. */
  readonly size: number;
}

/** @param band rows of windows at a time; `width` columns of windows may be read, at least */
export function planesOf(w: Windows2d, band: number, width = w.out[1]): Planes {
  const { kernel, stride, dilation } = w;
  const [reachY, reachX] = kernel.map((k, i) => extent(k, dilation[i]!) - 1) as [number, number];
  const rows = (band - 1) * stride[0] + reachY + 1;
  const phase = width + Math.floor(reachX / stride[1]);
  const pitch = phase * stride[1];
  // Planes a page apart would all lie in the same few lines of the cache.
  const plane = rows * pitch + ((rows * pitch) % 256 === 0 ? 16 : 0);
  const taps: number[] = [];
  for (let y = 0; y < kernel[0]; y++)
    for (let x = 0; x < kernel[1]; x++) {
      const at = x * dilation[1];
      taps.push(y * dilation[0] * pitch + (at % stride[1]) * phase + Math.floor(at / stride[1]));
    }
  return { ...w, band, rows, pitch, plane, phase, taps, size: Math.ceil((w.channels * plane) / 4) * 4 + 16 };
}

/** The planes a band of rows is cut from fit the second-level cache. */
export function bandOf(bytesPerRow: number, rows: number, step: number, atLeast: number): number {
  const most = Math.max(1, Math.floor(BAND_BYTES / bytesPerRow));
  const band = Math.min(most, Math.ceil(rows / atLeast));
  return band >= rows ? rows : Math.min(rows, Math.max(step, band - (band % step)));
}
const BAND_BYTES = 384 * 1024;

/**
 * Writes `copy(from, to, y0)`: the planes of the windows' rows y0 … y0 + band − 1, from the address of the first
 * channel. Around them there must be zeros already, or what else padding is. `back`: from the planes to the source.
 */
export function writeCopy(m: Module, p: Planes, back = false): Func {
  const f = m.function("planes", [I32, I32, I32]);
  const [from, to, y0] = [f.param(0), f.param(1), f.param(2)];
  const [, , height, width] = p.source.shape as [number, number, number, number];
  const [, channelStride, yStride, xStride] = p.source.strides as [number, number, number, number];
  const [beforeY, beforeX] = p.before;
  const stride = p.stride[1];
  // Rows of the source that are in the band.
  const top = f.let(i32.mul(y0, p.stride[0]));
  const first = f.let(i32.select(0, i32.sub(top, beforeY), i32.lt_u(top, beforeY)));
  const last = f.let(i32.min_u(height, i32.add(top, p.rows - beforeY)));
  f.repeat(p.channels, () => {
    const source = place(f, from, [first, yStride]);
    const target = place(f, to, [i32.sub(i32.add(first, beforeY), top), p.pitch]);
    f.for(first, last, 1, () => {
      for (let i = 0; i < stride; i++) {
        const x = (((i - beforeX) % stride) + stride) % stride;
        const first = (x + beforeX - i) / stride;
        const count = Math.min(Math.ceil((width - x) / stride), p.phase - first);
        if (count <= 0) continue;
        const at = [place(f, source, [x, xStride]), place(f, target, [i * p.phase + first, 1])];
        const step = stride * xStride;
        row(f, count, at, [step, 1], {}, (n, [a, b]) => {
          if (back) storeElements(f, a!, step, n, loadElements(f, b!, 1, n));
          else storeElements(f, b!, 1, n, loadElements(f, a!, step, n));
        });
      }
      f.step(source, 4 * yStride);
      f.step(target, 4 * p.pitch);
    });
    f.step(from, 4 * channelStride);
    f.step(to, 4 * p.plane);
  });
  return f;
}

/** All of the planes to a value that padding has. */
export function clear(f: Func, to: Local, floats: number, value = 0): void {
  if (value === 0) {
    f.zero(to, 4 * floats);
    return;
  }
  const at = f.let(to);
  const v = f.let(f.float(value));
  f.repeat(floats / 4, () => {
    f.store(at, v);
    f.step(at, 16);
  });
}

/** Writes the distances of all elements that an output sees, in bytes: (channels, kernel). */
export function writeTable(f: Func, at: Local, { channels, plane, taps }: Planes, flipped: boolean): void {
  const base = f.let(0);
  const to = f.let(at);
  f.repeat(channels, () => {
    for (const [i, t] of (flipped ? taps.toReversed() : taps).entries()) f.store(to, i32.add(base, 4 * t), 4 * i);
    f.step(base, 4 * plane);
    f.step(to, 4 * taps.length);
  });
}

/** The address so many times so many floats behind another. */
export function place(f: Func, base: Value, ...steps: readonly (readonly [times: Int, floats: number])[]): Local {
  return f.let(steps.reduce((at, [n, floats]) => i32.add(at, i32.mul(n, 4 * floats)), base));
}

/** Quotient and remainder. */
export function cut(f: Func, n: Value, by: number): [Value, Value] {
  return by === 1 ? [n, i32.const(0)] : [f.let(i32.div_u(n, by)), f.let(i32.rem_u(n, by))];
}

/** A view with two spatial axes: a single one becomes the second. */
export function as2d(v: View): View {
  if (v.shape.length === 4) return v;
  return { ...v, shape: v.shape.toSpliced(2, 0, 1), strides: v.strides.toSpliced(2, 0, 0) };
}

/** Attributes for two axes. */
export function windowsOf({ stride, padding, dilation }: Windows, kernel: Pair) {
  return {
    kernel,
    stride: pair(stride, 1),
    dilation: pair(dilation, 1),
    before: pair(
      padding.map(([b]) => b),
      0,
    ),
  };
}

export const pair = (list: readonly number[], otherwise: number): Pair => [list.at(-2) ?? otherwise, list.at(-1)!];

export const zeroVector = v128.const([0, 0, 0, 0]);

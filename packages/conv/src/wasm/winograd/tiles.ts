// Tiles of images and what they become at the points: the passes that read. Tiles of a line lie side by side, a block of
// lines is done at a time, and a line may be of any sample. Lanes are four tiles.

import { type Func, I32, type Int, i32, type Local, type Module, turned, v128 } from "@nn/backend-wasm";
import type { View } from "@nn/tensor";
import { cut, indices, place } from "../planes.js";
import { OUT, POINTS, type Transform } from "./points.js";

/** Lines of tiles of a batch of images, so many at a time. */
export interface Lines {
  /** Tiles of a line, lines of an image, lines of all images. */
  readonly across: number;
  readonly down: number;
  readonly all: number;
  /** Lines of a block, and blocks. */
  readonly each: number;
  readonly blocks: number;
  /** Tiles of a block, up to a multiple of 8. */
  readonly tiles: number;
}

/** Tiles of a block, about. */
const BLOCK = 64;

/** @param shape (N, C, H, W) of the outputs */
export function linesOf([batch, , height, width]: readonly number[], most = BLOCK): Lines {
  const [down, across] = [Math.ceil(height! / OUT), Math.ceil(width! / OUT)];
  const all = batch! * down;
  // As few groups of 8 tiles as possible; a block costs about as much as one more.
  const groups = (lines: number) => Math.ceil((lines * across) / 8);
  const waste = (lines: number) => Math.ceil(all / lines) * (groups(lines) + 1);
  const sizes = indices(Math.max(1, Math.min(all, Math.floor(most / across)))).map((i) => i + 1);
  const each = sizes.reduce((best, n) => (waste(n) <= waste(best) ? n : best));
  return { across, down, all, each, blocks: Math.ceil(all / each), tiles: 8 * groups(each) };
}

/** What is read, and where it goes; in floats. */
export interface Reading {
  readonly lines: Lines;
  /** (N, C, H, W), with rows of neighbours. */
  readonly source: View;
  /** Zeros in front. */
  readonly before: readonly number[];
  /** Elements of a tile along an axis: those that its outputs see, or those outputs. */
  readonly extent: number;
  readonly transform: Transform;
  /** From point to point, and from 8 tiles to the next 8. */
  readonly point: number;
  readonly group: number;
}

/**
 * Scratch of a reading, in floats: lines of a channel that are transformed one way, as often as there are points, padded
 * and with a line of zeros behind; a row of zeros; and where tiles begin in a line's rows.
 */
function scratchOf({ lines: { across, each, tiles }, source }: Reading) {
  const pitch = OUT * (across + 1);
  const size = (each + 1) * pitch;
  // Planes a page apart would all lie in the same few lines of the cache.
  const plane = size + (size % 256 === 0 ? 16 : 0);
  const zeros = POINTS * plane;
  const table = zeros + 4 * Math.ceil(source.shape[3]! / 4);
  return { pitch, plane, zeros, table, size: table + tiles };
}

export const readingSize = (r: Reading): number => scratchOf(r).size;

/** Writes the table of a reading to scratch, and zeros elsewhere. */
export function prepare(f: Func, scratch: Local, r: Reading): void {
  const { across, each, tiles } = r.lines;
  const { pitch, table, size } = scratchOf(r);
  f.zero(scratch, 4 * size);
  const to = place(f, scratch, [table, 1]);
  f.for(0, tiles, 1, (t) => {
    const [line, x] = cut(f, t, across);
    // Behind the last tile there are zeros.
    f.store(to, i32.mul(4, i32.add(i32.mul(i32.min_u(line, each), pitch), i32.mul(x, OUT))));
    f.step(to, 4);
  });
}

/** Writes `read(x, to, scratch, first, lines)`: the tiles of one channel at x at all points, so many lines from the first. */
export function writeRead(m: Module, r: Reading): Func {
  const { lines, source, before, extent, transform } = r;
  const { pitch, plane, zeros } = scratchOf(r);
  const [, , height, width] = source.shape as [number, number, number, number];
  const [sampleStride, , yStride] = source.strides as [number, number, number, number];
  const f = m.function("read tiles", new Array(5).fill(I32));
  const [x, to, scratch, first, count] = f.params as [Local, Local, Local, Local, Local];
  const inRow = place(f, scratch, [before[1]!, 1]);
  // Behind a shorter block there are zeros, too.
  if (lines.all % lines.each > 0) f.if(i32.lt_u(count, lines.each), () => f.zero(scratch, 4 * POINTS * plane));
  f.for(0, count, 1, (line) => {
    const [sample, inSample] = cut(f, f.let(i32.add(first, line)), lines.down);
    const y = f.let(i32.sub(i32.mul(inSample, OUT), before[0]!));
    const at = place(f, x, [sample, sampleStride], [y, yStride]);
    const rows = indices(extent).map((i) => {
      const inside = i32.lt_u(i32.add(y, i), height);
      return f.let(i32.select(i32.add(at, 4 * i * yStride), i32.add(scratch, 4 * zeros), inside));
    });
    const target = place(f, inRow, [line, pitch]);
    inFours(f, width, [...rows, target], [...rows.map(() => 1), 1], () => {
      transform(
        f,
        rows.map((p) => f.let(v128.load(p))),
      ).forEach((t, i) => {
        f.store(target, t, 4 * i * plane);
      });
    });
  });
  f.call(writeAcross(m, r), scratch, to, groupsOf(lines, count));
  return f;
}

/** Groups of 8 tiles in so many lines. */
export const groupsOf = ({ across }: Lines, count: Int) => i32.shr_u(i32.add(i32.mul(count, across), 7), 3);

/** `across(scratch, to, groups)`: the tiles, transformed the other way, too. */
function writeAcross(m: Module, r: Reading): Func {
  const { extent, transform, point, group } = r;
  const { plane, table } = scratchOf(r);
  const f = m.function("across", [I32, I32, I32]);
  const [scratch, to, groups] = f.params as [Local, Local, Local];
  const starts = place(f, scratch, [table, 1]);
  f.repeat(groups, () => {
    for (const half of [0, 16]) {
      const tiles = indices(4).map((i) => f.let(i32.add(scratch, i32.load(starts, half + 4 * i))));
      const target = f.let(i32.add(to, half));
      f.repeat(POINTS, () => {
        const columns = turned(
          f,
          tiles.map((t) => f.let(v128.load(t))),
        );
        if (extent > OUT)
          columns.push(
            ...turned(
              f,
              tiles.map((t) => f.let(v128.load64_zero(t, 16))),
            ).slice(0, 2),
          );
        transform(
          f,
          columns.map((c) => f.let(c)),
        ).forEach((t, i) => {
          f.store(target, t, 4 * i * point);
        });
        for (const t of tiles) f.step(t, 4 * plane);
        f.step(target, 4 * POINTS * point);
      });
    }
    f.step(starts, 32);
    f.step(to, 4 * group);
  });
  return f;
}

/**
 * `body` for every four of a row's elements, with addresses that move along; what is left are four of which some were
 * done before.
 */
export function inFours(
  f: Func,
  width: number,
  at: readonly Local[],
  strides: readonly number[],
  body: () => void,
): void {
  const step = (n: number) => {
    for (const [i, p] of at.entries()) f.step(p, 4 * n * strides[i]!);
  };
  f.repeat(width >> 2, () => {
    body();
    step(4);
  });
  if (width % 4 === 0) return;
  step((width % 4) - 4);
  body();
}

// Numbers as pictures: sheets of small images, heat maps, and the colours for them.

import { colour } from "./dom.js";
import { onTheme } from "./theme.js";

/** 256 colours, from 0 to 1, as a canvas has them in memory. */
export type Palette = Uint32Array;

/** Light to dark on light pages, dark to light on dark ones. */
export const sequential = () => between("card", "accent", "ink");
/** Low, middle, high. */
export const diverging = () => between("warm", "card", "accent");
/** As ink on paper. */
export const ink = () => between("sunk", "ink");

/** Those of this theme: asking for styles costs time. */
const known = new Map<string, Palette>();
onTheme(() => known.clear());

function between(...names: readonly string[]): Palette {
  const key = names.join();
  const palette = known.get(key) ?? mix(names.map(colour));
  known.set(key, palette);
  return palette;
}

function mix(stops: readonly string[]): Palette {
  const rgb = stops.map((hex) => [1, 3, 5].map((i) => Number.parseInt(hex.slice(i, i + 2), 16)));
  return Uint32Array.from({ length: 256 }, (_, i) => {
    const at = (i / 255) * (rgb.length - 1);
    const [a, b] = [rgb[Math.floor(at)], rgb[Math.ceil(at)]];
    const [red, green, blue] = a.map((v, k) => Math.round(v + (b[k] - v) * (at % 1)));
    return (255 << 24) | (blue << 16) | (green << 8) | red; // every browser's machine is little-endian
  });
}

/** Images in rows and columns on one canvas, a pixel per number; CSS makes them larger. */
export interface Sheet {
  /** Image after image. */
  readonly data: ArrayLike<number>;
  readonly count: number;
  readonly width: number;
  readonly height: number;
  readonly columns: number;
  readonly palette: Palette;
  /** Between images, in pixels (default 1). */
  readonly gap?: number;
}

export function drawSheet(
  canvas: HTMLCanvasElement,
  { data, count, width, height, columns, palette, gap = 1 }: Sheet,
): void {
  const rows = Math.ceil(count / columns);
  canvas.width = columns * (width + gap) - gap;
  canvas.height = rows * (height + gap) - gap;
  const context = canvas.getContext("2d")!;
  const image = context.createImageData(canvas.width, canvas.height);
  const pixels = new Uint32Array(image.data.buffer);
  for (let n = 0; n < count; n++) {
    const [left, top] = [(n % columns) * (width + gap), Math.floor(n / columns) * (height + gap)];
    for (let y = 0; y < height; y++) {
      const [from, to] = [(n * height + y) * width, (top + y) * canvas.width + left];
      for (let x = 0; x < width; x++) {
        pixels[to + x] = palette[Math.min(255, Math.max(0, Math.round(255 * data[from + x])))];
      }
    }
  }
  context.putImageData(image, 0, 0);
}

/** Each stretch of `size` numbers to 0…1, its least and greatest; equal ones become 0. */
export function stretch(data: ArrayLike<number>, size: number): Float32Array {
  const out = Float32Array.from(data);
  for (let from = 0; from < out.length; from += size) {
    const part = out.subarray(from, from + size);
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const v of part) {
      low = Math.min(low, v);
      high = Math.max(high, v);
    }
    for (let i = 0; i < part.length; i++) part[i] = high > low ? (part[i] - low) / (high - low) : 0;
  }
  return out;
}

/** All to 0…1 with 0 in the middle. */
export function around0(data: ArrayLike<number>): Float32Array {
  const values = Float32Array.from(data);
  const most = values.reduce((most, v) => Math.max(most, Math.abs(v)), 1e-12);
  return values.map((v) => 0.5 + v / (2 * most));
}

/** A strip with all colours of a palette. */
export function drawScale(canvas: HTMLCanvasElement, palette: Palette): void {
  drawSheet(canvas, {
    data: Float32Array.from({ length: 64 }, (_, i) => i / 63),
    count: 1,
    width: 64,
    height: 1,
    columns: 1,
    palette,
  });
}

/** Scenes of a few digits on uneven ground with scratches, and an answer by old means: bright spots, and which digit they look most like. */
import type { Box, Found } from "./average-precision.js";
import { iou } from "./average-precision.js";
import { otsu } from "./cells.js";
import { type Dataset, PIXELS, SIDE } from "./dataset.js";
import type { Random } from "./random.js";

export const SCENE = 64;

export interface Scene {
  /** 64 × 64 numbers, about 0 to 1. */
  readonly image: Float32Array;
  readonly boxes: readonly Box[];
}

/** 1 to 3 of the digits, 18 to 32 pixels high. Their boxes hardly overlap. */
export function drawScene(digits: Dataset, source: Random): Scene {
  const ink = new Float32Array(SCENE * SCENE);
  const boxes: Box[] = [];
  const count = 1 + source.below(3);
  for (let tries = 0; boxes.length < count && tries < 50; tries++) {
    const i = source.below(digits.count);
    const pixels = crop(digits.inputs.subarray(i * PIXELS, (i + 1) * PIXELS), SIDE, inked(digits, i));
    const height = Math.round(source.uniform(18, 32));
    const width = Math.max(4, Math.round((height * pixels.width) / pixels.height));
    if (width >= SCENE) continue;
    const [x, y] = [source.below(SCENE - width), source.below(SCENE - height)];
    const box: Box = { x, y, width, height, label: digits.labels[i] };
    if (boxes.some((other) => iou(box, other) > 0.02)) continue;
    boxes.push(box);
    const strength = source.uniform(0.5, 0.9);
    resize(pixels, width, height).forEach((value, at) => {
      const place = (y + Math.floor(at / width)) * SCENE + x + (at % width);
      ink[place] = Math.max(ink[place], strength * value);
    });
  }
  for (let scratch = source.below(5); scratch > 0; scratch--) {
    const [x, y, angle] = [source.uniform(0, SCENE), source.uniform(0, SCENE), source.uniform(0, 6.3)];
    const [length, strength] = [source.uniform(8, 40), source.uniform(0.2, 0.6)];
    for (let along = 0; along < length; along += 0.5) {
      const [column, row] = [Math.round(x + along * Math.cos(angle)), Math.round(y + along * Math.sin(angle))];
      if (column < 0 || row < 0 || column >= SCENE || row >= SCENE) break;
      ink[row * SCENE + column] = Math.max(ink[row * SCENE + column], strength);
    }
  }
  const [right, down, dark] = [source.uniform(-0.3, 0.3), source.uniform(-0.3, 0.3), source.uniform(0, 0.2)];
  const image = ink.map((value, i) => {
    const ground = dark + (right * (i % SCENE) + down * Math.floor(i / SCENE)) / SCENE;
    return value + ground + 0.05 * source.normal();
  });
  return { image, boxes };
}

/** What is brighter than Otsu's threshold and hangs together, 12 to 40 pixels high, as the digit whose mean, over some scenes, is nearest. */
export function spotFinder(examples: readonly Scene[]): (scene: Scene) => Found[] {
  const sums = Array.from({ length: 10 }, () => ({ pixels: new Float32Array(14 * 14), count: 0 }));
  const look = (image: Float32Array, box: Omit<Box, "label">) => {
    const values = resize(crop(image, SCENE, box), 14, 14);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length) || 1;
    return values.map((value) => (value - mean) / deviation);
  };
  for (const { image, boxes } of examples) {
    for (const box of boxes) {
      const sum = sums[box.label];
      sum.count++;
      look(image, box).forEach((value, i) => {
        sum.pixels[i] += value;
      });
    }
  }
  return ({ image }) =>
    spots(image).map((spot) => {
      const seen = look(image, spot);
      const near = sums.map(({ pixels, count }) => -Math.hypot(...seen.map((v, i) => v - pixels[i] / (count || 1))));
      const score = Math.max(...near);
      return { ...spot, label: near.indexOf(score), score };
    });
}

// ---------------------------------------------------------------------------------------------

interface Pixels {
  readonly values: Float32Array;
  readonly width: number;
  readonly height: number;
}

type Area = Omit<Box, "label">;

/** Where a digit has ink. */
function inked({ inputs }: Dataset, i: number): Area {
  const places = [...inputs.subarray(i * PIXELS, (i + 1) * PIXELS).entries()].flatMap(([at, v]) => (v > 0.3 ? at : []));
  return around(places, SIDE);
}

/** The smallest rectangle around places in rows of `side`. */
function around(places: readonly number[], side: number): Area {
  const [columns, rows] = [places.map((at) => at % side), places.map((at) => Math.floor(at / side))];
  const [x, y] = [Math.min(...columns), Math.min(...rows)];
  return { x, y, width: Math.max(...columns) - x + 1, height: Math.max(...rows) - y + 1 };
}

function crop(image: Float32Array, side: number, { x, y, width, height }: Area): Pixels {
  const at = (i: number) => (y + Math.floor(i / width)) * side + x + (i % width);
  return { values: Float32Array.from({ length: width * height }, (_, i) => image[at(i)]), width, height };
}

/** Bilinear. */
function resize({ values, width, height }: Pixels, toWidth: number, toHeight: number): Float32Array {
  return Float32Array.from({ length: toWidth * toHeight }, (_, i) => {
    const x = Math.min(width - 1, Math.max(0, (((i % toWidth) + 0.5) * width) / toWidth - 0.5));
    const y = Math.min(height - 1, Math.max(0, ((Math.floor(i / toWidth) + 0.5) * height) / toHeight - 0.5));
    const [left, top] = [Math.floor(x), Math.floor(y)];
    const at = (dx: number, dy: number) =>
      values[Math.min(height - 1, top + dy) * width + Math.min(width - 1, left + dx)];
    const row = (dy: number) => at(0, dy) + (x - left) * (at(1, dy) - at(0, dy));
    return row(0) + (y - top) * (row(1) - row(0));
  });
}

/** The areas of bright pixels that hang together, diagonally too. */
function spots(image: Float32Array): Area[] {
  const threshold = otsu(image);
  const open = new Set([...image.keys()].filter((at) => image[at] > threshold));
  const areas: Area[] = [];
  for (const first of open) {
    const places = [first];
    open.delete(first);
    for (const at of places) {
      for (const by of [-1, 1, -SCENE, SCENE, -SCENE - 1, -SCENE + 1, SCENE - 1, SCENE + 1]) {
        const besides = Math.abs(((at + by) % SCENE) - (at % SCENE)) > 1; // over the edge
        if (!besides && open.delete(at + by)) places.push(at + by);
      }
    }
    const area = around(places, SCENE);
    if (area.height >= 12 && area.height <= 40) areas.push(area);
  }
  return areas;
}

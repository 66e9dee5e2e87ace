// Folders of images, a folder per class. PNG by pngjs, JPEG by jpeg-js: whoever uses them installs them.

import { readdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { fail } from "@nn/tensor";
import { type Dataset, samples } from "../index.js";

/** An image, row after row, four bytes each: red, green, blue, opacity. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** Options of {@link imageFolder}. */
export interface ImageFolderOptions {
  /** What images are scaled to, [height, width]; without it all must be of one size. */
  readonly size?: readonly [number, number];
  /** 3 for colours (default), 1 for grey: 0.299 R + 0.587 G + 0.114 B. */
  readonly channels?: 1 | 3;
}

/** See {@link imageFolder}. */
export interface ImageFolder {
  /** x (N, channels, height, width) from 0 to 1, y (N) class numbers. */
  readonly data: Dataset;
  /** Names of the classes: of the folders, sorted. */
  readonly classes: readonly string[];
  /** Paths, in the order of the samples. */
  readonly files: readonly string[];
  /** Class of each sample, e.g. to split by. */
  readonly labels: Int32Array;
}

/**
 * The PNG and JPEG files in the folders of a folder, as `torchvision.datasets.ImageFolder`. They are read as batches ask for them: a loader's `prefetch`
 * pays.
 *
 * @throws if there are none, or pngjs or jpeg-js is missing and needed
 * @example
 * ```ts
 * const { data, classes } = await imageFolder("flowers", { size: [64, 64] });
 * ```
 */
export async function imageFolder(folder: string, options: ImageFolderOptions = {}): Promise<ImageFolder> {
  const entries = await readdir(folder, { withFileTypes: true });
  const classes = entries
    .filter((e) => e.isDirectory())
    .map(({ name }) => name)
    .sort();
  const files: string[] = [];
  const labels: number[] = [];
  for (const [c, name] of classes.entries()) {
    for (const file of (await readdir(join(folder, name))).sort()) {
      if (!/\.(png|jpe?g)$/i.test(file)) continue;
      files.push(join(folder, name, file));
      labels.push(c);
    }
  }
  if (files.length === 0) {
    fail({ op: "imageFolder", expected: `folders with .png or .jpg files in ${folder}`, got: "none" });
  }
  let first: string | null = null;
  const data = samples(
    files.length,
    async (i) => {
      const planes = planesOf(await readImage(files[i]), options);
      const shape = planes.shape.slice(1).join("×");
      first ??= shape;
      if (shape !== first) {
        fail({
          op: "imageFolder",
          expected: `images of ${first}`,
          got: `${shape} in ${files[i]}`,
          hint: "Pass a size.",
        });
      }
      return [planes, labels[i]];
    },
    { dtypes: ["f32", "i32"] },
  );
  return { data, classes, files, labels: Int32Array.from(labels) };
}

/** Reads a PNG or JPEG file. */
export async function readImage(path: string): Promise<Pixels> {
  const bytes = await readFile(path);
  try {
    if (extname(path).toLowerCase() === ".png") {
      const { PNG } = await library(() => import("pngjs"), "pngjs");
      return PNG.sync.read(bytes);
    }
    const jpeg = await library(() => import("jpeg-js"), "jpeg-js");
    return (jpeg.default ?? jpeg).decode(bytes, { useTArray: true });
  } catch (e) {
    if (e instanceof Error && e.name === "NNError") throw e;
    return fail({ op: "readImage", expected: `${path} to be a whole image`, got: (e as Error).message ?? `${e}` });
  }
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

async function library<T>(load: () => Promise<T>, name: string): Promise<T> {
  try {
    return await load();
  } catch {
    return fail({ op: "readImage", expected: `the library ${name}`, got: "none", hint: `Run npm install ${name}.` });
  }
}

/** (channels, rows, columns) from 0 to 1. Scaled bilinearly, with pixels as areas. */
function planesOf({ width, height, data }: Pixels, { size, channels = 3 }: ImageFolderOptions) {
  const [rows, columns] = size ?? [height, width];
  const value = (c: number, y: number, x: number) => {
    const at = 4 * (y * width + x);
    return channels === 3 ? data[at + c] : 0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2];
  };
  const place = (i: number, from: number, to: number) => {
    const exact = Math.min(Math.max(((i + 0.5) * from) / to - 0.5, 0), from - 1);
    const low = Math.floor(exact);
    return { low, high: Math.min(low + 1, from - 1), share: exact - low };
  };
  const planes = new Float32Array(channels * rows * columns);
  for (let i = 0; i < planes.length; i++) {
    const c = Math.floor(i / (rows * columns));
    const y = place(Math.floor(i / columns) % rows, height, rows);
    const x = place(i % columns, width, columns);
    const top = value(c, y.low, x.low) * (1 - x.share) + value(c, y.low, x.high) * x.share;
    const bottom = value(c, y.high, x.low) * (1 - x.share) + value(c, y.high, x.high) * x.share;
    planes[i] = (top * (1 - y.share) + bottom * y.share) / 255;
  }
  return { data: planes, shape: [channels, rows, columns] };
}

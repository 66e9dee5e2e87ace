// Images as data, a class per folder. In browsers what decodes them is createImageBitmap; Node's decoders are in ../node.

import { fail } from "@nn/tensor";
import { type Dataset, samples } from "../data/dataset.js";

/** An image, row after row, four bytes each: red, green, blue, opacity. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array | Uint8ClampedArray;
}

/** What becomes of images. */
export interface ImageOptions {
  /** What images are scaled to, [height, width]; without it all must be of one size. */
  readonly size?: readonly [number, number];
  /** 3 for colours (default), 1 for grey: 0.299 R + 0.587 G + 0.114 B. */
  readonly channels?: 1 | 3;
}

/** Images in classes. */
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

/** A `File`, as an `<input type="file" webkitdirectory>` gives it, or a `Blob`. */
export interface ImageFile extends Blob {
  readonly name?: string;
  readonly webkitRelativePath?: string;
}

/** Options of {@link imageFiles}. */
export interface ImageFilesOptions extends ImageOptions {
  /** The class of a file, given its path (default: the folder that it is in). */
  readonly classOf?: (path: string, file: ImageFile) => string;
}

/**
 * Images that a page has got hold of, in whatever format the browser can show, as a dataset; @nn/train/node has `imageFolder`. They are
 * decoded as batches ask for them: a loader's `prefetch` pays. Also in workers.
 *
 * @throws if there are no images, or a file has no folder to be named by
 * @example
 * ```ts
 * // <input type="file" webkitdirectory>, with a folder of folders: flowers/rose/1.jpg, …
 * const { data, classes } = imageFiles(input.files, { size: [64, 64] });
 * const drawn = imageFiles(blobs, { classOf: () => "digit", channels: 1 });
 * ```
 */
export function imageFiles(files: Iterable<ImageFile>, { classOf, ...options }: ImageFilesOptions = {}): ImageFolder {
  const listed = [...files].map((file, i) => ({ file, path: file.webkitRelativePath || file.name || `image ${i}` }));
  const images = listed.filter(
    ({ file, path }) => /^image\//.test(file.type) || /\.(png|jpe?g|webp|gif|avif|bmp)$/i.test(path),
  );
  if (images.length === 0) fail({ op: "imageFiles", expected: "image files", got: "none" });
  const found = images.map(({ file, path }) => {
    const label = classOf ? classOf(path, file) : path.split("/").at(-2);
    if (label !== undefined) return { file, path, label };
    return fail({
      op: "imageFiles",
      expected: "files in folders",
      got: path,
      hint: "Pass classOf, which names classes.",
    });
  });
  const classes = [...new Set(found.map(({ label }) => label))].sort();
  const order = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
  found.sort((a, b) => order(a.label, b.label) || order(a.path, b.path));
  const entries = found.map(({ path, label, file }) => ({ path, label: classes.indexOf(label), file }));
  return inClasses("imageFiles", classes, entries, ({ file, path }) => decodeImage(file, path), options);
}

/**
 * The pixels of an image in a browser, in the colours of sRGB, turned as its metadata says.
 *
 * @param name of it, for errors
 * @throws if it cannot be decoded
 */
export async function decodeImage(file: Blob, name = "the file"): Promise<Pixels> {
  if (typeof createImageBitmap !== "function") {
    fail({ op: "decodeImage", expected: "a browser", got: "none", hint: "In Node, use @nn/train/node." });
  }
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file, { premultiplyAlpha: "none" });
  } catch (e) {
    return fail({ op: "decodeImage", expected: `${name} to be a whole image`, got: (e as Error).message });
  }
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true })!;
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return { width, height, data: context.getImageData(0, 0, width, height).data };
}

/** @internal A dataset of images that are decoded as they are asked for. */
export function inClasses<E extends { readonly path: string; readonly label: number }>(
  op: string,
  classes: readonly string[],
  entries: readonly E[],
  decode: (entry: E) => Promise<Pixels>,
  options: ImageOptions,
): ImageFolder {
  const { size = [1, 1], channels = 3 } = options;
  if (size.length !== 2 || !size.every((n) => Number.isInteger(n) && n >= 1)) {
    fail({ op, expected: "size [height, width] of whole numbers ≥ 1", got: `[${size}]` });
  }
  if (channels !== 1 && channels !== 3) fail({ op, expected: "channels 1 or 3", got: `${channels}` });
  let first: string | null = null;
  const data = samples(
    entries.length,
    async (i) => {
      const entry = entries[i];
      const planes = planesOf(await decode(entry), options);
      const shape = planes.shape.slice(1).join("×");
      first ??= shape;
      if (shape !== first) {
        fail({ op, expected: `images of ${first}`, got: `${shape} in ${entry.path}`, hint: "Pass a size." });
      }
      return [planes, entry.label];
    },
    { dtypes: ["f32", "i32"] },
  );
  const labels = Int32Array.from(entries, ({ label }) => label);
  return { data, classes, files: entries.map(({ path }) => path), labels };
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

/** (channels, rows, columns) from 0 to 1. Scaled bilinearly, with pixels as areas. */
function planesOf({ width, height, data }: Pixels, { size, channels = 3 }: ImageOptions) {
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

// Folders of images, a folder per class. PNG by pngjs, JPEG by jpeg-js: whoever uses them installs them.

import { readdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { fail } from "@nn/tensor";
import type { ImageFolder, ImageOptions, Pixels } from "../index.js";
import { inClasses } from "../readers/images.js";
import { excess } from "./image-size.js";

/** Options of {@link imageFolder}. */
export type ImageFolderOptions = ImageOptions;

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
  const classes = (await readdir(folder, { withFileTypes: true }))
    .filter((e) => e.isDirectory())
    .map(({ name }) => name)
    .sort();
  const entries: { readonly path: string; readonly label: number }[] = [];
  for (const [label, name] of classes.entries()) {
    for (const file of (await readdir(join(folder, name))).sort()) {
      if (/\.(png|jpe?g)$/i.test(file)) entries.push({ path: join(folder, name, file), label });
    }
  }
  if (entries.length === 0) {
    fail({ op: "imageFolder", expected: `folders with .png or .jpg files in ${folder}`, got: "none" });
  }
  return inClasses("imageFolder", classes, entries, ({ path }) => readImage(path), options);
}

/**
 * Reads a PNG or JPEG file.
 *
 * @throws if it is damaged, or has more than 100 million pixels
 */
export async function readImage(path: string): Promise<Pixels> {
  const bytes = await readFile(path);
  const wrong = excess(bytes);
  if (wrong !== null) fail({ op: "readImage", expected: `${path} to be a whole image`, got: wrong });
  try {
    if (extname(path).toLowerCase() === ".png") {
      const { PNG } = await library(() => import("pngjs"), "pngjs");
      return PNG.sync.read(bytes);
    }
    const jpeg = await library(() => import("jpeg-js"), "jpeg-js");
    return (jpeg.default ?? jpeg).decode(bytes, { useTArray: true, tolerantDecoding: false });
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

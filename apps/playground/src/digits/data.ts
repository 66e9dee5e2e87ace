// Digits to train and to test on: drawn ones, or MNIST from the files that were dropped on the page.

import { drawDigits } from "@nn/examples/digits";
import { type Dataset, dataset, gunzip, type Idx, readIdx, type Store } from "@nn/train";

export interface Digits {
  readonly train: Dataset;
  readonly test: Dataset;
  /** Of the test: pixels 0 to 1, one image after the other. */
  readonly images: Float32Array;
  readonly labels: Int32Array;
}

const PIXELS = 784;
const IMAGE = [1, 28, 28];
const TEST = 1000;

export async function digits(source: string, count: number, files: Store): Promise<Digits> {
  if (source === "mnist") return mnist(count, files);
  const [train, test] = [drawDigits(count, 1), drawDigits(TEST, 2)];
  return {
    train: dataset({ data: train.inputs, shape: IMAGE }, train.labels),
    test: dataset({ data: test.inputs, shape: IMAGE }, test.labels),
    images: test.inputs,
    labels: test.labels,
  };
}

/** What the four files are kept under. */
export const KEYS = ["mnist train images", "mnist train labels", "mnist test images", "mnist test labels"] as const;
type Key = (typeof KEYS)[number];

/** Which of the four a file is, by its name. */
export const fileKey = (name: string): Key | null => {
  const part = /train/i.test(name) ? "train" : /t10k|test/i.test(name) ? "test" : null;
  const kind = /image/i.test(name) ? "images" : /label/i.test(name) ? "labels" : null;
  return part && kind && `mnist ${part} ${kind}`;
};

/** One of the files, packed or not. @throws if it is something else */
export async function readPart(key: Key, bytes: Uint8Array): Promise<Idx> {
  const idx = readIdx(bytes[0] === 0x1f ? await gunzip(bytes) : bytes);
  const shape = key.endsWith("images") ? [idx.shape[0], 28, 28] : [idx.shape[0]];
  if (`${idx.shape}` !== `${shape}`)
    throw new Error(`expected numbers of shape (${shape.join(", ")}), got (${idx.shape.join(", ")})`);
  return idx;
}

async function mnist(count: number, files: Store): Promise<Digits> {
  const read = async (key: Key) => {
    const bytes = await files.read(key);
    if (!bytes)
      throw new Error(
        `${key.replace("mnist", "MNIST's")} are not here: drop its files on this page, or choose drawn digits.`,
      );
    return readPart(key, bytes);
  };
  const part = async (name: "train" | "test", most: number) => {
    const [images, labels] = [await read(`mnist ${name} images`), await read(`mnist ${name} labels`)];
    if (images.shape[0] !== labels.shape[0])
      throw new Error(`These files do not belong together: ${images.shape[0]} pictures and ${labels.shape[0]} labels.`);
    const n = Math.min(most, labels.data.length);
    const pixels = Float32Array.from(images.data.subarray(0, n * PIXELS), (v) => v / 255);
    return { pixels, labels: Int32Array.from(labels.data.subarray(0, n)) };
  };
  const [train, test] = [await part("train", count), await part("test", TEST)];
  return {
    train: dataset({ data: train.pixels, shape: IMAGE }, train.labels),
    test: dataset({ data: test.pixels, shape: IMAGE }, test.labels),
    images: test.pixels,
    labels: test.labels,
  };
}

// Digits to train and to test on: drawn ones, or MNIST from the files that were dropped on the page.

import { drawDigits } from "@nn/examples/digits";
import { type Dataset, dataset, gunzip, readIdx, type Store } from "@nn/train";

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

/** The four files by their parts: what the page keeps them under. */
export const fileKey = (name: string): string | null => {
  const part = /train/i.test(name) ? "train" : /t10k|test/i.test(name) ? "test" : null;
  const kind = /image/i.test(name) ? "images" : /label/i.test(name) ? "labels" : null;
  return part && kind && `mnist ${part} ${kind}`;
};

async function mnist(count: number, files: Store): Promise<Digits> {
  const read = async (part: string, kind: string) => {
    const bytes = await files.read(`mnist ${part} ${kind}`);
    if (!bytes)
      throw new Error(`MNIST's ${part} ${kind} are not here: drop its files on this page, or choose drawn digits.`);
    return readIdx(bytes[0] === 0x1f ? await gunzip(bytes) : bytes);
  };
  const part = async (name: string, most: number) => {
    const [images, labels] = [await read(name, "images"), await read(name, "labels")];
    const n = Math.min(most, labels.data.length);
    if (images.shape.length !== 3 || images.data.length < n * PIXELS)
      throw new Error("These files do not belong together.");
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

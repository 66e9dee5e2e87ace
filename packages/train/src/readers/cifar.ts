// CIFAR-10 and CIFAR-100 in their binary version: https://www.cs.toronto.edu/~kriz/cifar.html.

import { fail } from "@nn/tensor";
import { type FileBytes, viewOf } from "./bytes.js";

/** Images of a CIFAR file. */
export interface Cifar {
  /** Pixels (N, 3, 32, 32), 0 to 255. */
  readonly images: Uint8Array;
  /** Classes (N): of CIFAR-100, the fine ones. */
  readonly labels: Int32Array;
  /** Of CIFAR-100, the coarse classes. */
  readonly coarse: Int32Array | null;
}

/**
 * Reads a file such as `data_batch_1.bin` (of CIFAR-10) or `train.bin` (of CIFAR-100).
 *
 * @throws if its size is not that of whole records, or a label is out of range
 * @example
 * ```ts
 * const { images, labels } = readCifar(file);
 * dataset({ data: images, shape: [3, 32, 32], scale: 1 / 255 }, labels);
 * ```
 */
export function readCifar(file: FileBytes, { classes = 10 }: { readonly classes?: 10 | 100 } = {}): Cifar {
  if (classes !== 10 && classes !== 100) fail({ op: "readCifar", expected: "classes 10 or 100", got: `${classes}` });
  const { bytes } = viewOf(file);
  const head = classes === 10 ? 1 : 2;
  const record = head + PIXELS;
  const N = bytes.length / record;
  if (!Number.isInteger(N) || N === 0) {
    fail({
      op: "readCifar",
      expected: `records of ${record} bytes (CIFAR-${classes}, binary version)`,
      got: `a file of ${bytes.length} bytes`,
    });
  }
  const images = new Uint8Array(N * PIXELS);
  for (let i = 0; i < N; i++) images.set(bytes.subarray(i * record + head, (i + 1) * record), i * PIXELS);
  const labels = (offset: number, count: number) =>
    Int32Array.from({ length: N }, (_, i) => {
      const label = bytes[i * record + offset];
      if (label < count) return label;
      return fail({ op: "readCifar", expected: `labels below ${count}`, got: `${label} in record ${i}` });
    });
  return { images, labels: labels(head - 1, classes), coarse: classes === 100 ? labels(0, 20) : null };
}

const PIXELS = 3 * 32 * 32;

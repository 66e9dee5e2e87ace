// IDX, the format of MNIST: http://yann.lecun.com/exdb/mnist. Big-endian: 0, 0, type, number of axes; a u32 per axis; the numbers.

import { fail, show } from "@nn/tensor";
import { type FileBytes, hex, viewOf } from "./bytes.js";

/** What an IDX file holds. */
export interface Idx {
  readonly shape: readonly number[];
  readonly data: Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array;
}

/**
 * Reads an unpacked IDX file. Bytes are a view of the file, other types are copied.
 *
 * @throws if it is another kind of file, or its size is not what its header says
 * @example
 * ```ts
 * const { shape, data } = readIdx(await gunzip(file)); // [60000, 28, 28]
 * dataset({ data, shape: shape.slice(1), scale: 1 / 255 }, Int32Array.from(readIdx(labels).data));
 * ```
 */
export function readIdx(file: FileBytes): Idx {
  const { bytes, view } = viewOf(file);
  const wrong = (expected: string, got: string): never => fail({ op: "readIdx", expected, got });
  if (bytes.length < 4 || bytes[0] !== 0 || bytes[1] !== 0 || !(bytes[2] in TYPES)) {
    const gzip = bytes[0] === 0x1f && bytes[1] === 0x8b ? ": a gzip file, which gunzip() unpacks" : "";
    wrong(
      "an IDX file, which begins with 00 00, a type (08, 09, 0b … 0e) and the number of axes",
      hex(bytes.subarray(0, 4)) + gzip,
    );
  }
  const axes = bytes[3];
  if (axes > 64) wrong("at most 64 axes", `${axes}`);
  const start = 4 + 4 * axes;
  if (bytes.length < start) wrong(`a header of ${start} bytes, for ${axes} axes`, `a file of ${bytes.length} bytes`);
  const shape = Array.from({ length: axes }, (_, i) => view.getUint32(4 + 4 * i));
  const { array, size, read } = TYPES[bytes[2]];
  const count = shape.reduce((a, b) => a * b, 1); // in doubles: inexact only where it cannot be right
  if (bytes.length !== start + count * size) {
    wrong(`${start + count * size} bytes, for ${show(shape)} numbers of ${size}`, `${bytes.length}`);
  }
  if (size === 1) return { shape, data: new array(bytes.buffer as ArrayBuffer, bytes.byteOffset + start, count) };
  const data = new array(count);
  for (let i = 0; i < count; i++) data[i] = read(view, start + i * size);
  return { shape, data };
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

interface Type {
  readonly array: new (a: any, b?: number, c?: number) => Int32Array;
  readonly size: number;
  readonly read: (view: DataView, at: number) => number;
}

const TYPES: Readonly<Record<number, Type>> = {
  8: { array: Uint8Array as never, size: 1, read: (v, at) => v.getUint8(at) },
  9: { array: Int8Array as never, size: 1, read: (v, at) => v.getInt8(at) },
  11: { array: Int16Array as never, size: 2, read: (v, at) => v.getInt16(at) },
  12: { array: Int32Array, size: 4, read: (v, at) => v.getInt32(at) },
  13: { array: Float32Array as never, size: 4, read: (v, at) => v.getFloat32(at) },
  14: { array: Float64Array as never, size: 8, read: (v, at) => v.getFloat64(at) },
};

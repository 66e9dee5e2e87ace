// npy, NumPy's file of one array.

import { fail, show, type Tensor } from "@nn/tensor";
import { encode, toTensor } from "../numbers.js";
import { byteSize, checkStored, type StoredTensor, toBytes, type Where } from "../stored.js";
import { readNpyHeader, writeNpyHeader } from "./header.js";

/**
 * The tensor of an npy file, versions 1 to 3, little or big endian, C or Fortran order. Dtypes as in
 * {@link loadSafetensors}: floats of 16 to 64 bits become f32; integers of up to 16 bits i32; i8 and u8 (64 bits) i32 and
 * u32, or an error if a value does not fit; bool stays bool. Others (complex, text, objects, structured) are an error.
 *
 * Source of the format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 *
 * @param file The whole file. Its bytes are copied.
 * @throws NNError (op `"npy"`) for a truncated, damaged or foreign file, or an array that no tensor can hold.
 *
 * @example
 * ```ts
 * const images = loadNpy(await readBytes("images.npy")); // numpy.save("images.npy", images)
 * ```
 */
export function loadNpy(file: Uint8Array | ArrayBuffer): Tensor {
  return toTensor(WHERE, parseNpy(file));
}

/**
 * An npy file of a tensor, the same bytes as `numpy.save` writes: f32 as `<f4`, i32 as `<i4`, u32 as `<u4`, bool as `|b1`.
 *
 * Source of the format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 *
 * @throws NNError (op `"npy"`) for what is no Tensor.
 *
 * @example
 * ```ts
 * await writePath("logits.npy", await saveNpy(logits));
 * ```
 */
export async function saveNpy(t: Tensor): Promise<Uint8Array<ArrayBuffer>> {
  return serializeNpy(await encode(WHERE, t));
}

/**
 * Takes an npy file apart, without making a tensor. In C order and little endian `data` is a view of `file`, else a copy.
 *
 * @throws NNError (op `"npy"`), as {@link loadNpy}, but any value passes.
 */
export function parseNpy(file: Uint8Array | ArrayBuffer): StoredTensor {
  return readNpy(WHERE, toBytes("npy", file));
}

/**
 * Makes an npy file, version 1.0.
 *
 * @throws NNError (op `"npy"`) for a dtype that NumPy does not have, a bad shape, or data of another size.
 */
export function serializeNpy(stored: StoredTensor): Uint8Array<ArrayBuffer> {
  return writeNpy(WHERE, stored);
}

// ── with the names that errors need ────────────────────────────────────────────────────────────────

const WHERE: Where = { op: "npy", tensor: "the array" };

export function readNpy(where: Where, bytes: Uint8Array): StoredTensor {
  const { dtype, shape, start, bigEndian, fortranOrder } = readNpyHeader(where, bytes);
  const data = bytes.subarray(start);
  const wanted = byteSize(where, dtype, shape);
  if (data.length !== wanted) {
    fail({
      op: where.op,
      expected: `${wanted} bytes of data for ${where.tensor}, ${show(shape)} of ${dtype}`,
      got: `${data.length}`,
      hint: data.length < wanted ? "It is truncated: get the file again." : "It is damaged, or several in one file.",
    });
  }
  const size = data.length / shape.reduce((a, b) => a * b, 1);
  const moved = bigEndian || (fortranOrder && shape.length > 1);
  return { dtype, shape, data: moved ? rearrange(data, size, shape, { bigEndian, fortranOrder }) : data };
}

/** How many bytes a file has that starts so. */
export function npySize(where: Where, start: Uint8Array): number {
  const header = readNpyHeader(where, start);
  return header.start + byteSize(where, header.dtype, header.shape);
}

export function writeNpy(where: Where, stored: StoredTensor): Uint8Array<ArrayBuffer> {
  checkStored(where, stored);
  const header = writeNpyHeader(where, stored.dtype, stored.shape);
  const file = new Uint8Array(header.length + stored.data.length);
  file.set(header);
  file.set(stored.data, header.length);
  return file;
}

/** The elements, `size` bytes each, in C order and little endian. */
function rearrange(
  data: Uint8Array,
  size: number,
  shape: readonly number[],
  { bigEndian, fortranOrder }: { readonly bigEndian: boolean; readonly fortranOrder: boolean },
): Uint8Array {
  const out = new Uint8Array(data.length);
  const steps = shape.map((_, axis) => shape.slice(0, axis).reduce((a, b) => a * b, size));
  const at = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < out.length; to += size) {
    if (!fortranOrder) from = to;
    for (let i = 0; i < size; i++) out[to + i] = data[from + (bigEndian ? size - 1 - i : i)];
    for (let axis = fortranOrder ? shape.length - 1 : -1; axis >= 0; axis--) {
      from += steps[axis];
      if (++at[axis] < shape[axis]) break;
      from -= steps[axis] * shape[axis];
      at[axis] = 0;
    }
  }
  return out;
}

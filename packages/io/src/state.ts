// Tensors from a safetensors file, and a file from tensors: what Module.stateDict() and loadStateDict() exchange.
// The file format itself is in safetensors.ts.

import { type DType, fail, Tensor, tensor } from "@nn/tensor";
import type { StoredDType } from "./dtypes.js";
import { label } from "./header.js";
import { parseSafetensors, type StoredTensor, serializeSafetensors } from "./safetensors.js";

/**
 * The tensors of a safetensors file, by name. For the file's metadata use {@link parseSafetensors}.
 *
 * | in the file | tensor | |
 * | --- | --- | --- |
 * | F32, I32, U32, BOOL | f32, i32, u32, bool | the same values |
 * | F16, BF16 | f32 | exact |
 * | F64 | f32 | rounded to nearest; beyond ±3.4e38: infinity |
 * | I8, U8, I16, U16 | i32 | the same values |
 * | I64, U64 | i32, u32 | an error if a value does not fit |
 *
 * Other dtypes (8-bit floats and smaller, complex) are an error.
 *
 * Source of the format: https://huggingface.co/docs/safetensors/index#format
 *
 * @param file The whole file. Its bytes are copied.
 * @returns An object without prototype, so that any name is safe, in the order of the file's data.
 * @throws NNError (op `"safetensors"`) for a malformed file, or a tensor that has no place in the table.
 *
 * @example
 * ```ts
 * model.loadStateDict(loadSafetensors(await readFile("model.safetensors")));
 * ```
 */
export function loadSafetensors(file: Uint8Array | ArrayBuffer): Record<string, Tensor> {
  // Every tensor is decoded before the first is made, so that an error leaves no memory behind.
  const decoded = [...parseSafetensors(file).tensors].map(([name, stored]) => ({
    name,
    shape: stored.shape,
    ...decode(label(name), stored),
  }));
  const state: Record<string, Tensor> = Object.create(null);
  for (const { name, values, shape, dtype } of decoded) state[name] = tensor(values, { shape, dtype });
  return state;
}

/**
 * A safetensors file of these tensors: f32 as F32, i32 as I32, u32 as U32, bool as BOOL. The same tensors give the same
 * bytes. PyTorch reads it with `safetensors.torch.load_file`.
 *
 * Source of the format: https://huggingface.co/docs/safetensors/index#format
 *
 * @param state By name, e.g. `model.stateDict()`.
 * @param options.metadata Text to text, kept in the file's `__metadata__`. Default: none. (Hugging Face's transformers
 *   wants `{ format: "pt" }`.)
 * @throws NNError (op `"safetensors"`) for what is no Tensor, the name `__metadata__`, or text that UTF-8 cannot write.
 *
 * @example
 * ```ts
 * await writeFile("model.safetensors", await saveSafetensors(model.stateDict(), { metadata: { epoch: "3" } }));
 * ```
 */
export async function saveSafetensors(
  state: Readonly<Record<string, Tensor>>,
  options: { readonly metadata?: Readonly<Record<string, string>> } = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const stored = Object.entries(state).map(async ([name, t]): Promise<[string, StoredTensor]> => {
    checkIsTensor(name, t);
    const values = await t.read();
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const data = t.dtype === "bool" ? Uint8Array.from(values) : bytes;
    return [name, { dtype: STORED[t.dtype], shape: t.shape, data }];
  });
  return serializeSafetensors(new Map(await Promise.all(stored)), options);
}

const STORED = { f32: "F32", i32: "I32", u32: "U32", bool: "BOOL" } as const satisfies Record<DType, StoredDType>;

function checkIsTensor(name: string, t: unknown): void {
  if (t instanceof Tensor) return;
  fail({
    op: "safetensors",
    expected: `${label(name)} to be a Tensor`,
    got: t === null || typeof t !== "object" ? String(t) : (t.constructor?.name ?? "an object"),
    hint: "Pass model.stateDict(); the tensor of a Variable is its value.",
  });
}

// ── from stored bytes to numbers ───────────────────────────────────────────────────────────────────

interface Decoded {
  readonly dtype: DType;
  readonly values:
    | Float32Array
    | Float64Array
    | Int32Array
    | Uint32Array
    | Uint8Array
    | Int8Array
    | Uint16Array
    | Int16Array;
}

function decode(name: string, { dtype, data }: StoredTensor): Decoded {
  switch (dtype) {
    case "F32":
      return { dtype: "f32", values: as(Float32Array, data) };
    case "F64":
      return { dtype: "f32", values: as(Float64Array, data) };
    case "F16":
      return { dtype: "f32", values: Float32Array.from(as(Uint16Array, data), half) };
    case "BF16": // the upper half of an f32
      return { dtype: "f32", values: new Float32Array(Uint32Array.from(as(Uint16Array, data), (h) => h << 16).buffer) };
    case "I32":
      return { dtype: "i32", values: as(Int32Array, data) };
    case "U32":
      return { dtype: "u32", values: as(Uint32Array, data) };
    case "I8":
      return { dtype: "i32", values: as(Int8Array, data) };
    case "U8":
      return { dtype: "i32", values: data };
    case "I16":
      return { dtype: "i32", values: as(Int16Array, data) };
    case "U16":
      return { dtype: "i32", values: as(Uint16Array, data) };
    case "I64":
      return { dtype: "i32", values: Int32Array.from(narrow(name, as(BigInt64Array, data), -(2 ** 31), 2 ** 31 - 1)) };
    case "U64":
      return { dtype: "u32", values: Uint32Array.from(narrow(name, as(BigUint64Array, data), 0, 2 ** 32 - 1)) };
    case "BOOL":
      checkBool(name, data);
      return { dtype: "bool", values: data };
    default:
      return fail({
        op: "safetensors",
        expected: `${name} in a dtype that a tensor can hold`,
        got: dtype,
        hint: "Convert it before saving, e.g. with .to(torch.float32), or take its bytes from parseSafetensors().",
      });
  }
}

/** The bytes as numbers: a view where they are aligned, else of a copy. Host and file are both little-endian. */
function as<T>(
  array: { new (b: ArrayBufferLike, at: number, n: number): T; BYTES_PER_ELEMENT: number },
  data: Uint8Array,
): T {
  const size = array.BYTES_PER_ELEMENT;
  const aligned = data.byteOffset % size === 0 ? data : data.slice();
  return new array(aligned.buffer, aligned.byteOffset, data.length / size);
}

/** IEEE 754 binary16: 1 bit sign, 5 bits exponent (bias 15), 10 bits fraction. */
function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

function* narrow(name: string, values: BigInt64Array | BigUint64Array, min: number, max: number): Iterable<number> {
  for (const [i, value] of values.entries()) {
    if (value >= min && value <= max) yield Number(value);
    else {
      fail({
        op: "safetensors",
        expected: `the 64-bit integers of ${name} to lie in ${min} … ${max}`,
        got: `${value} at element ${i}`,
        hint: "Tensors hold 32 bits. Save it as another dtype, or take its bytes from parseSafetensors().",
      });
    }
  }
}

function checkBool(name: string, data: Uint8Array): void {
  const i = data.findIndex((byte) => byte > 1);
  if (i < 0) return;
  fail({
    op: "safetensors",
    expected: `the bytes of BOOL ${name} to be 0 or 1`,
    got: `${data[i]} at element ${i}`,
    hint: "The file is damaged, or the tensor should have been saved as U8.",
  });
}

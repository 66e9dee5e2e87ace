// Tensors from stored bytes, and stored bytes from tensors; the same for every format.

import { type DType, fail, Tensor, tensor } from "@nn/tensor";
import { kindOf, label, type StoredDType, type StoredTensor, type Where } from "./stored.js";

/** Tensors of everything stored, by name, in an object without prototype, so that any name is safe. */
export function toState(op: string, stored: ReadonlyMap<string, StoredTensor>): Record<string, Tensor> {
  // Every tensor is decoded before the first is made, so that an error leaves no memory behind.
  const decoded = [...stored].map(([name, tensor]) => ({ name, ...decode({ op, tensor: label(name) }, tensor) }));
  const state: Record<string, Tensor> = Object.create(null);
  for (const { name, values, ...spec } of decoded) state[name] = tensor(values, spec);
  return state;
}

/** What is to be stored of a state: f32 as F32, i32 as I32, u32 as U32, bool as BOOL. */
export async function fromState(
  op: string,
  state: Readonly<Record<string, Tensor>>,
): Promise<Map<string, StoredTensor>> {
  const stored = Object.entries(state).map(async ([name, t]): Promise<[string, StoredTensor]> => {
    return [name, await encode({ op, tensor: label(name) }, t)];
  });
  return new Map(await Promise.all(stored));
}

/** The tensor of what is stored. */
export function toTensor(where: Where, stored: StoredTensor): Tensor {
  const { values, ...spec } = decode(where, stored);
  return tensor(values, spec);
}

/** What is to be stored of a tensor. */
export async function encode({ op, tensor }: Where, t: unknown): Promise<StoredTensor> {
  if (!(t instanceof Tensor)) {
    return fail({
      op,
      expected: `${tensor} to be a Tensor`,
      got: t !== null && typeof t === "object" ? kindOf(t) : String(t),
      hint: "Pass model.stateDict(); the tensor of a Variable is its value.",
    });
  }
  const values = await t.read();
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return { dtype: STORED[t.dtype], shape: t.shape, data: t.dtype === "bool" ? Uint8Array.from(values) : bytes };
}

const STORED = { f32: "F32", i32: "I32", u32: "U32", bool: "BOOL" } as const satisfies Record<DType, StoredDType>;

// ── from stored bytes to numbers ───────────────────────────────────────────────────────────────────

interface Decoded {
  readonly dtype: DType;
  readonly shape: readonly number[];
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

function decode(where: Where, { dtype, shape, data }: StoredTensor): Decoded {
  const as32 = (values: Decoded["values"], dtype: DType): Decoded => ({ dtype, shape, values });
  switch (dtype) {
    case "F32":
      return as32(as(Float32Array, data), "f32");
    case "F64":
      return as32(as(Float64Array, data), "f32");
    case "F16":
      return as32(convert(as(Uint16Array, data), Float32Array, half), "f32");
    case "BF16": // the upper half of an f32
      return as32(new Float32Array(convert(as(Uint16Array, data), Uint32Array, (h) => h << 16).buffer), "f32");
    case "I32":
      return as32(as(Int32Array, data), "i32");
    case "U32":
      return as32(as(Uint32Array, data), "u32");
    case "I8":
      return as32(as(Int8Array, data), "i32");
    case "U8":
      return as32(data, "i32");
    case "I16":
      return as32(as(Int16Array, data), "i32");
    case "U16":
      return as32(as(Uint16Array, data), "i32");
    case "I64":
      return as32(convert(as(BigInt64Array, data), Int32Array, within(where, -(2 ** 31), 2 ** 31 - 1)), "i32");
    case "U64":
      return as32(convert(as(BigUint64Array, data), Uint32Array, within(where, 0, 2 ** 32 - 1)), "u32");
    case "BOOL":
      checkBool(where, data);
      return as32(data, "bool");
    default:
      return fail({
        op: where.op,
        expected: `${where.tensor} in a dtype that a tensor can hold`,
        got: dtype,
        hint: "Convert it before saving, e.g. with .to(torch.float32), or take its bytes with parseSafetensors().",
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

/** Not `Array.from(values, f)`: that collects all values in a list before. */
function convert<T, A extends { [i: number]: number }>(
  values: ArrayLike<T>,
  array: new (length: number) => A,
  f: (value: T, i: number) => number,
): A {
  const out = new array(values.length);
  for (let i = 0; i < values.length; i++) out[i] = f(values[i], i);
  return out;
}

/** IEEE 754 binary16: 1 bit sign, 5 bits exponent (bias 15), 10 bits fraction. */
function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

function within({ op, tensor }: Where, min: number, max: number): (value: bigint, i: number) => number {
  return (value, i) => {
    if (value >= min && value <= max) return Number(value);
    return fail({
      op,
      expected: `the 64-bit integers of ${tensor} to lie in ${min} … ${max}`,
      got: `${value} at element ${i}`,
      hint: "Tensors hold 32 bits. Save it as another dtype, or take its bytes with parseSafetensors() or parseNpy().",
    });
  };
}

function checkBool({ op, tensor }: Where, data: Uint8Array): void {
  const i = data.findIndex((byte) => byte > 1);
  if (i < 0) return;
  fail({
    op,
    expected: `the bytes of BOOL ${tensor} to be 0 or 1`,
    got: `${data[i]} at element ${i}`,
    hint: "The file is damaged, or the tensor should have been saved as U8.",
  });
}

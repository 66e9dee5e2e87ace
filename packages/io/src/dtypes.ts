// The element types of the safetensors format, and how many bytes a tensor of them takes.
// Not what they mean: state.ts turns their bytes into numbers.

import { fail, show } from "@nn/tensor";

/**
 * Element types that a safetensors file can name. Source: `Dtype` in huggingface/safetensors,
 * `safetensors/src/tensor.rs`.
 */
export type StoredDType = keyof typeof BITS;

/** Whether a name is one of {@link StoredDType}. */
export function isStoredDType(name: unknown): name is StoredDType {
  return typeof name === "string" && Object.hasOwn(BITS, name);
}

/** Fails for a dtype that the format does not know. */
export function unknownDType(tensor: string, got: unknown): never {
  return fail({
    op: "safetensors",
    expected: `dtype of ${tensor} to be one of ${DTYPES.join(", ")}`,
    got: typeof got === "string" ? JSON.stringify(got.slice(0, 40)) : String(got),
    hint: "The file may come from a newer version of the format: convert the tensor before saving, e.g. to F32.",
  });
}

/** Bytes of a tensor; an error that names `tensor` if there is no such number of bytes. */
export function byteSize(tensor: string, dtype: StoredDType, shape: readonly number[]): number {
  let bits: number = BITS[dtype];
  for (const d of shape) {
    bits *= d;
    if (Number.isSafeInteger(bits)) continue;
    fail({
      op: "safetensors",
      expected: `shape of ${tensor} to have a size below 2^53 bits`,
      got: `${show(shape)} of ${dtype}`,
      hint: "The shape is damaged: get the file again.",
    });
  }
  if (bits % 8 === 0) return bits / 8;
  return fail({
    op: "safetensors",
    expected: `${tensor} to fill whole bytes`,
    got: `shape ${show(shape)} of ${dtype}: ${bits} bits`,
    hint: `Elements of ${dtype} have ${BITS[dtype]} bits: pad the tensor to a multiple of 8 bits.`,
  });
}

/** Order of dtypes in a file: the Python library writes the largest alignment first, and so do we. */
export function dtypeRank(dtype: StoredDType): number {
  return -DTYPES.indexOf(dtype);
}

// ── the table, in the order of the library's enum ──────────────────────────────────────────────────

const BITS = {
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64,
} as const;

const DTYPES = Object.keys(BITS) as StoredDType[];

// A tensor as a file holds it: element type, shape, bytes; the same for every format.
// Not what the bytes mean: numbers.ts turns them into numbers.

import { fail, show } from "@nn/tensor";

/** One tensor as a file holds it. */
export interface StoredTensor {
  readonly dtype: StoredDType;
  readonly shape: readonly number[];
  /** Row-major, little-endian, packed. Where the file has them so, a view of its bytes, at any alignment. */
  readonly data: Uint8Array;
}

/**
 * Element types that a file can name, as safetensors spells them. Source: `Dtype` in huggingface/safetensors,
 * `safetensors/src/tensor.rs`.
 */
export type StoredDType = keyof typeof BITS;

/** What errors name: the format, and the tensor in the file. */
export interface Where {
  readonly op: string;
  readonly tensor: string;
}

/** Most axes that a stored tensor may have: NumPy's limit, far above any real one. */
export const MAX_RANK = 64;

/** Whether a name is one of {@link StoredDType}. */
export function isStoredDType(name: unknown): name is StoredDType {
  return typeof name === "string" && Object.hasOwn(BITS, name);
}

/** Fails for a dtype that the format does not know. */
export function unknownDType({ op, tensor }: Where, got: unknown): never {
  return fail({
    op,
    expected: `dtype of ${tensor} to be one of ${DTYPES.join(", ")}`,
    got: typeof got === "string" ? JSON.stringify(got.slice(0, 40)) : String(got),
    hint: "The file may come from a newer version of the format: convert the tensor before saving, e.g. to F32.",
  });
}

/** Bytes of a tensor; an error that names it if there is no such number of bytes. */
export function byteSize({ op, tensor }: Where, dtype: StoredDType, shape: readonly number[]): number {
  let bits: number = BITS[dtype];
  for (const d of shape) {
    bits *= d;
    if (Number.isSafeInteger(bits)) continue;
    fail({
      op,
      expected: `shape of ${tensor} to have a size below 2^53 bits`,
      got: `${show(shape)} of ${dtype}`,
      hint: "The shape is damaged: get the file again.",
    });
  }
  if (bits % 8 === 0) return bits / 8;
  return fail({
    op,
    expected: `${tensor} to fill whole bytes`,
    got: `shape ${show(shape)} of ${dtype}: ${bits} bits`,
    hint: `Elements of ${dtype} have ${BITS[dtype]} bits: pad the tensor to a multiple of 8 bits.`,
  });
}

/** Fails for what cannot be written: an unknown dtype, a bad shape, or data of another size. */
export function checkStored(where: Where, { dtype, shape, data }: StoredTensor): void {
  const { op, tensor } = where;
  if (!isStoredDType(dtype)) unknownDType(where, dtype);
  if (!Array.isArray(shape) || shape.length > MAX_RANK || !shape.every((d) => Number.isSafeInteger(d) && d >= 0)) {
    fail({
      op,
      expected: `shape of ${tensor} to hold at most ${MAX_RANK} integers ≥ 0`,
      got: JSON.stringify(shape) ?? String(shape),
    });
  }
  const bytes = byteSize(where, dtype, shape);
  if (!(data instanceof Uint8Array) || data.length !== bytes) {
    fail({
      op,
      expected: `data of ${tensor}, ${show(shape)} of ${dtype}, as Uint8Array of ${bytes} bytes`,
      got: data instanceof Uint8Array ? `${data.length} bytes` : typeof data,
      hint: "Of another typed array x: new Uint8Array(x.buffer, x.byteOffset, x.byteLength).",
    });
  }
}

/** Order of dtypes in a file: the Python library writes the largest alignment first, and so do we. */
export function dtypeRank(dtype: StoredDType): number {
  return -DTYPES.indexOf(dtype);
}

// ── names and bytes, as every reader needs them ────────────────────────────────────────────────────

/** How errors name a tensor. */
export function label(name: string): string {
  return `tensor ${quote(name)}`;
}

/** A text in quotes; long ones are cut. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}…` : text);
}

/** Whether a text holds half of a UTF-16 pair, which UTF-8 cannot write. */
export function hasLoneSurrogate(text: string): boolean {
  return /\p{Surrogate}/u.test(text);
}

/** A file's bytes, as readers take them, as a view. */
export function toBytes(op: string, file: unknown): Uint8Array {
  // A view of its own: on Node's Buffer, slice() would not copy.
  if (file instanceof Uint8Array) return new Uint8Array(file.buffer, file.byteOffset, file.byteLength);
  if (file instanceof ArrayBuffer) return new Uint8Array(file);
  return fail({
    op,
    expected: "a file's bytes as Uint8Array or ArrayBuffer",
    got: kindOf(file),
    hint: "Read it first: await readBytes(url or File), or await readPath(path) of @nn/io/node.",
  });
}

/** What errors call a value of a wrong kind. */
export function kindOf(value: unknown): string {
  if (value === null || typeof value !== "object") return value === null ? "null" : typeof value;
  return value.constructor?.name ?? "an object";
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

const DTYPES = /* @__PURE__ */ Object.keys(BITS) as StoredDType[];

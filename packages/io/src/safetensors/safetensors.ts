// The safetensors file format as bytes: what is in a file, and a file from what should be in it.
// Not tensors: state.ts makes those.

import { fail, show } from "@nn/tensor";
import {
  byteSize,
  checkStored,
  dtypeRank,
  hasLoneSurrogate,
  label,
  quote,
  type StoredTensor,
  toBytes,
} from "../stored.js";
import { DAMAGED, type Entry, METADATA, readHeader, writeHeader } from "./header.js";

/** What a safetensors file holds. */
export interface SafetensorsFile {
  /** By name, in the order of their data. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** The file's `__metadata__`, an object without prototype; empty if the file has none. */
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Takes a safetensors file apart, without copying: each tensor's `data` is a view of `file`.
 *
 * Strict, as the format asks: the tensors must cover the data exactly, each byte once; keys must not repeat; an entry
 * has a dtype, a shape and data_offsets and no more. Values are not looked at, so NaN and infinity pass.
 *
 * Source of the format: https://huggingface.co/docs/safetensors/index#format
 *
 * @param file The whole file.
 * @throws NNError (op `"safetensors"`) for a truncated, damaged or foreign file, naming the place in it.
 *
 * @example
 * ```ts
 * const { tensors, metadata } = parseSafetensors(await readFile("model.safetensors"));
 * for (const [name, { dtype, shape }] of tensors) console.log(name, dtype, shape);
 * ```
 */
export function parseSafetensors(file: Uint8Array | ArrayBuffer): SafetensorsFile {
  const bytes = toBytes("safetensors", file);
  const start = 8 + headerLength(bytes);
  const { entries, metadata } = readHeader(decodeUtf8(bytes.slice(8, start)));
  const data = bytes.subarray(start);
  const tensors = new Map<string, StoredTensor>();
  for (const { name, dtype, shape, begin, end } of inDataOrder(entries, data.length)) {
    tensors.set(name, { dtype, shape, data: data.subarray(begin, end) });
  }
  return { tensors, metadata };
}

/**
 * Makes a safetensors file. The same content gives the same bytes, in the layout that the Python library writes:
 * metadata first (keys sorted), then the tensors by falling alignment of their dtype, then by name.
 *
 * Source of the format: https://huggingface.co/docs/safetensors/index#format
 *
 * @param tensors By name; `data` packed, row-major, little-endian.
 * @param options.metadata Text to text, saved as `__metadata__`. Default: none.
 * @throws NNError (op `"safetensors"`) for an unknown dtype, a bad shape, data of another size, or a name that the
 *   format cannot hold.
 *
 * @example
 * ```ts
 * const bytes = serializeSafetensors({ flags: { dtype: "U8", shape: [3], data: Uint8Array.of(1, 0, 2) } });
 * ```
 */
export function serializeSafetensors(
  tensors: ReadonlyMap<string, StoredTensor> | Readonly<Record<string, StoredTensor>>,
  options: { readonly metadata?: Readonly<Record<string, string>> } = {},
): Uint8Array<ArrayBuffer> {
  const metadata = options.metadata ?? {};
  checkMetadata(metadata);
  const list = tensors instanceof Map ? [...tensors] : Object.entries(tensors as Record<string, StoredTensor>);
  for (const [name, tensor] of list) checkTensor(name, tensor);
  list.sort(([a, x], [b, y]) => dtypeRank(x.dtype) - dtypeRank(y.dtype) || compareText(a, b));

  let end = 0;
  const entries = list.map(([name, { dtype, shape, data }]): Entry => {
    return { name, dtype, shape, begin: end, end: (end += data.length) };
  });
  const header = writeHeader({ entries, metadata });
  if (header.length > MAX_HEADER) {
    fail({
      op: "safetensors",
      expected: `a header of at most ${MAX_HEADER} bytes`,
      got: `${header.length}: ${list.length} names and the metadata`,
      hint: "Readers refuse longer ones. Save to several files, or keep large texts elsewhere.",
    });
  }
  const start = 8 + header.length;
  const file = new Uint8Array(start + end);
  new DataView(file.buffer).setBigUint64(0, BigInt(header.length), true);
  file.set(header, 8);
  list.forEach(([, { data }], i) => {
    file.set(data, start + entries[i].begin);
  });
  return file;
}

// ── reading ────────────────────────────────────────────────────────────────────────────────────────

/** The library's own limit: `MAX_HEADER_SIZE` in huggingface/safetensors. */
const MAX_HEADER = 100_000_000;

function headerLength(bytes: Uint8Array): number {
  if (bytes.length < 8) {
    fail({
      op: "safetensors",
      expected: "a file that starts with 8 bytes of header length",
      got: `a file of ${bytes.length} bytes`,
      hint: DAMAGED,
    });
  }
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  if (length < 2n || length > MAX_HEADER) {
    fail({
      op: "safetensors",
      expected: `a header length from 2 to ${MAX_HEADER} in bytes 0 to 7`,
      got: `${length}`,
      hint: `${DAMAGED} (A .pt, .pth or .bin file of PyTorch is another format.)`,
    });
  }
  if (8n + length > bytes.length) {
    fail({
      op: "safetensors",
      expected: `${length} bytes of header after byte 8`,
      got: `a file that ends ${bytes.length - 8} bytes after it`,
      hint: "The file is truncated or its header length is wrong: get it again.",
    });
  }
  return Number(length);
}

function decodeUtf8(header: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(header);
  } catch {
    return fail({
      op: "safetensors",
      expected: `a header (bytes 8 to ${7 + header.length}) in UTF-8`,
      got: "bytes that are not",
      hint: DAMAGED,
    });
  }
}

/** The entries by where their data lies, if they cover `size` bytes exactly. */
function inDataOrder(entries: readonly Entry[], size: number): Entry[] {
  for (const entry of entries) checkEntry(entry, size);
  const sorted = [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end);
  let at = 0;
  let before: string | undefined;
  for (const { name, begin, end } of sorted) {
    if (begin !== at) {
      fail({
        op: "safetensors",
        expected: `${label(name)} to begin at data byte ${at}, where ${before ?? "the data"} ${before ? "ends" : "starts"}`,
        got: `${begin}: ${begin < at ? `${at - begin} bytes overlap` : `a hole of ${begin - at} bytes`}`,
        hint: DAMAGED,
      });
    }
    at = end;
    before = label(name);
  }
  if (at !== size) {
    fail({
      op: "safetensors",
      expected: `the file to end with its last tensor, after ${at} bytes of data`,
      got: `${size - at} more bytes`,
      hint: DAMAGED,
    });
  }
  return sorted;
}

function checkEntry({ name, dtype, shape, begin, end }: Entry, size: number): void {
  const tensor = label(name);
  const offsets = `[${begin}, ${end}]`;
  if (begin > end) {
    fail({
      op: "safetensors",
      expected: `data_offsets [begin, end] of ${tensor} in order`,
      got: offsets,
      hint: DAMAGED,
    });
  }
  const bytes = byteSize({ op: "safetensors", tensor }, dtype, shape);
  if (end - begin !== bytes) {
    fail({
      op: "safetensors",
      expected: `${bytes} bytes for ${tensor}, ${show(shape)} of ${dtype}`,
      got: `data_offsets ${offsets}: ${end - begin} bytes`,
      hint: DAMAGED,
    });
  }
  if (end > size) {
    fail({
      op: "safetensors",
      expected: `data_offsets of ${tensor} inside the file's ${size} bytes of data`,
      got: offsets,
      hint: "The file is truncated or damaged: get it again.",
    });
  }
}

// ── writing ────────────────────────────────────────────────────────────────────────────────────────

function checkTensor(name: string, stored: StoredTensor): void {
  const tensor = label(name);
  if (name === METADATA || hasLoneSurrogate(name)) {
    fail({
      op: "safetensors",
      expected: `a name that UTF-8 can write, other than ${METADATA}`,
      got: tensor,
      hint: "Rename the tensor.",
    });
  }
  checkStored({ op: "safetensors", tensor }, stored);
}

function checkMetadata(metadata: Readonly<Record<string, unknown>>): void {
  for (const [key, value] of Object.entries(metadata)) {
    if (typeof value === "string" && !hasLoneSurrogate(key + value)) continue;
    fail({
      op: "safetensors",
      expected: "metadata to map text to text",
      got: `${quote(key)}: ${typeof value === "string" ? "text that UTF-8 cannot write" : typeof value}`,
      hint: "Store anything else as a string, e.g. with JSON.stringify.",
    });
  }
}

/** Order of the texts' UTF-8 bytes, as the Python library sorts. JavaScript's `<` puts U+10000 before U+E000. */
function compareText(a: string, b: string): number {
  let i = 0;
  while (i < a.length && i < b.length && a[i] === b[i]) i++;
  if (i > 0 && /[\uDC00-\uDFFF]/.test(a[i] ?? b[i] ?? "")) i--; // not between the halves of a pair
  return (a.codePointAt(i) ?? -1) - (b.codePointAt(i) ?? -1);
}

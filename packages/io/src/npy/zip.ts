// A zip archive's entries, each checked: place, size, checksum. Inflating is fflate's; where things lie is read here,
// because an archive is not trusted: no size that it declares takes memory before it is checked against the bytes.

import { fail, NNError } from "@nn/tensor";
import { Inflate, inflateSync } from "fflate";
import { quote } from "../stored.js";

/**
 * The files in an archive, by name, in the archive's order. A stored one is a view of `bytes`, a deflated one a copy.
 *
 * Source of the format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 *
 * @param options.maxBytes what deflated entries may come to, together
 * @param options.sizeFrom what a deflated entry must come to
 */
export function unzip(
  op: string,
  bytes: Uint8Array,
  { maxBytes, sizeFrom }: { readonly maxBytes: number; readonly sizeFrom: SizeFrom },
): Map<string, Uint8Array> {
  const wrong: Wrong = (expected, got, hint = DAMAGED) => fail({ op, expected, got, hint });
  const entries = readDirectory(bytes, wrong);
  const inflated = entries.reduce((sum, e) => sum + (e.deflated ? e.size : 0), 0);
  if (inflated > maxBytes) {
    wrong(`an archive that unpacks to at most ${maxBytes} bytes`, `${inflated}`, "If you trust it, raise maxBytes.");
  }
  const files = new Map<string, Uint8Array>();
  for (const entry of entries) {
    const { name, begin, end, deflated, size, crc } = entry;
    if (files.has(name)) wrong("each name once in the archive", `${quote(name)} again`);
    let file = bytes.subarray(begin, end);
    if (deflated) file = inflate(file, entry, sizeFrom, wrong);
    if (file.length !== size) wrong(`${quote(name)} to hold ${size} bytes`, `${file.length}`);
    if (crc32(file) !== crc) wrong(`the bytes of ${quote(name)} to have their checksum`, "another");
    files.set(name, file);
  }
  return files;
}

// ── the directory ──────────────────────────────────────────────────────────────────────────────────

interface ZipEntry {
  readonly name: string;
  /** Its bytes in the archive, from `begin` to `end` (exclusive). */
  readonly begin: number;
  readonly end: number;
  readonly deflated: boolean;
  /** Bytes when unpacked. */
  readonly size: number;
  readonly crc: number;
}

/** How many bytes a file of this name has, from what it starts with; an error if there is no knowing. */
export type SizeFrom = (name: string, start: Uint8Array) => number;

type Wrong = (expected: string, got: string, hint?: string) => never;

const DAMAGED = "The file is damaged or is no npz file: get it again, or save it with numpy.savez or saveNpz().";

function readDirectory(bytes: Uint8Array, wrong: Wrong): ZipEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tail = findTail(view);
  if (tail < 0) return wrong("an archive that ends with a zip directory", `${bytes.length} bytes without one`);
  const count = view.getUint16(tail + 10, true);
  const start = view.getUint32(tail + 16, true);
  if (count === 0xffff || start === 0xffffffff) {
    return wrong(
      "an archive below 2 GiB and 65535 entries",
      "a zip64 one",
      "Save to several files, or as safetensors.",
    );
  }
  const entries: ZipEntry[] = [];
  let at = start;
  while (at + 46 <= tail && view.getUint32(at, true) === 0x02014b50) {
    const next =
      at + 46 + view.getUint16(at + 28, true) + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    if (next > tail) break;
    entries.push(readEntry(bytes, view, at, start, wrong));
    at = next;
  }
  if (at !== tail || entries.length !== count) {
    return wrong(`${count} entries in the zip directory at byte ${start}`, `${entries.length}, up to byte ${at}`);
  }
  const inOrder = [...entries].sort((a, b) => a.begin - b.begin);
  const overlap = inOrder.find(({ begin }, i) => i > 0 && begin < inOrder[i - 1].end);
  if (overlap) return wrong("entries that lie one after another", `${quote(overlap.name)} inside another`);
  return entries;
}

/** Where the record at the end starts; −1 if there is none. A comment of up to 64 KiB may follow it. */
function findTail(view: DataView): number {
  const last = view.byteLength - 22;
  for (let at = last; at >= 0 && at >= last - 0xffff; at--) {
    if (view.getUint32(at, true) === 0x06054b50 && view.getUint16(at + 20, true) === last - at) return at;
  }
  return -1;
}

/** The entry whose directory record is at `at`, and what its own record, before the data, says. */
function readEntry(bytes: Uint8Array, view: DataView, at: number, end: number, wrong: Wrong): ZipEntry {
  const u16 = (offset: number) => view.getUint16(at + offset, true);
  const u32 = (offset: number) => view.getUint32(at + offset, true);
  const [flags, method, crc, packed, size, place] = [u16(8), u16(10), u32(16), u32(20), u32(24), u32(42)];
  const nameBytes = bytes.slice(at + 46, at + 46 + u16(28));
  const name = decodeName(nameBytes, (flags & 0x800) !== 0, wrong);
  const file = quote(name);
  if (flags & 1) wrong(`${file} to be readable`, "an encrypted one", "Save it without a password.");
  if (method !== 0 && method !== 8) wrong(`${file} to be stored or deflated`, `method ${method}`);
  if ([packed, size, place].includes(0xffffffff)) {
    wrong(`${file} to be below 2 GiB`, "a zip64 entry", "Save to several files, or as safetensors.");
  }
  if (place + 30 > end || view.getUint32(place, true) !== 0x04034b50) wrong(`${file} at byte ${place}`, "none");
  const nameLength = view.getUint16(place + 26, true);
  const begin = place + 30 + nameLength + view.getUint16(place + 28, true);
  const own = bytes.subarray(place + 30, place + 30 + nameLength);
  if (own.length !== nameBytes.length || own.some((byte, i) => byte !== nameBytes[i])) {
    wrong(`the name ${file} at byte ${place}, as in the directory`, "another");
  }
  if (begin + packed > end) wrong(`${packed} bytes of ${file} before the directory`, `${Math.max(0, end - begin)}`);
  // Deflate makes 258 bytes of two bits at the most.
  if (method === 0 ? size !== packed : size > 1032 * packed) {
    wrong(`a size of ${file} that ${packed} bytes in the archive can unpack to`, `${size}`);
  }
  return { name, begin, end: begin + packed, deflated: method === 8, size, crc };
}

function decodeName(bytes: Uint8Array, utf8: boolean, wrong: Wrong): string {
  try {
    if (utf8 || bytes.every((byte) => byte < 128)) {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    }
  } catch {}
  return wrong("names in UTF-8 in the archive", "bytes that are not");
}

// ── the bytes ──────────────────────────────────────────────────────────────────────────────────────

/** The bytes of a deflated file; memory for them is taken when the file itself says as the directory. */
function inflate(data: Uint8Array, { name, size }: ZipEntry, sizeFrom: SizeFrom, wrong: Wrong): Uint8Array {
  try {
    const own = sizeFrom(name, startOf(data));
    if (own !== size) wrong(`${quote(name)} to hold ${own} bytes, as it starts`, `${size} in the zip directory`);
    return inflateSync(data, { out: new Uint8Array(size) });
  } catch (error) {
    if (error instanceof NNError) throw error;
    return wrong(`${quote(name)} to be deflated bytes`, `what cannot be inflated (${(error as Error).message})`);
  }
}

/** What a file starts with, at most 4 MiB of it: deflate makes at most 1032 bytes of one. */
function startOf(data: Uint8Array): Uint8Array {
  let start = new Uint8Array();
  const stream = new Inflate((piece) => {
    start = piece;
  });
  stream.push(data.subarray(0, 4096));
  return start;
}

let table: Int32Array | undefined;

function crc32(bytes: Uint8Array): number {
  table ??= Int32Array.from({ length: 256 }, (_, byte) => {
    for (let bit = 0; bit < 8; bit++) byte = (byte >>> 1) ^ (byte & 1 ? 0xedb88320 : 0);
    return byte;
  });
  let crc = -1;
  for (let i = 0; i < bytes.length; i++) crc = table[(crc ^ bytes[i]) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}

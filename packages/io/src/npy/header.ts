// Reads and writes the header of an npy file: a magic number, a version, and a Python dict of three keys as text.

import { fail } from "@nn/tensor";
import { MAX_RANK, quote, type StoredDType, type Where } from "../stored.js";

export interface NpyHeader {
  readonly dtype: StoredDType;
  /** Whether the bytes of each element stand in the other order than ours. */
  readonly bigEndian: boolean;
  /** Whether the first index runs fastest, not the last. */
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
  /** Where the data starts in the file. */
  readonly start: number;
}

/** Parses what stands before the data; how much data there is is for the caller. */
export function readNpyHeader(where: Where, bytes: Uint8Array): NpyHeader {
  const wrong = (expected: string, got: string, hint = DAMAGED): never => fail({ op: where.op, expected, got, hint });
  if (bytes.length < 12 || MAGIC.some((byte, i) => byte !== bytes[i])) {
    const got = bytes.length < 12 ? `${bytes.length} bytes` : hex(bytes.subarray(0, MAGIC.length));
    wrong(`${where.tensor} to start with ${hex(MAGIC)} ("\\x93NUMPY") and a header`, got);
  }
  const [major, minor] = bytes.subarray(6, 8);
  if (major < 1 || major > 3 || minor !== 0) wrong("npy version 1.0, 2.0 or 3.0", `${major}.${minor}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  const begin = major === 1 ? 10 : 12;
  if (length > MAX_HEADER) wrong(`a header of at most ${MAX_HEADER} bytes`, `${length}`, `${DAMAGED} ${STRUCTURED}`);
  if (begin + length > bytes.length) wrong(`${length} bytes of header`, `a file of ${bytes.length} bytes`);
  const dict = readDict(new TextDecoder().decode(bytes.slice(begin, begin + length)), wrong);
  return { ...dict, start: begin + length };
}

/** The bytes before the data; the same as NumPy writes, so that the data starts at a multiple of 64. */
export function writeNpyHeader({ op, tensor }: Where, dtype: StoredDType, shape: readonly number[]): Uint8Array {
  const descr = Object.keys(DTYPES).find((key) => DTYPES[key] === dtype);
  if (descr === undefined) {
    return fail({
      op,
      expected: `${tensor} in a dtype that NumPy has`,
      got: dtype,
      hint: "Convert it to F32, or save it as safetensors.",
    });
  }
  const order = descr.endsWith("1") ? "|" : "<";
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const dict = `{'descr': '${order}${descr}', 'fortran_order': False, 'shape': ${tuple}, }`;
  // NumPy leaves room for a first axis of 21 digits, for those who append rows later.
  const text = dict + " ".repeat(shape.length > 0 ? 21 - `${shape[0]}`.length : 0);
  const total = Math.ceil((10 + text.length + 1) / 64) * 64;
  const bytes = new Uint8Array(total).fill(0x20);
  bytes.set(MAGIC);
  bytes.set([1, 0, (total - 10) & 255, (total - 10) >> 8], 6);
  bytes.set(new TextEncoder().encode(text), 10);
  bytes[total - 1] = 0x0a;
  return bytes;
}

// ── the dict ───────────────────────────────────────────────────────────────────────────────────────

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/** NumPy's own limit: `max_header_size` of `numpy.load`. */
const MAX_HEADER = 10_000;

/** NumPy's names, without byte order, and ours. */
const DTYPES: Readonly<Record<string, StoredDType>> = {
  b1: "BOOL",
  i1: "I8",
  u1: "U8",
  i2: "I16",
  u2: "U16",
  f2: "F16",
  i4: "I32",
  u4: "U32",
  f4: "F32",
  i8: "I64",
  u8: "U64",
  f8: "F64",
};

const DAMAGED = "The file is damaged or is no npy file: get it again, or save it with numpy.save or saveNpy().";
const STRUCTURED = "Structured arrays, text and Python objects cannot be read: save each as an array of numbers.";

type Wrong = (expected: string, got: string, hint?: string) => never;

/** `'key': value,` where the value is text in quotes, True or False, or what stands between brackets. */
const MEMBER = /^\s*(?:'(\w+)'|"(\w+)")\s*:\s*(?:'([^'\\]*)'|"([^"\\]*)"|(True|False)|\(([^()]*)\))\s*(?:,|$)/;

function readDict(text: string, wrong: Wrong): Omit<NpyHeader, "start"> {
  const body = /^\s*\{([^{}]*)\}\s*$/.exec(text)?.[1];
  if (body === undefined) return wrong("the header to be a dict, { … }", quote(text), `${DAMAGED} ${STRUCTURED}`);
  const found = new Map<string, string>();
  for (let rest = body.trimEnd(); rest !== ""; ) {
    const member = MEMBER.exec(rest);
    if (member === null) {
      return wrong(
        "'descr', 'fortran_order' and 'shape' in the header",
        quote(rest.trim()),
        `${DAMAGED} ${STRUCTURED}`,
      );
    }
    const [all, single, double, ...values] = member;
    const key = single ?? double;
    if (!KEYS.includes(key) || found.has(key))
      return wrong(`only ${KEYS.join(", ")} in the header, each once`, quote(key));
    // A value of another kind than its key's must not pass for one, such as "True" in quotes.
    const at = values.findIndex((value) => value !== undefined);
    const kind = KEYS.indexOf(key);
    if (Math.max(0, at - 1) !== kind) return wrong(`${KINDS[kind]} for ${key}`, quote(all.trim()));
    found.set(key, values[at]);
    rest = rest.slice(all.length);
  }
  const missing = KEYS.find((key) => !found.has(key));
  if (missing !== undefined) return wrong(`${missing} in the header`, "none");
  return {
    ...readDescr(found.get("descr")!, wrong),
    fortranOrder: found.get("fortran_order") === "True",
    shape: readShape(found.get("shape")!, wrong),
  };
}

const KEYS = ["descr", "fortran_order", "shape"];
const KINDS = ["text", "True or False", "a tuple"];

function readDescr(descr: string, wrong: Wrong): { dtype: StoredDType; bigEndian: boolean } {
  const order = /^[<>=|]/.test(descr) ? descr[0] : "=";
  const name = descr.replace(/^[<>=|]/, "");
  if (Object.hasOwn(DTYPES, name) && (order !== "|" || name.endsWith("1"))) {
    return { dtype: DTYPES[name], bigEndian: order === ">" && !name.endsWith("1") };
  }
  return wrong(`descr to be one of ${Object.keys(DTYPES).join(", ")}, with < or > before it`, quote(descr), STRUCTURED);
}

/** `2, 3` or `2,` or nothing, as Python writes tuples; Python 2 wrote long integers as `2L`. */
function readShape(tuple: string, wrong: Wrong): number[] {
  const items = tuple.split(",", MAX_RANK + 2).map((item) => item.trim());
  if (items.length > 1 || items[0] === "") {
    if (items.at(-1) === "") items.pop();
    const shape = items.map((item) => (/^(?:0|[1-9]\d*)L?$/.test(item) ? Number.parseInt(item, 10) : Number.NaN));
    if (shape.length <= MAX_RANK && shape.every(Number.isSafeInteger)) return shape;
  }
  return wrong(`shape to be a tuple of at most ${MAX_RANK} integers from 0 to 2^53 - 1`, quote(`(${tuple})`));
}

function hex(bytes: ArrayLike<number>): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

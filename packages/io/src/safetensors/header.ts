// Reads and writes the JSON header of a safetensors file: flat entries, and nothing else that JSON can say.
// Not a JSON parser on purpose. JSON.parse keeps the last of two equal keys, rounds large integers, and builds
// whatever nesting a hostile file asks for; this reader knows the header's grammar and stops at the first surprise.

import { fail } from "@nn/tensor";
import { hasLoneSurrogate, isStoredDType, label, MAX_RANK, quote, type StoredDType, unknownDType } from "../stored.js";

/** Where one tensor lies in the data section: bytes `begin` to `end` (exclusive). */
export interface Entry {
  readonly name: string;
  readonly dtype: StoredDType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

export interface Header {
  readonly entries: readonly Entry[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** The key of the text-to-text map beside the tensors; no tensor can have this name. */
export const METADATA = "__metadata__";

/** Parses the header's text. Offsets are checked to be integers only; how they fit together is for the caller. */
export function readHeader(text: string): Header {
  if (text[0] !== "{") {
    fail({
      op: "safetensors",
      expected: "the header (from byte 8 on) to start with '{'",
      got: text === "" ? "nothing" : JSON.stringify(text.slice(0, 12)),
      hint: DAMAGED,
    });
  }
  const cursor = new Cursor(text);
  const entries: Entry[] = [];
  let metadata: Record<string, string> = Object.create(null);
  cursor.object("the header", (name) => {
    if (name === METADATA) metadata = readMetadata(cursor);
    else entries.push(readEntry(cursor, name));
  });
  cursor.end();
  return { entries, metadata };
}

/** The header's text, padded with spaces so that the data after it starts at a multiple of 8 bytes. */
export function writeHeader({ entries, metadata }: Header): Uint8Array {
  const members = entries.map(({ name, dtype, shape, begin, end }) => {
    return `${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [begin, end] })}`;
  });
  const keys = Object.keys(metadata).sort();
  if (keys.length > 0) {
    const texts = keys.map((key) => `${JSON.stringify(key)}:${JSON.stringify(metadata[key])}`);
    members.unshift(`"${METADATA}":{${texts.join(",")}}`);
  }
  const text = new TextEncoder().encode(`{${members.join(",")}}`);
  const padded = new Uint8Array(Math.ceil(text.length / 8) * 8).fill(0x20);
  padded.set(text);
  return padded;
}

export const DAMAGED =
  "The file is damaged or is no safetensors file: get it again, or save it with safetensors.torch.save_file or saveSafetensors().";

// ── the grammar ────────────────────────────────────────────────────────────────────────────────────

function readMetadata(cursor: Cursor): Record<string, string> {
  const metadata: Record<string, string> = Object.create(null);
  cursor.object(METADATA, (key) => {
    metadata[key] = cursor.string(`a string for ${METADATA}[${quote(key)}] (text to text only)`);
  });
  return metadata;
}

function readEntry(cursor: Cursor, name: string): Entry {
  const tensor = label(name);
  let dtype: string | undefined;
  let shape: number[] | undefined;
  let offsets: number[] | undefined;
  cursor.object(tensor, (key) => {
    if (key === "dtype") dtype = cursor.string(`a string for dtype of ${tensor}`);
    else if (key === "shape") shape = cursor.integers(`shape of ${tensor}`);
    else if (key === "data_offsets") offsets = cursor.integers(`data_offsets of ${tensor}`, 2);
    else cursor.fail(`only dtype, shape and data_offsets in ${tensor}`, `the key ${quote(key)}`);
  });
  if (dtype === undefined) return cursor.fail(`a dtype in ${tensor}`, "none");
  if (shape === undefined) return cursor.fail(`a shape in ${tensor}`, "none");
  if (offsets === undefined) return cursor.fail(`data_offsets in ${tensor}`, "none");
  if (!isStoredDType(dtype)) return unknownDType({ op: "safetensors", tensor }, dtype);
  const [begin, end] = offsets;
  return { name, dtype, shape, begin, end };
}

// ── reading text ───────────────────────────────────────────────────────────────────────────────────

class Cursor {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Fails here. `got` is what stands at the cursor, if the caller has no better words. */
  fail(expected: string, got = this.#next()): never {
    const where = this.#at >= this.#text.length ? "the end" : `character ${this.#at}`;
    return fail({ op: "safetensors", expected, got: `${got} at ${where} of the header`, hint: DAMAGED });
  }

  /** Fails unless only white space is left. */
  end(): void {
    if (this.#peek() !== "") this.fail("nothing but spaces after the header's last '}'");
  }

  /** `{ "key": …, … }`; `member` reads the value. Each key once. */
  object(what: string, member: (key: string) => void): void {
    const keys = new Set<string>();
    this.#sequence(what, "{", "}", () => {
      const key = this.string(`a key in ${what}`);
      if (keys.has(key)) this.fail(`each key once in ${what}`, `${quote(key)} again`);
      keys.add(key);
      if (!this.#take(":")) this.fail(`':' after ${quote(key)} in ${what}`);
      member(key);
    });
  }

  /**
   * `[1, 2, …]`: integers from 0 to 2^53 − 1, written as digits only; `count` of them, if given.
   * Never more than a shape can have, so that a long list takes no memory.
   */
  integers(what: string, count?: number): number[] {
    const list: number[] = [];
    this.#sequence(what, "[", "]", () => {
      if (list.length === MAX_RANK) this.fail(`${what} to hold at most ${MAX_RANK} numbers`, "more");
      this.#peek();
      DIGITS.lastIndex = this.#at;
      const digits = DIGITS.exec(this.#text)?.[0];
      if (digits === undefined || !Number.isSafeInteger(Number(digits))) {
        return this.fail(`${what} to hold integers from 0 to 2^53 - 1`);
      }
      this.#at += digits.length;
      list.push(Number(digits));
    });
    if (count !== undefined && list.length !== count) this.fail(`${what} to hold ${count} numbers`, `${list.length}`);
    return list;
  }

  string(expected: string): string {
    if (this.#peek() !== '"') this.fail(expected);
    const start = this.#at;
    let end = start + 1;
    while (end < this.#text.length && this.#text[end] !== '"') end += this.#text[end] === "\\" ? 2 : 1;
    const value = parseString(this.#text.slice(start, end + 1));
    if (value === undefined) return this.fail(`${expected}, as JSON writes strings`);
    this.#at = end + 1;
    return value;
  }

  #sequence(what: string, open: string, close: string, item: () => void): void {
    if (!this.#take(open)) this.fail(`'${open}' to open ${what}`);
    if (this.#take(close)) return;
    do item();
    while (this.#take(","));
    if (!this.#take(close)) this.fail(`',' or '${close}' in ${what}`);
  }

  /** Skips white space; the character there, or "" at the end. */
  #peek(): string {
    while (this.#at < this.#text.length && " \n\r\t".includes(this.#text[this.#at])) this.#at++;
    return this.#text[this.#at] ?? "";
  }

  #take(char: string): boolean {
    if (this.#peek() !== char) return false;
    this.#at++;
    return true;
  }

  #next(): string {
    return this.#peek() === "" ? "nothing" : JSON.stringify(this.#text.slice(this.#at, this.#at + 20));
  }
}

/** A JSON integer without sign, fraction, exponent or leading zero, e.g. not `1.0`, `1e2` or `007`. */
const DIGITS = /(?:0|[1-9][0-9]*)(?![0-9.eE])/y;

/** One JSON string literal's value; `undefined` if it is none, or not a text that UTF-8 can write. */
function parseString(literal: string): string | undefined {
  try {
    const value: string = JSON.parse(literal);
    return hasLoneSurrogate(value) ? undefined : value;
  } catch {
    return undefined;
  }
}

import { readdirSync, readFileSync } from "node:fs";
import { NNError } from "@nn/tensor";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { byteSize, type StoredDType } from "./dtypes.js";
import { parseSafetensors, type StoredTensor, serializeSafetensors } from "./safetensors.js";

/** A file with this header text, or this object as header, and this many (or these) bytes of data. */
function file(header: string | object, data: number | Uint8Array = 0): Uint8Array {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  return raw(BigInt(text.length), text, typeof data === "number" ? new Uint8Array(data) : data);
}

function raw(length: bigint, ...parts: Uint8Array[]): Uint8Array {
  const start = new Uint8Array(8);
  new DataView(start.buffer).setBigUint64(0, length, true);
  return Uint8Array.from([start, ...parts].flatMap((p) => [...p]));
}

const f32 = (shape: unknown, begin: unknown, end: unknown) => ({ dtype: "F32", shape, data_offsets: [begin, end] });

function errorOf(body: () => unknown): NNError {
  try {
    body();
  } catch (e) {
    if (e instanceof NNError) return e;
    throw e;
  }
  throw new Error("nothing was thrown");
}

describe("malformed files: each a clear error", () => {
  const one = f32([2], 0, 8);
  const cases: Record<string, [bytes: Uint8Array, message: RegExp]> = {
    "no bytes": [new Uint8Array(0), /8 bytes of header length, got a file of 0 bytes/],
    "7 bytes": [new Uint8Array(7), /got a file of 7 bytes/],
    "header length 0": [raw(0n), /header length from 2 to 100000000 in bytes 0 to 7, got 0/],
    "header length over 100 MB": [raw(100_000_001n), /from 2 to 100000000 in bytes 0 to 7, got 100000001/],
    "header length 2^64 - 1": [raw(2n ** 64n - 1n), /got 18446744073709551615/],
    "header length past the file": [raw(3n, Uint8Array.of(0x7b, 0x7d)), /3 bytes of header.*ends 2 bytes after/],
    "header cut off": [file({ a: one }, 8).subarray(0, 30), /bytes of header after byte 8.*truncated/],
    "header not UTF-8": [raw(4n, Uint8Array.of(0x7b, 0xff, 0xfe, 0x7d)), /header \(bytes 8 to 11\) in UTF-8/],
    "byte order mark": [file("\uFEFF{}"), /to start with '\{'/],
    "space before the header": [file(" {}"), /to start with '\{', got " \{\}"/],
    "header a list": [file("[1]"), /to start with '\{', got "\[1\]"/],
    "header no JSON": [file("{nonsense}"), /a key in the header, got "nonsense\}" at character 1/],
    "header open": [file('{"a":'), /'\{' to open tensor "a", got nothing at the end/],
    "string open": [file('{"a\\"'), /a key in the header, as JSON writes strings/],
    "bad escape": [file('{"a\\x":1}'), /as JSON writes strings/],
    "control character in a string": [file('{"a\n":1}'), /as JSON writes strings/],
    "half a surrogate pair": [file('{"\\ud800":{}}'), /as JSON writes strings/],
    "trailing comma": [file("{,}"), /a key in the header/],
    "no colon": [file('{"a" 1}'), /':' after "a" in the header, got "1\}"/],
    "text after the header": [file("{} x"), /nothing but spaces after.*got "x" at character 3/],
    "NUL padding": [file("{}\0\0"), /nothing but spaces after/],
    "entry a number": [file({ a: 1 }), /'\{' to open tensor "a", got "1\}"/],
    "entry null": [file({ a: null }), /'\{' to open tensor "a"/],
    "deep nesting": [file(`{"a":${"[".repeat(1e5)}`), /'\{' to open tensor "a"/],
    "entry with another key": [file({ a: { ...one, x: 1 } }, 8), /only dtype, shape and data_offsets in tensor "a"/],
    "no dtype": [file({ a: { shape: [], data_offsets: [0, 4] } }, 4), /a dtype in tensor "a", got none/],
    "no shape": [file({ a: { dtype: "F32", data_offsets: [0, 4] } }, 4), /a shape in tensor "a", got none/],
    "no data_offsets": [file({ a: { dtype: "F32", shape: [] } }), /data_offsets in tensor "a", got none/],
    "dtype unknown": [file({ a: { ...one, dtype: "F31" } }, 8), /dtype of tensor "a" to be one of BOOL,.*got "F31"/],
    "dtype of Object": [file({ a: { ...one, dtype: "constructor" } }, 8), /got "constructor"/],
    "dtype __proto__": [file({ a: { ...one, dtype: "__proto__" } }, 8), /got "__proto__"/],
    "dtype in small letters": [file({ a: { ...one, dtype: "f32" } }, 8), /got "f32"/],
    "dtype a number": [file({ a: { ...one, dtype: 4 } }, 8), /a string for dtype of tensor "a", got "4/],
    "shape negative": [file({ a: f32([-2], 0, 8) }, 8), /shape of tensor "a" to hold integers.*got "-2/],
    "shape a fraction": [file({ a: f32([0.5], 0, 2) }, 2), /shape of tensor "a" to hold integers.*got "0.5/],
    "shape 2.0": [file('{"a":{"dtype":"U8","shape":[2.0],"data_offsets":[0,2]}}', 2), /to hold integers.*got "2\.0/],
    "shape 2e0": [file('{"a":{"dtype":"U8","shape":[2e0],"data_offsets":[0,2]}}', 2), /to hold integers.*got "2e0/],
    "shape 02": [file('{"a":{"dtype":"U8","shape":[02],"data_offsets":[0,2]}}', 2), /to hold integers.*got "02/],
    "shape -0": [file('{"a":{"dtype":"U8","shape":[-0],"data_offsets":[0,0]}}'), /to hold integers.*got "-0/],
    "shape 2^53": [file({ a: f32([2 ** 53], 0, 8) }, 8), /to hold integers from 0 to 2\^53 - 1, got "9007199254740992/],
    "shape text": [file({ a: f32(["2"], 0, 8) }, 8), /to hold integers/],
    "shape nested": [file({ a: f32([[2]], 0, 8) }, 8), /to hold integers/],
    "shape no list": [file({ a: f32(2, 0, 8) }, 8), /'\[' to open shape of tensor "a"/],
    "shape overflows": [
      file({ a: f32([2 ** 30, 2 ** 30], 0, 8) }, 8),
      /a size below 2\^53 bits, got \(1073741824, 107/,
    ],
    "half a byte": [file({ a: { dtype: "F4", shape: [3], data_offsets: [0, 1] } }, 1), /whole bytes.*12 bits/],
    "offsets: three": [
      file('{"a":{"data_offsets":[0,8,8]}}', 8),
      /data_offsets of tensor "a" to hold 2 numbers, got 3/,
    ],
    "offsets: one": [file('{"a":{"data_offsets":[0]}}', 8), /to hold 2 numbers, got 1/],
    "offsets: negative": [file({ a: f32([2], -8, 0) }, 8), /data_offsets of tensor "a" to hold integers/],
    "offsets: begin > end": [
      file({ a: f32([2], 8, 0) }, 8),
      /data_offsets \[begin, end\] of tensor "a" in order, got \[8, 0\]/,
    ],
    "offsets: past the file": [file({ a: one }, 7), /inside the file's 7 bytes of data, got \[0, 8\].*truncated/],
    "offsets: size is not the shape's": [
      file({ a: f32([3], 0, 8) }, 8),
      /12 bytes for tensor "a", \(3\) of F32, got.*8 bytes/,
    ],
    overlap: [
      file({ a: one, b: f32([2], 4, 12) }, 12),
      /tensor "b" to begin at data byte 8, where tensor "a" ends, got 4: 4 bytes overlap/,
    ],
    "same bytes twice": [file({ a: one, b: one }, 8), /tensor "b" to begin at data byte 8.*8 bytes overlap/],
    hole: [file({ a: one, b: f32([1], 12, 16) }, 16), /tensor "b" to begin at data byte 8.*a hole of 4 bytes/],
    "hole at the start": [
      file({ a: f32([1], 4, 8) }, 8),
      /tensor "a" to begin at data byte 0, where the data starts, got 4/,
    ],
    "trailing bytes": [file({ a: one }, 9), /end with its last tensor, after 8 bytes of data, got 1 more/],
    "data without tensors": [file({}, 1), /after 0 bytes of data, got 1 more/],
    "tensor twice": [
      file(`{"a":${JSON.stringify(one)},"a":${JSON.stringify(one)}}`, 8),
      /each key once in the header, got "a" again/,
    ],
    "tensor twice, spelt differently": [
      file(`{"a":${JSON.stringify(one)},"\\u0061":${JSON.stringify(one)}}`, 8),
      /each key once in the header, got "a" again/,
    ],
    "__proto__ twice": [
      file(`{"__proto__":${JSON.stringify(one)},"__proto__":${JSON.stringify(one)}}`, 8),
      /each key once in the header, got "__proto__" again/,
    ],
    "dtype twice": [file('{"a":{"dtype":"F32","dtype":"I32"}}'), /each key once in tensor "a", got "dtype" again/],
    "metadata twice": [file('{"__metadata__":{},"__metadata__":{}}'), /each key once in the header/],
    "metadata key twice": [file('{"__metadata__":{"k":"1","k":"2"}}'), /each key once in __metadata__, got "k" again/],
    "metadata a number": [
      file({ __metadata__: { k: 1 } }),
      /a string for __metadata__\["k"\] \(text to text only\), got "1/,
    ],
    "metadata nested": [file({ __metadata__: { k: {} } }), /a string for __metadata__\["k"\]/],
    "metadata no object": [file({ __metadata__: "x" }), /'\{' to open __metadata__/],
  };

  test.each(Object.entries(cases))("%s", (_, [bytes, message]) => {
    const error = errorOf(() => parseSafetensors(bytes));
    expect(error.message).toMatch(message);
    expect(error.op).toBe("safetensors");
    expect(error.hint).toBeTruthy();
  });

  test("what is not bytes", () => {
    for (const wrong of ["model.safetensors", null, undefined, [1, 2], new Float32Array(4), Promise.resolve()]) {
      expect(errorOf(() => parseSafetensors(wrong as never)).message).toMatch(/bytes as Uint8Array or ArrayBuffer/);
    }
  });

  test("long names are cut in messages", () => {
    const error = errorOf(() => parseSafetensors(file({ ["x".repeat(1e5)]: f32([3], 0, 8) }, 8)));
    expect(error.message.length).toBeLessThan(600);
  });
});

describe("well-formed files", () => {
  test("no tensors", () => {
    for (const text of ["{}", "{}      ", '{"__metadata__":{}}', "{ }\n"]) {
      const { tensors, metadata } = parseSafetensors(file(text));
      expect(tensors.size).toBe(0);
      expect(Object.keys(metadata)).toEqual([]);
    }
  });

  test("white space and escapes as JSON allows them", () => {
    const text = '{ "\\u00e4\\n\\"\\\\" :\t{"shape" : [ ],"data_offsets":[0 ,\r\n1],"dtype":"U\\u0038"} }';
    const { tensors } = parseSafetensors(file(text, Uint8Array.of(7)));
    expect([...tensors]).toEqual([['ä\n"\\', { dtype: "U8", shape: [], data: Uint8Array.of(7) }]]);
  });

  test("tensors come in the order of their data, empty ones and scalars too", () => {
    const header = { b: f32([], 4, 8), "10": f32([0, 3], 8, 8), a: f32([1, 1], 0, 4), "9": f32([0], 4, 4) };
    const { tensors } = parseSafetensors(file(header, 8));
    expect([...tensors.keys()]).toEqual(["a", "9", "b", "10"]);
    expect(tensors.get("10")).toEqual({ dtype: "F32", shape: [0, 3], data: new Uint8Array(0) });
  });

  test("data are views of the file, also of a file inside a larger buffer", () => {
    const inner = file({ a: { dtype: "U8", shape: [3], data_offsets: [0, 3] } }, Uint8Array.of(1, 2, 3));
    const outer = new Uint8Array(inner.length + 5);
    outer.set(inner, 5);
    const data = parseSafetensors(outer.subarray(5)).tensors.get("a")!.data;
    expect([...data]).toEqual([1, 2, 3]);
    expect(data.buffer).toBe(outer.buffer);
    expect([...parseSafetensors(inner.buffer as ArrayBuffer).tensors.get("a")!.data]).toEqual([1, 2, 3]);
  });

  test("names of Object.prototype are names like any other", () => {
    const names = ["__proto__", "constructor", "toString", "hasOwnProperty", ""];
    const stored: StoredTensor = { dtype: "U8", shape: [1], data: Uint8Array.of(1) };
    const metadata = JSON.parse('{"__proto__":"p","constructor":"c"}');
    const back = parseSafetensors(serializeSafetensors(new Map(names.map((n) => [n, stored])), { metadata }));
    expect(new Set(back.tensors.keys())).toEqual(new Set(names));
    expect(Object.entries(back.metadata)).toEqual([
      ["__proto__", "p"],
      ["constructor", "c"],
    ]);
    expect(back.metadata["toString"]).toBeUndefined();
    expect(({} as Record<string, unknown>)["p"]).toBeUndefined();
  });

  const golden = new URL("../../testing/golden/", import.meta.url);
  const files = readdirSync(golden).filter((name) => name.endsWith(".safetensors"));
  test("the golden files are there", () => expect(files.length).toBeGreaterThanOrEqual(10));
  test.each(files)("golden/%s", (name) => {
    const bytes = readFileSync(new URL(name, golden));
    const { tensors, metadata } = parseSafetensors(bytes);
    expect(metadata["family"]).toBe(name.replace(".safetensors", ""));
    expect(tensors.size).toBeGreaterThan(50);
    expect(parseSafetensors(serializeSafetensors(tensors, { metadata })).tensors).toEqual(
      new Map([...tensors].map(([key, { dtype, shape, data }]) => [key, { dtype, shape, data: new Uint8Array(data) }])),
    );
  });
});

describe("writing", () => {
  const u8 = (...values: number[]): StoredTensor => ({
    dtype: "U8",
    shape: [values.length],
    data: Uint8Array.from(values),
  });

  test("the bytes, spelt out", () => {
    const bytes = serializeSafetensors({ t: u8(1, 2, 255) }, { metadata: { format: "pt" } });
    const text = '{"__metadata__":{"format":"pt"},"t":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}';
    expect(text.length % 8).toBe(4);
    expect(bytes).toEqual(file(`${text}    `, Uint8Array.of(1, 2, 255)));
  });

  test("no tensors: as the Python library writes it", () => {
    expect([...serializeSafetensors({})]).toEqual([8, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d, 32, 32, 32, 32, 32, 32]);
  });

  test("order: largest alignment first, then names by their UTF-8 bytes; not the caller's order", () => {
    const zero = (dtype: StoredDType): StoredTensor => ({ dtype, shape: [0], data: new Uint8Array(0) });
    const tensors: [string, StoredTensor][] = [
      ["z", zero("F32")], ["\u{10000}", zero("F32")], ["\uE000", zero("F32")], ["a.10", zero("F32")],
      ["a", zero("F32")], ["\u{10001}", zero("F32")], ["a.2", zero("F32")], ["i", zero("I64")],
      ["h", zero("F16")], ["b", zero("BOOL")], ["j", zero("I32")],
    ]; // biome-ignore format: a table
    const order = ["i", "a", "a.10", "a.2", "z", "\uE000", "\u{10000}", "\u{10001}", "j", "h", "b"];
    const header = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    const text = header(serializeSafetensors(new Map(tensors)));
    expect(Object.keys(JSON.parse(text.slice(8)))).toEqual(order);
    expect(header(serializeSafetensors(new Map(tensors.reverse())))).toBe(text);
  });

  test("what cannot be written", () => {
    const refuse = (tensors: Record<string, unknown>, metadata: Record<string, unknown>, message: RegExp) =>
      expect(errorOf(() => serializeSafetensors(tensors as never, { metadata: metadata as never })).message).toMatch(
        message,
      );
    refuse({ a: { ...u8(1), dtype: "U9" } }, {}, /dtype of tensor "a" to be one of.*got "U9"/);
    refuse({ a: { ...u8(1), dtype: "toString" } }, {}, /got "toString"/);
    refuse({ a: { ...u8(1), shape: [-1] } }, {}, /shape of tensor "a" to hold integers ≥ 0, got \[-1\]/);
    refuse({ a: { ...u8(1), shape: [0.5] } }, {}, /integers ≥ 0, got \[0.5\]/);
    refuse({ a: { ...u8(1), shape: undefined } }, {}, /integers ≥ 0, got undefined/);
    refuse({ a: { ...u8(1), shape: [2 ** 40, 2 ** 40] } }, {}, /below 2\^53 bits/);
    refuse(
      { a: { ...u8(1), shape: [2] } },
      {},
      /data of tensor "a", \(2\) of U8, as Uint8Array of 2 bytes, got 1 bytes/,
    );
    refuse({ a: { ...u8(1), data: new Float32Array(1) } }, {}, /Uint8Array of 1 bytes, got object/);
    refuse({ a: { dtype: "F4", shape: [1], data: new Uint8Array(1) } }, {}, /whole bytes/);
    refuse({ __metadata__: u8(1) }, {}, /a name that UTF-8 can write, other than __metadata__/);
    refuse({ "\ud800": u8(1) }, {}, /a name that UTF-8 can write/);
    refuse({}, { k: 1 }, /metadata to map text to text, got "k": number/);
    refuse({}, { k: "\udc00" }, /text that UTF-8 cannot write/);
    refuse({}, { k: "x".repeat(100_000_000) }, /a header of at most 100000000 bytes/);
  });
});

describe("properties", () => {
  const dtypes: StoredDType[] = ["BOOL", "U8", "I16", "BF16", "F32", "I64", "F64", "C64", "F8_E4M3"];
  const text = fc.string({ unit: "binary", maxLength: 8 });
  const stored = fc.tuple(fc.constantFrom(...dtypes), fc.array(fc.nat(4), { maxLength: 4 })).chain(([dtype, shape]) => {
    const size = byteSize("it", dtype, shape);
    return fc.uint8Array({ minLength: size, maxLength: size }).map((data) => ({ dtype, shape, data }));
  });
  const named = fc.uniqueArray(fc.tuple(text, stored), { selector: ([name]) => name, maxLength: 8 });
  const notes = fc.dictionary(text, text, { maxKeys: 4 });

  test("a file written and read is the same, whatever the order", () => {
    fc.assert(
      fc.property(named, notes, (list, metadata) => {
        const bytes = serializeSafetensors(new Map(list), { metadata });
        const back = parseSafetensors(bytes);
        expect(new Map(back.tensors)).toEqual(new Map(list));
        expect(Object.entries(back.metadata).sort()).toEqual(Object.entries(metadata).sort());
        expect(serializeSafetensors(new Map(list.toReversed()), { metadata })).toEqual(bytes);
        for (const { data } of back.tensors.values()) expect(data.byteOffset - bytes.byteOffset).toBeGreaterThan(7);
        expect((8 + Number(new DataView(bytes.buffer).getBigUint64(0, true))) % 8).toBe(0);
      }),
    );
  });

  test("a damaged file is an NNError or still a well-formed file, never anything else", () => {
    const edit = fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), byte: fc.nat(255), kind: fc.nat(3) });
    let refused = 0;
    fc.assert(
      fc.property(named, notes, fc.array(edit, { minLength: 1, maxLength: 4 }), (list, metadata, edits) => {
        let bytes = [...serializeSafetensors(new Map(list), { metadata })];
        for (const { at, byte, kind } of edits) {
          const i = Math.floor(at * bytes.length);
          if (kind === 0) bytes[i] = byte;
          else if (kind === 1) bytes.splice(i, 1);
          else if (kind === 2) bytes.splice(i, 0, byte);
          else bytes = bytes.slice(0, i);
        }
        try {
          const { tensors, metadata } = parseSafetensors(Uint8Array.from(bytes));
          expect(parseSafetensors(serializeSafetensors(tensors, { metadata })).tensors).toEqual(tensors);
        } catch (e) {
          refused++;
          expect(e).toBeInstanceOf(NNError);
        }
      }),
      { numRuns: 2000 },
    );
    expect(refused).toBeGreaterThan(500);
  });

  test("bytes that were never a file are an NNError", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (b) => void errorOf(() => parseSafetensors(b))));
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (t) => void errorOf(() => parseSafetensors(file(`{"a":{${t}`)))),
    );
    fc.assert(fc.property(fc.json(), (t) => void errorOf(() => parseSafetensors(file(`{"a":${t}}`)))));
  });
});

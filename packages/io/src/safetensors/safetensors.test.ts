import { readdirSync, readFileSync } from "node:fs";
import { NNError } from "@nn/tensor";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { byteSize, type StoredDType, type StoredTensor } from "../stored.js";
import { parseSafetensors, serializeSafetensors } from "./safetensors.js";

/** A file with this header and these (or this many) bytes of data, put together by hand. */
function file(header: string | object, data: number | Uint8Array = 0): Uint8Array {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = typeof data === "number" ? new Uint8Array(data) : data;
  const length = [text.length & 255, (text.length >> 8) & 255, text.length >> 16, 0, 0, 0, 0, 0];
  return Uint8Array.from([...length, ...text, ...bytes]);
}

const f32 = (shape: number[], begin: number, end: number) => ({ dtype: "F32", shape, data_offsets: [begin, end] });

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

  const golden = new URL("../../../testing/golden/", import.meta.url);
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
    const names: [StoredDType, string[]][] = [
      ["F32", ["z", "\u{10000}", "\uE000", "a.10", "a", "\u{10001}", "a.2"]],
      ["F16", ["h"]],
      ["BOOL", ["b"]],
      ["I64", ["i"]],
      ["I32", ["j"]],
    ];
    const tensors = names.flatMap(([dtype, list]) =>
      list.map((name): [string, StoredTensor] => [name, { dtype, shape: [0], data: new Uint8Array(0) }]),
    );
    const order = ["i", "a", "a.10", "a.2", "z", "\uE000", "\u{10000}", "\u{10001}", "j", "h", "b"];
    const header = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    const text = header(serializeSafetensors(new Map(tensors)));
    expect(Object.keys(JSON.parse(text.slice(8)))).toEqual(order);
    expect(header(serializeSafetensors(new Map(tensors.reverse())))).toBe(text);
  });

  test("what cannot be written", () => {
    const refuse = (tensors: object, metadata: object, message: RegExp) => {
      const write = () => serializeSafetensors(tensors as never, { metadata: metadata as never });
      expect(write).toThrow(NNError);
      expect(write).toThrow(message);
    };
    refuse({ a: { ...u8(1), dtype: "U9" } }, {}, /dtype of tensor "a" to be one of.*got "U9"/);
    refuse({ a: { ...u8(1), dtype: "toString" } }, {}, /got "toString"/);
    refuse({ a: { ...u8(1), shape: [-1] } }, {}, /shape of tensor "a" to hold at most 64 integers ≥ 0, got \[-1\]/);
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
  });

  test("a header over the limit, which readers would refuse", () => {
    const metadata = { k: "x".repeat(100_000_000) };
    expect(() => serializeSafetensors({}, { metadata })).toThrow(/a header of at most 100000000 bytes, got 100000/);
  });
});

describe("properties", () => {
  const dtypes: StoredDType[] = ["BOOL", "U8", "I16", "BF16", "F32", "I64", "F64", "C64", "F8_E4M3"];
  const text = fc.string({ unit: "binary", maxLength: 8 });
  const stored = fc.tuple(fc.constantFrom(...dtypes), fc.array(fc.nat(4), { maxLength: 4 })).chain(([dtype, shape]) => {
    const size = byteSize({ op: "safetensors", tensor: "it" }, dtype, shape);
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
    const refused = (bytes: Uint8Array) => {
      expect(() => parseSafetensors(bytes)).toThrow(NNError);
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), refused));
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => refused(file(`{"a":{${text}`))));
    fc.assert(fc.property(fc.json(), (text) => refused(file(`{"a":${text}}`))));
  });
});

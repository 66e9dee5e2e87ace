// Every way in which a file can be wrong, and what the reader says of it.

import { NNError } from "@nn/tensor";
import { describe, expect, test } from "vitest";
import { parseSafetensors } from "./safetensors.js";

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

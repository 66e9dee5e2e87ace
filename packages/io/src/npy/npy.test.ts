import { arange, NNError, tensor } from "@nn/tensor";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { loadNpy, parseNpy, saveNpy, serializeNpy } from "./npy.js";

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/** A file with this header, put together by hand. */
function file(header: string, data: ArrayLike<number> = [], version = 1): Uint8Array {
  const text = new TextEncoder().encode(header);
  const length = [text.length & 255, text.length >> 8, 0, 0].slice(0, version === 1 ? 2 : 4);
  return Uint8Array.from([...MAGIC, version, 0, ...length, ...text, ...Array.from(data)]);
}

const header = (descr: string, shape: string, fortran = "False") =>
  `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': ${shape}, }\n`;

describe("reading", () => {
  test("views of the file, where they can be", () => {
    const bytes = file(header("<f4", "(2, 1)"), new Uint8Array(Float32Array.of(1, 2).buffer));
    const { dtype, shape, data } = parseNpy(bytes);
    expect([dtype, shape, data.length]).toEqual(["F32", [2, 1], 8]);
    expect(data.buffer).toBe(bytes.buffer);
  });

  test("big endian and Fortran order", () => {
    const big = file(header(">i2", "(2, 3)", "True"), [0, 1, 0, 4, 0, 2, 0, 5, 0, 3, 0, 6]);
    expect(parseNpy(big)).toEqual({
      dtype: "I16",
      shape: [2, 3],
      data: Uint8Array.of(1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0),
    });
    expect([...loadNpy(big).readSync()]).toEqual([1, 2, 3, 4, 5, 6]);
    expect([...loadNpy(file(header(">f4", "(1,)", "True"), [0x3f, 0x80, 0, 0])).readSync()]).toEqual([1]);
    expect(loadNpy(file(header(">f8", "(0, 3)", "True"))).shape).toEqual([0, 3]);
  });

  test("other spellings of the header", () => {
    for (const text of [
      `{"shape":(2L,),"fortran_order":False,"descr":"|u1"}`,
      ` {'fortran_order' : True , 'shape':( 2 , ) , 'descr':'u1' }   \n\n`,
      `{'descr': '=u1', 'fortran_order': False, 'shape': (2,)}`,
      `{'descr': '>u1', 'fortran_order': False, 'shape': (2,)}`,
    ]) {
      for (const version of [1, 2, 3]) {
        expect(parseNpy(file(text, [7, 8], version))).toEqual({ dtype: "U8", shape: [2], data: Uint8Array.of(7, 8) });
      }
    }
    expect([...loadNpy(file(header("<i4", "()"), [5, 0, 0, 0])).readSync()]).toEqual([5]);
  });

  test("values that a tensor cannot hold", () => {
    const long = file(header("<i8", "(2,)"), [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]);
    expect(() => loadNpy(long)).toThrow(
      /npy: expected the 64-bit integers of the array to lie in.*got 4294967296 at element 1/,
    );
    expect(parseNpy(long).dtype).toBe("I64");
    expect(() => loadNpy(file(header("|b1", "(1,)"), [2]))).toThrow(/BOOL the array to be 0 or 1, got 2/);
  });
});

describe("malformed files: each a clear error", () => {
  const u1 = (shape: string) => header("|u1", shape);
  const cases: Record<string, [bytes: Uint8Array, message: RegExp]> = {
    empty: [new Uint8Array(), /the array to start with 93 4e 55 4d 50 59.*got 0 bytes/],
    "another magic number": [Uint8Array.from({ length: 20 }, () => 65), /got 41 41 41 41 41 41/],
    "version 4": [file(u1("(1,)"), [0], 4), /npy version 1.0, 2.0 or 3.0, got 4.0/],
    "header past the file": [file(u1("(1,)")).subarray(0, 30), /\d+ bytes of header, got a file of 30 bytes/],
    "header of 4 GB": [Uint8Array.from([...MAGIC, 2, 0, 255, 255, 255, 255]), /at most 10000 bytes, got 4294967295/],
    "no dict": [file("[1]"), /the header to be a dict/],
    "not UTF-8": [Uint8Array.from([...MAGIC, 1, 0, 2, 0, 0x7b, 0xff]), /the header to be a dict/],
    "no value": [file("{'descr': }"), /'descr', 'fortran_order' and 'shape' in the header/],
    "key missing": [file("{'descr': '<f4', 'shape': ()}"), /fortran_order in the header, got none/],
    "key twice": [file("{'shape': (), 'shape': ()}"), /each once, got "shape"/],
    "another key": [file("{'shape': (), '__proto__': ()}"), /only descr.*got "__proto__"/],
    "shape in quotes": [file("{'shape': '(1,)'}"), /a tuple for shape/],
    "order in quotes": [file("{'fortran_order': 'True'}"), /True or False for fortran_order/],
    "descr a tuple": [file("{'descr': ('<f4',)}"), /text for descr/],
    structured: [file("{'descr': [('x', '<f4')], 'shape': ()}"), /Structured arrays, text and Python objects/],
    objects: [file(header("|O", "(1,)")), /descr to be one of.*got "\|O".*Python objects/],
    complex: [file(header("<c8", "(1,)")), /got "<c8"/],
    "several bytes without an order": [file(header("|f4", "(1,)")), /got "\|f4"/],
    "descr of Object": [file(header("<toString", "(1,)")), /got "<toString"/],
    "shape (3)": [file(u1("(3)"), [1, 2, 3]), /shape to be a tuple.*got "\(3\)"/],
    "shape negative": [file(u1("(-3,)")), /got "\(-3,\)"/],
    "shape a fraction": [file(u1("(1.0,)")), /got "\(1.0,\)"/],
    "shape 03": [file(u1("(03,)")), /got "\(03,\)"/],
    "shape with a hole": [file(u1("(1,,2)")), /got "\(1,,2\)"/],
    "shape ,": [file(u1("(,)")), /got "\(,\)"/],
    "shape 2^53": [file(u1("(9007199254740992,)")), /integers from 0 to 2\^53 - 1/],
    "shape overflows": [file(u1("(4294967296, 4294967296)")), /size below 2\^53 bits/],
    "65 axes": [file(u1(`(${"1, ".repeat(65)})`), [1]), /at most 64 integers/],
    truncated: [
      file(header("<f4", "(2,)"), [1, 2, 3]),
      /8 bytes of data for the array, \(2\) of F32, got 3\. It is truncated/,
    ],
    "more bytes": [file(u1("(1,)"), [1, 2]), /1 bytes of data for the array, \(1\) of U8, got 2/],
    "huge declared size": [file(header("<f4", "(1000000000000,)")), /4000000000000 bytes.*got 0/],
  };
  test.each(Object.entries(cases))("%s", (_, [bytes, message]) => {
    expect(() => parseNpy(bytes)).toThrow(NNError);
    expect(() => parseNpy(bytes)).toThrow(message);
  });

  test("what is not bytes", () => {
    expect(() => loadNpy("x.npy" as never)).toThrow(/npy: expected a file's bytes.*got string.*readPath/);
  });
});

describe("writing", () => {
  test("the bytes, spelt out", async () => {
    const bytes = await saveNpy(arange(2));
    const text = "{'descr': '<i4', 'fortran_order': False, 'shape': (2,), }".padEnd(117);
    expect(bytes).toEqual(file(`${text}\n`, [0, 0, 0, 0, 1, 0, 0, 0]));
  });

  test("what cannot be written", async () => {
    await expect(saveNpy(1 as never)).rejects.toThrow(/the array to be a Tensor, got 1/);
    const bytes = new Uint8Array(2);
    expect(() => serializeNpy({ dtype: "BF16", shape: [1], data: bytes })).toThrow(/a dtype that NumPy has, got BF16/);
    expect(() => serializeNpy({ dtype: "F16", shape: [2], data: bytes })).toThrow(/Uint8Array of 4 bytes, got 2 bytes/);
    expect(() => serializeNpy({ dtype: "F16", shape: [-1], data: bytes })).toThrow(/integers ≥ 0, got \[-1\]/);
  });

  test("what is saved is loaded (property)", async () => {
    const shape = fc.array(fc.nat(3), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(shape, fc.constantFrom("f32", "i32", "u32", "bool"), async (shape, dtype) => {
        const size = shape.reduce((a, b) => a * b, 1);
        const t = tensor(
          Int32Array.from({ length: size }, (_, i) => i),
          { shape, dtype },
        );
        const back = loadNpy(await saveNpy(t));
        expect([back.shape, back.dtype]).toEqual([shape, dtype]);
        expect(await back.read()).toEqual(await t.read());
      }),
    );
  });
});

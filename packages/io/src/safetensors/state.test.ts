import { readdirSync, readFileSync } from "node:fs";
import { arange, type DType, memory, NNError, type Tensor, tensor, Variable, zeros } from "@nn/tensor";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { StoredDType, StoredTensor } from "../stored.js";
import { parseSafetensors, serializeSafetensors } from "./safetensors.js";
import { loadSafetensors, saveSafetensors } from "./state.js";

type Numbers = { buffer: ArrayBufferLike; byteOffset: number; byteLength: number; length: number };

const stored = (dtype: StoredDType, values: Numbers): StoredTensor => ({
  dtype,
  shape: [values.length],
  data: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
});

/** The tensor that one stored tensor is loaded as, and its values. */
async function load(dtype: StoredDType, values: Numbers): Promise<[Tensor, number[]]> {
  const { x } = loadSafetensors(serializeSafetensors({ x: stored(dtype, values) }));
  return [x, [...(await x.read())]];
}

describe("loadSafetensors", () => {
  const NAN = Number.NaN;
  const cases: [StoredDType, Numbers, DType, number[]][] = [
    ["F32", Float32Array.of(1.5, -0, NAN, Infinity), "f32", [1.5, -0, NAN, Infinity]],
    ["F64", Float64Array.of(0.1, -1e300, NAN, 2 ** -149), "f32", [Math.fround(0.1), -Infinity, NAN, 2 ** -149]],
    [
      "F16", // 1, −2, max, smallest normal, smallest subnormal, −0, ∞, −∞, NaN
      Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x0400, 0x0001, 0x8000, 0x7c00, 0xfc00, 0x7e00),
      "f32",
      [1, -2, 65504, 2 ** -14, 2 ** -24, -0, Infinity, -Infinity, NAN],
    ],
    ["BF16", Uint16Array.of(0x3f80, 0xc040, 0x8000, 0x7f80, 0x7fc0), "f32", [1, -3, -0, Infinity, NAN]],
    ["I8", Int8Array.of(-128, 127), "i32", [-128, 127]],
    ["U8", Uint8Array.of(0, 255), "i32", [0, 255]],
    ["I16", Int16Array.of(-32768, 32767), "i32", [-32768, 32767]],
    ["U16", Uint16Array.of(0, 65535), "i32", [0, 65535]],
    ["I32", Int32Array.of(-(2 ** 31), 2 ** 31 - 1), "i32", [-(2 ** 31), 2 ** 31 - 1]],
    ["U32", Uint32Array.of(0, 2 ** 32 - 1), "u32", [0, 2 ** 32 - 1]],
    ["I64", BigInt64Array.of(-(2n ** 31n), 2n ** 31n - 1n, -1n), "i32", [-(2 ** 31), 2 ** 31 - 1, -1]],
    ["U64", BigUint64Array.of(0n, 2n ** 32n - 1n), "u32", [0, 2 ** 32 - 1]],
    ["BOOL", Uint8Array.of(0, 1, 1), "bool", [0, 1, 1]],
  ];
  test.each(cases)("%s", async (dtype, values, as, expected) => {
    const [x, got] = await load(dtype, values);
    expect(x.dtype).toBe(as);
    expect(x.shape).toEqual([values.length]);
    expect(got).toEqual(expected);
  });

  test.each<[StoredDType, Numbers, RegExp]>([
    ["I64", BigInt64Array.of(0n, 2n ** 31n), /integers of tensor "x" to lie in .*, got 2147483648 at element 1/],
    ["I64", BigInt64Array.of(-(2n ** 63n)), /tensor "x".*got -9223372036854775808 at element 0/],
    ["U64", BigUint64Array.of(2n ** 32n), /tensor "x".*got 4294967296 at element 0/],
    ["BOOL", Uint8Array.of(1, 2), /BOOL tensor "x" to be 0 or 1, got 2 at element 1/],
    ["F8_E4M3", Uint8Array.of(0), /tensor "x" in a dtype that a tensor can hold, got F8_E4M3.*torch\.float32/],
  ])("%s out of range", (dtype, values, message) => {
    const file = serializeSafetensors({ good: stored("U64", BigUint64Array.of(1n)), x: stored(dtype, values) });
    const before = memory();
    expect(() => loadSafetensors(file)).toThrow(NNError);
    expect(() => loadSafetensors(file)).toThrow(message);
    expect(memory()).toEqual(before);
  });

  test("data at any alignment, and a copy of them", async () => {
    const file = serializeSafetensors({
      f: stored("F32", Float32Array.of(1, 2)),
      d: stored("F64", Float64Array.of(3)),
      i: stored("I64", BigInt64Array.of(4n)),
      h: stored("F16", Uint16Array.of(0x4500)),
    });
    for (let shift = 0; shift < 8; shift++) {
      const bytes = new Uint8Array(file.length + shift);
      bytes.set(file, shift);
      const { f, d, i, h } = loadSafetensors(bytes.subarray(shift));
      bytes.fill(0xff);
      expect([...(await f.read()), ...(await d.read()), ...(await i.read()), ...(await h.read())]).toEqual([
        1, 2, 3, 4, 5,
      ]);
    }
  });

  test("any name is safe", async () => {
    const x = stored("I32", Int32Array.of(7));
    const state = loadSafetensors(
      serializeSafetensors(
        new Map([
          ["__proto__", x],
          ["toString", x],
        ]),
      ),
    );
    expect(Object.keys(state).sort()).toEqual(["__proto__", "toString"]);
    expect(await Object.values(state)[0].item()).toBe(7);
    expect(state["constructor"]).toBeUndefined();
  });

  const golden = new URL("../../../testing/golden/", import.meta.url);
  test.each(readdirSync(golden).filter((name) => name.endsWith(".safetensors")))("golden/%s", async (name) => {
    const file = readFileSync(new URL(name, golden));
    const { tensors, metadata } = parseSafetensors(file);
    const state = loadSafetensors(file);
    expect(Object.keys(state)).toEqual([...tensors.keys()]);
    const again = parseSafetensors(await saveSafetensors(state, { metadata }));
    expect(again.metadata).toEqual(metadata);
    for (const [key, { dtype, shape, data }] of tensors) {
      expect(again.tensors.get(key)).toEqual({ dtype, shape, data: new Uint8Array(data) });
    }
  });
});

describe("saveSafetensors", () => {
  test("dtypes, scalars, empty tensors, views and metadata", async () => {
    const state = {
      w: tensor([
        [1, 2, 3],
        [4, 5, 6],
      ]).transpose(),
      n: tensor(3, { dtype: "i32" }),
      u: tensor(new Uint32Array([2 ** 32 - 1])),
      b: tensor([true, false, true]),
      e: zeros([0, 4]),
      s: arange(10).slice([[1, null, 4]]),
    };
    const { tensors, metadata } = parseSafetensors(await saveSafetensors(state, { metadata: { format: "pt" } }));
    expect({ ...metadata }).toEqual({ format: "pt" });
    const spec = (name: string) => [tensors.get(name)!.dtype, tensors.get(name)!.shape];
    expect(spec("w")).toEqual(["F32", [3, 2]]);
    expect(spec("n")).toEqual(["I32", []]);
    expect(spec("u")).toEqual(["U32", [1]]);
    expect(tensors.get("b")).toEqual({ dtype: "BOOL", shape: [3], data: Uint8Array.of(1, 0, 1) });
    expect(spec("e")).toEqual(["F32", [0, 4]]);
    expect(spec("s")).toEqual(["I32", [3]]);
    expect([...tensors.get("w")!.data]).toEqual([...new Uint8Array(Float32Array.of(1, 4, 2, 5, 3, 6).buffer)]);
    expect([...tensors.get("s")!.data]).toEqual([...new Uint8Array(Int32Array.of(1, 5, 9).buffer)]);
  });

  test("no tensors", async () => expect(loadSafetensors(await saveSafetensors({}))).toEqual({}));

  test("a name that the format keeps for itself", async () => {
    await expect(saveSafetensors({ __metadata__: zeros([1]) })).rejects.toThrow(NNError);
  });

  test("what is no tensor", async () => {
    const save = (x: unknown) => saveSafetensors({ x } as never);
    await expect(save(new Variable(zeros([1])))).rejects.toThrow(/tensor "x" to be a Tensor, got Variable.*stateDict/);
    await expect(save(null)).rejects.toThrow(/got null/);
  });

  test("what is saved is loaded, bit by bit (property)", async () => {
    const entry = fc
      .tuple(fc.constantFrom<DType>("f32", "i32", "u32", "bool"), fc.array(fc.nat(3), { maxLength: 4 }))
      .chain(([dtype, shape]) => {
        const size = shape.reduce((a, b) => a * b, 1);
        const limits = { minLength: size, maxLength: size };
        const values =
          dtype === "f32"
            ? fc.float32Array(limits)
            : dtype === "u32"
              ? fc.uint32Array(limits)
              : fc.int32Array(dtype === "bool" ? { ...limits, min: 0, max: 1 } : limits);
        return values.map((data) => ({ dtype, shape, data }));
      });
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.string(), entry, { maxKeys: 6 }), async (entries) => {
        const list = Object.entries(entries);
        const state = Object.fromEntries(list.map(([name, e]) => [name, tensor(e.data, e)]));
        const back = loadSafetensors(await saveSafetensors(state));
        expect(Object.keys(back).sort()).toEqual(Object.keys(entries).sort());
        for (const [name, { dtype, shape, data }] of list) {
          expect([back[name].dtype, back[name].shape]).toEqual([dtype, shape]);
          expect(await back[name].read()).toEqual(data);
        }
      }),
    );
  });
});

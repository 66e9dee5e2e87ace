import { arange, tensor } from "@nn/tensor";
import { deflateSync, zipSync } from "fflate";
import { describe, expect, test } from "vitest";
import { loadNpz, parseNpz, saveNpz, serializeNpz } from "./npz.js";

const state = { "fc.weight": arange(4).reshape([2, 2]), flags: tensor([true, false]), __proto: tensor(1.5) };

/** A copy with `bytes` at `at`, counted from the end if negative. */
function patch(file: Uint8Array, at: number, ...bytes: number[]): Uint8Array {
  const copy = file.slice();
  copy.set(bytes, at < 0 ? copy.length + at : at);
  return copy;
}

describe("round trip", () => {
  test.each([false, true])("compress: %s", async (compress) => {
    const bytes = await saveNpz(state, { compress });
    expect(await saveNpz(state, { compress })).toEqual(bytes);
    const back = loadNpz(bytes);
    expect(Object.keys(back)).toEqual(Object.keys(state));
    for (const [name, t] of Object.entries(state)) {
      expect([back[name].dtype, back[name].shape]).toEqual([t.dtype, t.shape]);
      expect(await back[name].read()).toEqual(await t.read());
    }
  });

  test("no arrays, and a file inside a larger buffer", async () => {
    expect(loadNpz(await saveNpz({}))).toEqual({});
    const bytes = await saveNpz(state, { compress: true });
    const outer = new Uint8Array(bytes.length + 3);
    outer.set(bytes, 3);
    expect([...(await loadNpz(outer.subarray(3))["fc.weight"].read())]).toEqual([0, 1, 2, 3]);
  });

  test("compressed data of several steps", () => {
    const data = Uint8Array.from({ length: 200_000 }, (_, i) => Math.imul(i ^ (i >> 3), 0x9e3779b1) >>> 26);
    const bytes = serializeNpz({ x: { dtype: "U8", shape: [data.length], data } }, { compress: true });
    expect(deflateSync(data).length).toBeGreaterThan(50_000);
    expect(parseNpz(bytes).get("x")!.data).toEqual(data);
  });
});

describe("malformed archives: each a clear error", () => {
  const stored = serializeNpz({ x: { dtype: "U8", shape: [3], data: Uint8Array.of(1, 2, 3) } });
  const zeros = { dtype: "U8", shape: [100_000], data: new Uint8Array(100_000) } as const;
  const deflated = serializeNpz({ x: zeros }, { compress: true });
  // From the end: the tail has 22 bytes, the directory's only entry 46 + 5 ("x.npy") before it.
  const entry = -22 - 51;
  const other = (files: Record<string, Uint8Array>) => zipSync(files, { level: 0 });

  const cases: Record<string, [bytes: Uint8Array, message: RegExp]> = {
    "no zip": [
      new Uint8Array(100),
      /npz: expected an archive that ends with a zip directory, got 100 bytes without one/,
    ],
    "cut off": [stored.subarray(0, -1), /ends with a zip directory/],
    "more behind": [Uint8Array.of(...stored, 0), /ends with a zip directory/],
    "other count": [patch(stored, -22 + 10, 2, 0), /2 entries in the zip directory at byte \d+, got 1/],
    "other start": [patch(stored, -22 + 16, 0, 0, 0, 0), /1 entries in the zip directory at byte 0, got 0/],
    zip64: [patch(stored, -22 + 16, 255, 255, 255, 255), /below 2 GiB.*got a zip64 one/],
    "zip64 entry": [patch(stored, entry + 24, 255, 255, 255, 255), /"x.npy" to be below 2 GiB, got a zip64 entry/],
    encrypted: [patch(stored, entry + 8, 1), /"x.npy" to be readable, got an encrypted one/],
    "another method": [patch(stored, entry + 10, 12), /"x.npy" to be stored or deflated, got method 12/],
    "place past the end": [patch(stored, entry + 42, 0, 0, 1), /"x.npy" at byte 65536, got none/],
    "another name there": [patch(stored, 30, 0x79), /the name "x.npy" at byte 0, as in the directory, got another/],
    "name not UTF-8": [patch(stored, entry + 46, 0xff), /names in UTF-8/],
    "packed size past the end": [
      patch(stored, entry + 20, 0, 0, 1),
      /65536 bytes of "x.npy" before the directory, got 131/,
    ],
    "stored, of another size": [patch(stored, entry + 24, 9), /a size of "x.npy" that 131 bytes.*can unpack to, got 9/],
    "a bit flipped": [patch(stored, 35 + 128, 3), /the bytes of "x.npy" to have their checksum/],
    "deflated, declared too small": [
      patch(deflated, entry + 24, 9, 0, 0, 0),
      /"x.npy" to hold 100128 bytes, as it starts, got 9 in/,
    ],
    "deflated, declared too large": [
      patch(deflated, entry + 24, 255, 255, 1),
      /"x.npy" to hold 100128 bytes, as it starts, got 131071 in/,
    ],
    "deflated, declared huge": [
      patch(deflated, entry + 24, 0, 0, 0, 240),
      /a size of "x.npy" that \d+ bytes.*got 4026531840/,
    ],
    "not deflated": [
      patch(deflated, 35, 7),
      /"x.npy" to be deflated bytes, got what cannot be inflated \(invalid block type\)/,
    ],
    "another kind of file": [other({ "x.txt": Uint8Array.of(1) }), /only .npy files in the archive, got "x.txt"/],
    "no array": [other({ "x.npy": new Uint8Array(20) }), /npz: expected tensor "x" to start with 93 4e/],
  };
  test.each(Object.entries(cases))("%s", (_, [bytes, message]) => {
    expect(() => parseNpz(bytes)).toThrow(message);
  });

  test("overlapping entries", () => {
    const two = other({ "a.npy": stored.slice(35, 166), "b.npy": stored.slice(35, 166) });
    expect(parseNpz(two).size).toBe(2);
    const second = two.length - 22 - 51; // made to be the first once more
    const twice = patch(patch(two, second + 42, 0, 0, 0, 0), second + 46, 0x61);
    expect(() => parseNpz(twice)).toThrow(/entries that lie one after another, got "a.npy" inside another/);
  });

  test("a name twice", () => {
    const two = other({ "a.npy": stored.slice(35, 166), "b.npy": stored.slice(35, 166) });
    const same = patch(patch(two, two.length - 22 - 5, 0x61), 166 + 30, 0x61);
    expect(() => parseNpz(same)).toThrow(/each name once in the archive, got "a.npy" again/);
  });

  test("more than maxBytes", () => {
    expect(() => parseNpz(deflated, { maxBytes: 100_127 })).toThrow(/at most 100127 bytes, got 100128.*raise maxBytes/);
    expect(parseNpz(deflated, { maxBytes: 100_128 }).get("x")!.data.length).toBe(100_000);
    expect(parseNpz(stored, { maxBytes: 0 }).size).toBe(1); // what is not compressed takes no memory
  });
});

test("what cannot be written", async () => {
  await expect(saveNpz({ x: 1 } as never)).rejects.toThrow(/npz: expected tensor "x" to be a Tensor, got 1/);
  await expect(saveNpz({ "\ud800": arange(1) })).rejects.toThrow(/that UTF-8 can write/);
  await expect(saveNpz({ ["x".repeat(30_000)]: arange(1) })).rejects.toThrow(/a name of at most 20000 characters/);
});

// Thousands of damaged files, the same in every run: each is a clear error or a right result; none takes long, or memory
// beyond what is in it.

import { arange, manualSeed, NNError, randn, scope, type Tensor, tensor, zeros } from "@nn/tensor";
import { zipSync } from "fflate";
import { expect, test } from "vitest";
import { type Dice, damage, damageHeader, dice, splice } from "./damage.js";
import { loadNpy, parseNpy, serializeNpy } from "./npy/npy.js";
import { loadNpz, parseNpz, saveNpz } from "./npy/npz.js";
import { parseSafetensors, serializeSafetensors } from "./safetensors/safetensors.js";
import { loadSafetensors, saveSafetensors } from "./safetensors/state.js";
import type { StoredDType, StoredTensor } from "./stored.js";

// ── the files ──────────────────────────────────────────────────────────────────────────────────────

manualSeed(1);
const state = (): Record<string, Tensor> => ({
  "conv1.weight": randn([4, 1, 3, 3]),
  steps: tensor(7, { dtype: "i32" }),
  flags: tensor([true, false, true]),
  empty: zeros([0, 5]),
});

const stored = (dtype: StoredDType, values: ArrayBufferView & { length: number }): StoredTensor => ({
  dtype,
  shape: [values.length / 2, 2],
  data: new Uint8Array(values.buffer),
});
const others: Record<string, StoredTensor> = {
  h: stored("F16", Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x0400)),
  d: stored("F64", Float64Array.of(0.1, 2)),
  i: stored("I64", BigInt64Array.of(1n, -5n)),
  u: stored("U64", BigUint64Array.of(1n, 5n)),
  s: stored("I16", Int16Array.of(1, -5)),
};

/** An npy file whose header says something else, of the same length. */
function respelt(file: Uint8Array<ArrayBuffer>, from: string, to: string): Uint8Array<ArrayBuffer> {
  const text = new TextDecoder("latin1").decode(file);
  const at = text.indexOf(from);
  const copy = file.slice();
  copy.set(new TextEncoder().encode(to), at);
  return copy;
}

const npy = Object.values(others).map(serializeNpy);
npy.push(respelt(respelt(npy[2], "<i8", ">i8"), "False,", "True, "));

// ── the runs ───────────────────────────────────────────────────────────────────────────────────────

/** Runs `load` on damaged files; `check` looks at what it takes for a right one. */
function fuzz(
  count: number,
  seed: number,
  make: (roll: Dice) => Uint8Array,
  load: (file: Uint8Array) => unknown,
  check: (file: Uint8Array) => void,
) {
  const roll = dice(seed);
  let refused = 0;
  for (let i = 0; i < count; i++) {
    const file = make(roll);
    const start = performance.now();
    const before = process.memoryUsage();
    try {
      scope(() => void load(file));
    } catch (error) {
      if (!(error instanceof NNError) || error.message.length > 1200) throw error;
      refused++;
    }
    const { arrayBuffers, heapUsed } = process.memoryUsage();
    // The files are small: what is above the slack comes from a declared size.
    expect(arrayBuffers - before.arrayBuffers).toBeLessThan(2 * file.length + 2 ** 22);
    expect(heapUsed - before.heapUsed).toBeLessThan(2 * file.length + 2 ** 22);
    expect(performance.now() - start).toBeLessThan(10_000);
    check(file);
  }
  // Neither is all refused at the first byte, nor is the damage without effect.
  expect(refused).toBeGreaterThan(count / 3);
  expect(refused).toBeLessThan(count);
}

/** What `body` gives, or nothing where it refuses. */
function attempt<T>(body: () => T): T | undefined {
  try {
    return body();
  } catch {
    return undefined;
  }
}

test("safetensors", async () => {
  const files = [
    await saveSafetensors(state(), { metadata: { format: "pt" } }),
    serializeSafetensors(others),
    serializeSafetensors({}),
  ];
  const make = (roll: Dice) => {
    const file = files[roll(files.length)];
    return roll(2) === 0 ? damage(file, roll) : damageHeader(file, 8, 8, roll);
  };
  fuzz(5000, 1, make, loadSafetensors, (file) => {
    const tensors = attempt(() => parseSafetensors(file))?.tensors;
    if (!tensors) return;
    // As the platform's own parser reads the header.
    const start = 8 + Number(new DataView(file.buffer).getBigUint64(0, true));
    const header = JSON.parse(new TextDecoder().decode(file.subarray(8, start)));
    for (const [name, { dtype, shape, data }] of tensors) {
      const { data_offsets, ...spec } = header[name];
      expect({ dtype, shape }).toEqual(spec);
      expect(Buffer.compare(data, file.subarray(start + data_offsets[0], start + data_offsets[1]))).toBe(0);
    }
    expect(new Set(Object.keys(header).filter((key) => key !== "__metadata__"))).toEqual(new Set(tensors.keys()));
  });
});

const damagedNpy = (roll: Dice) => {
  const file = npy[roll(npy.length)];
  return roll(2) === 0 ? damage(file, roll) : damageHeader(file, 10, 2, roll);
};

test("npy", () => {
  fuzz(5000, 2, damagedNpy, loadNpy, (file) => {
    const read = attempt(() => parseNpy(file));
    if (read) expect(parseNpy(serializeNpy(read))).toEqual(read); // which fails if data and shape do not fit
  });
});

test("npz: what is damaged is refused, or no part of what was saved", async () => {
  const files = [await saveNpz(state()), await saveNpz(state(), { compress: true })];
  const arrays = files.map((file) => parseNpz(file));
  const last: number[] = [];
  const make = (roll: Dice) => {
    last[0] = roll(files.length);
    const file = files[last[0]];
    if (roll(3) > 0) return damage(file, roll);
    // In the directory, which is a small part of the file.
    const at = file.length - 22 - roll(Object.keys(state()).length * 60);
    return splice(file, at, file.length - at, damage(file.subarray(at), roll));
  };
  fuzz(3000, 3, make, loadNpz, (file) => {
    const read = attempt(() => parseNpz(file));
    if (read) expect(read).toEqual(arrays[last[0]]);
  });
});

test("npz of a damaged npy: the same as the npy", () => {
  let inner: Uint8Array = npy[0];
  const make = (roll: Dice) => {
    inner = damagedNpy(roll);
    return zipSync({ "x.npy": inner }, { level: roll(2) === 0 ? 0 : 6 });
  };
  fuzz(1000, 4, make, loadNpz, (file) => {
    expect(attempt(() => parseNpz(file).get("x"))).toEqual(attempt(() => parseNpy(inner)));
  });
});

test("large files: memory", async () => {
  const t = arange(2 ** 20).mul(0x9e3779b1 | 0); // 4 MiB that deflate makes little smaller
  const content = 2 ** 22;
  const files: [Uint8Array, (file: Uint8Array<ArrayBuffer>) => unknown][] = [
    [await saveSafetensors({ t }), parseSafetensors],
    [serializeNpy({ dtype: "I32", shape: [2 ** 20], data: new Uint8Array(content) }), parseNpy],
    [await saveNpz({ t }), parseNpz],
    [await saveNpz({ t }, { compress: true }), parseNpz],
  ];
  const roll = dice(5);
  for (const [file, parse] of files) {
    for (let i = 0; i < 12; i++) {
      const damaged = file.slice();
      const place = [roll(200), file.length - 1 - roll(100), roll(file.length)][i % 3];
      damaged[place] ^= 1 << roll(8);
      const before = process.memoryUsage().arrayBuffers;
      try {
        parse(damaged);
      } catch (error) {
        expect(error).toBeInstanceOf(NNError);
      }
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 * (file.length + content));
    }
  }
});

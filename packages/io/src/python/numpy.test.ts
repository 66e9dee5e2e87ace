// Files saved here are NumPy's to the byte, and NumPy's are read here.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { arange, tensor, zeros } from "@nn/tensor";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadNpy, loadNpz, saveNpy, saveNpz } from "../index.js";
import { python, whyNot } from "./run.js";

const reason = whyNot("numpy");

describe.skipIf(reason)(`round trip with NumPy${reason ? ` (${reason})` : ""}`, () => {
  const folder = mkdtempSync(join(tmpdir(), "nn-numpy-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  beforeAll(async () => {
    const f4 = arange(6).reshape([2, 3]).div(4);
    const arrays = {
      f4,
      i4: tensor(Int32Array.of(-(2 ** 31), 2 ** 31 - 1)),
      u4: tensor(Uint32Array.of(2 ** 32 - 1), { shape: [] }),
      b1: tensor([[true], [false]]),
      empty: zeros([0, 3]),
    };
    for (const [name, t] of Object.entries(arrays)) writeFileSync(join(folder, `${name}.npy`), await saveNpy(t));
    const state = { "a/b": f4, ä: f4, ["__proto__"]: f4 };
    writeFileSync(join(folder, "stored.npz"), await saveNpz(state));
    writeFileSync(join(folder, "compressed.npz"), await saveNpz(state, { compress: true }));
    python("numpy_files.py", folder); // fails if NumPy has other bytes or values
  });

  test.each(["theirs.npz", "theirs-compressed.npz"])("%s", async (file) => {
    const state = loadNpz(readFileSync(join(folder, file)));
    expect(Object.keys(state)).toHaveLength(12 * 2 * 2);
    for (const [name, t] of Object.entries(state)) {
      expect(t.shape).toEqual([2, 3, 4]);
      const values = Array.from({ length: 24 }, (_, i) => (name.startsWith("?") ? i % 2 : i));
      expect([...(await t.read())], name).toEqual(values);
      const dtype = name.startsWith("?") ? "bool" : name[0] === "f" ? "f32" : /^u[48]/.test(name) ? "u32" : "i32";
      expect(t.dtype, name).toBe(dtype);
    }
  });

  test.each([1, 2, 3])("version %i", async (major) => {
    const t = loadNpy(readFileSync(join(folder, `version${major}.npy`)));
    expect([t.dtype, t.shape]).toEqual(["f32", [2, 3, 4]]);
    expect([...(await t.read())]).toEqual(Array.from({ length: 24 }, (_, i) => i));
  });
});

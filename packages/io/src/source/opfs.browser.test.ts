// In a browser: files of OPFS, and what the platform gives for checksums and zip archives.

import { arange } from "@nn/tensor";
import { expect, test } from "vitest";
import { loadNpz, readBytes, saveNpz, sha256, writeBytes } from "../index.js";

test("a file of OPFS, written twice, read back with its checksum", async () => {
  const folder = await navigator.storage.getDirectory();
  const handle = await folder.getFileHandle("x.npz", { create: true });
  await writeBytes(handle, new Uint8Array(10_000)); // longer than what replaces it
  const bytes = await saveNpz({ x: arange(5) }, { compress: true });
  await writeBytes(handle, bytes);
  let seen = 0;
  const onProgress = ({ loaded }: { loaded: number }) => {
    seen = loaded;
  };
  const back = await readBytes(handle, { sha256: await sha256(bytes), onProgress });
  expect(seen).toBe(bytes.length);
  expect([...(await loadNpz(back)["x"].read())]).toEqual([0, 1, 2, 3, 4]);
  await folder.removeEntry("x.npz");
});

test("a page's own URLs, relative too", async () => {
  expect((await readBytes(new URL(import.meta.url).pathname)).length).toBeGreaterThan(0);
  await expect(readBytes("http://127.0.0.1:1/x")).rejects.toThrow(/all bytes of http/);
});

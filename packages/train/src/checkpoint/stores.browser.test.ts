// In a browser: the stores of OPFS and IndexedDB keep bytes whole.

import { afterAll, describe, expect, inject, it } from "vitest";
import { indexedDBStore, opfsStore, type Store } from "../index.js";

const name = `stores-${inject("isolated")}`; // the two kinds of pages run side by side
const deep = `${name}/a/b`;

afterAll(async () => {
  const root = await navigator.storage.getDirectory();
  await root.removeEntry(name, { recursive: true });
  indexedDB.deleteDatabase(name);
});

const stores: Record<string, () => Store> = { OPFS: () => opfsStore(deep), IndexedDB: () => indexedDBStore(name) };

describe.each(Object.entries(stores))("%s", (kind, make) => {
  it("keeps bytes by name, replaces and forgets them", async () => {
    const store = make();
    expect(await store.read("a")).toBeNull();
    const long = Uint8Array.from({ length: 100_000 }, (_, i) => i);
    await store.write("a", long);
    await store.write("b", long.subarray(3, 5));
    expect(await make().read("a")).toEqual(long);
    await Promise.all([store.write("a", Uint8Array.of(1)), store.write("a", Uint8Array.of(2, 3))]);
    expect(await store.read("a")).toEqual(Uint8Array.of(2, 3));
    expect(await store.read("b")).toEqual(Uint8Array.of(3, 4));
    await store.remove("a");
    await store.remove("a");
    expect(await store.read("a")).toBeNull();
    expect((await store.read("b"))!.length).toBe(2);
  });

  it("a worker that is terminated while it writes leaves what was there, or all of the new", async () => {
    const store = make();
    await store.write("c", new Uint8Array(1 << 20).fill(1));
    for (let i = 0; i < 8; i++) {
      const worker = new Worker(new URL("../../fixtures/writer.ts", import.meta.url), { type: "module" });
      worker.postMessage({ folder: kind === "OPFS" ? deep : null, database: name });
      await new Promise((resolve) => worker.addEventListener("message", resolve, { once: true })); // one was written
      await new Promise((resolve) => setTimeout(resolve, i));
      worker.terminate();
      const bytes = (await store.read("c"))!;
      expect([bytes.length, bytes.every((b) => b === bytes[0])]).toEqual([1 << 20, true]);
    }
  });
});

it("OPFS: a first write that was cut short wrote nothing; names that are none", async () => {
  const root = await navigator.storage.getDirectory();
  const folder = await root.getDirectoryHandle(name, { create: true });
  await folder.getFileHandle("half.safetensors", { create: true });
  expect(await opfsStore(folder).read("half")).toBeNull();
  expect(() => opfsStore(name).write("../a", Uint8Array.of(1))).toThrow("opfsStore: expected names of letters");
});

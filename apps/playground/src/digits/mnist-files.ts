// MNIST's files, dropped on the page: looked into before they take the place of others, and kept in the page's database.

import { indexedDBStore } from "@nn/train";
import { dropZone, readAs } from "../frame/files.js";
import type { Bench } from "../frame/lab.js";
import { fileKey, KEYS, readPart } from "./data.js";

/** @param complete called when all four are there */
export function mnistFiles({ say }: Bench, complete: () => void): HTMLElement {
  return dropZone({
    text: "MNIST: its four files, as they come (.gz). They stay in this browser.",
    button: "Choose MNIST files",
    accept: ".gz,.idx3-ubyte,.idx1-ubyte,application/gzip",
    multiple: true,
    say,
    async take(files) {
      const known = files.flatMap((file) => {
        const key = fileKey(file.name);
        return key ? [{ key, file }] : [];
      });
      if (known.length === 0) throw new Error("These are not MNIST's files: train-images-idx3-ubyte.gz and so on.");
      const read = known.map(async ({ key, file }) => ({
        key,
        bytes: await readAs("file of MNIST", file, async (bytes) => {
          await readPart(key, bytes);
          return bytes;
        }),
      }));
      const store = indexedDBStore("nn-playground/digits");
      for (const { key, bytes } of await Promise.all(read)) await store.write(key, bytes);
      const there = await Promise.all(KEYS.map((key) => store.read(key)));
      const missing = KEYS.filter((_, i) => !there[i]);
      if (missing.length === 0) complete();
      else say(`Kept. Still missing: ${missing.map((key) => key.replace("mnist ", "")).join(", ")}.`);
    },
  });
}

// A store in a folder: what is written is there whole, or not at all, even if the program is killed or the power fails.

import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { checkpointFile, inTurn } from "../checkpoint/in-turn.js";
import type { Store } from "../index.js";

/**
 * Checkpoints as `folder/name.safetensors`. A file is written under another name, flushed to the disk, and renamed; then the folder is flushed.
 * One run writes to a folder at a time.
 *
 * @example
 * ```ts
 * const store = files("runs/digits");
 * ```
 */
export function files(folder: string): Store {
  const turn = inTurn(); // as writes share the temporary file
  const pathOf = (name: string) => join(folder, checkpointFile("files", name));
  return {
    write(name, bytes) {
      const path = pathOf(name);
      return turn(() => writeAtomically(folder, path, bytes));
    },
    async read(name) {
      try {
        return await readFile(pathOf(name));
      } catch (e) {
        if ((e as NodeJS.ErrnoException).code === "ENOENT") return null;
        throw e;
      }
    },
    remove(name) {
      const path = pathOf(name);
      return turn(() => rm(path, { force: true }));
    },
  };
}

async function writeAtomically(folder: string, path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(folder, { recursive: true });
  const temporary = `${path}.tmp`;
  const file = await open(temporary, "w");
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  await flushFolder(folder);
}

/** So that the new name outlives a power failure, too. Where folders cannot be opened (Windows), the system does it. */
async function flushFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (e) {
    if (!["EISDIR", "EPERM", "EACCES", "EINVAL"].includes((e as NodeJS.ErrnoException).code ?? "")) throw e;
  }
}

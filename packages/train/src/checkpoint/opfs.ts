// A store in the browser's own files (OPFS): for large checkpoints, in pages and in workers.

import { type ReadableFileHandle, readBytes, type WritableFileHandle, writeBytes } from "@nn/io";
import { fail } from "@nn/tensor";
import { checkpointFile, inTurn } from "./in-turn.js";
import type { Store } from "./store.js";

/** What is needed of a `FileSystemDirectoryHandle`. */
export interface FolderHandle {
  getDirectoryHandle(name: string, options?: { readonly create?: boolean }): Promise<FolderHandle>;
  getFileHandle(
    name: string,
    options?: { readonly create?: boolean },
  ): Promise<ReadableFileHandle & WritableFileHandle>;
  removeEntry(name: string): Promise<void>;
}

/**
 * Checkpoints as files of the origin's private file system, `folder/name.safetensors`. A file has its old content until all of the new one is
 * there, as browsers write to a copy and exchange both at the end. One run writes to a folder at a time.
 *
 * Browsers may clear what a site keeps when the disk is full; `await navigator.storage.persist()` asks them not to.
 *
 * @param folder its path, made if it is not there, such as `"runs/digits"`; or a handle, as file pickers give it
 * @throws NNError for a name that is none; from Safari before version 26, which cannot write so: use {@link indexedDBStore} there
 * @example
 * ```ts
 * const store = opfsStore("runs/digits");
 * await fit(model, { …, callbacks: [saveLast(store)], resume: await loadCheckpoint(store, "last") });
 * ```
 */
export function opfsStore(folder: string | FolderHandle): Store {
  const turn = inTurn();
  const fileOf = (name: string) => checkpointFile("opfsStore", name);
  return {
    write(name, bytes) {
      const file = fileOf(name);
      return turn(async () => writeBytes(await (await open(folder)).getFileHandle(file, { create: true }), bytes));
    },
    read(name) {
      const file = fileOf(name);
      return turn(async () => {
        const handle = await orNull(open(folder).then((f) => f.getFileHandle(file)));
        const bytes = handle && (await readBytes(handle));
        // The first write of a name makes an empty file before it has the content: one that was cut short wrote nothing.
        return bytes?.length ? bytes : null;
      });
    },
    remove(name) {
      const file = fileOf(name);
      return turn(async () => {
        await orNull(open(folder).then((f) => f.removeEntry(file)));
      });
    },
  };
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

async function open(folder: string | FolderHandle): Promise<FolderHandle> {
  if (typeof folder !== "string") return folder;
  const { navigator } = globalThis as { navigator?: { storage?: { getDirectory?(): Promise<FolderHandle> } } };
  if (!navigator?.storage?.getDirectory) {
    fail({
      op: "opfsStore",
      expected: "navigator.storage.getDirectory()",
      got: "none",
      hint: "Browsers have it on pages from https or localhost. In Node, use files() of @nn/train/node.",
    });
  }
  let handle = await navigator.storage.getDirectory();
  for (const part of folder.split("/").filter((p) => p !== "")) {
    handle = await handle.getDirectoryHandle(part, { create: true });
  }
  return handle;
}

/** Null for what is not there. */
function orNull<T>(found: Promise<T>): Promise<T | null> {
  return found.catch((error) => {
    if (error?.name === "NotFoundError") return null;
    throw error;
  });
}

// @nn/io/node: files by path, in Node. Apart from the rest, so that no bundle for browsers has an import of Node's.

import { randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, realpath, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { fail } from "@nn/tensor";
import { collect, type ReadOptions } from "../source/collect.js";

export type { ReadOptions, ReadProgress } from "../source/collect.js";

/**
 * Reads a whole file.
 *
 * @param path a path, or a `file:` URL
 * @throws NNError (op `"readPath"`) if it cannot be read, or has another SHA-256. The signal's reason, if it aborts.
 *
 * @example
 * ```ts
 * model.loadStateDict(loadSafetensors(await readPath("model.safetensors")));
 * ```
 */
export async function readPath(path: string | URL, options: ReadOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
  const file = toPath(path);
  try {
    const { size } = await stat(file);
    return await collect("readPath", file, createReadStream(file, { highWaterMark: 2 ** 20 }), size, options);
  } catch (error) {
    return explain("readPath", `to read ${file}`, error);
  }
}

/**
 * Writes a whole file so that it is never half there, also if the program is killed or the power fails: to a new file
 * beside it, which is flushed to the disk and then takes its name. A link is followed; permissions stay.
 *
 * What a killed program leaves behind is the new file, `NAME.XXXXXXXX.tmp`; nothing reads it, and it can be deleted.
 *
 * @param path a path, or a `file:` URL; its folder must exist
 * @param content bytes, or text, which is written in UTF-8
 * @throws NNError (op `"writePath"`) if it cannot be written; then the old content stays.
 *
 * @example
 * ```ts
 * await writePath("model.safetensors", await saveSafetensors(model.stateDict()));
 * ```
 */
export async function writePath(path: string | URL, content: Uint8Array | ArrayBuffer | string): Promise<void> {
  const given = toPath(path);
  const target = await realpath(given).catch(() => given);
  const temporary = `${target}.${randomUUID().slice(0, 8)}.tmp`;
  try {
    const old = await stat(target).catch(() => undefined);
    const file = await open(temporary, "wx", old?.mode);
    try {
      await file.writeFile(content instanceof ArrayBuffer ? new Uint8Array(content) : content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    explain("writePath", `to write ${given}`, error);
  }
  await syncFolder(dirname(target));
}

// ── with the system's errors in our words ──────────────────────────────────────────────────────────

function toPath(path: string | URL): string {
  return path instanceof URL ? fileURLToPath(path) : path;
}

/** Makes the new name last, too; Windows cannot, and has no need to. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder).catch(() => undefined);
  await handle?.sync().catch(() => {});
  await handle?.close();
}

const HINTS: Readonly<Record<string, string>> = {
  ENOENT: "No such file or folder: check the path, and from where the program runs.",
  EACCES: "No permission.",
  EISDIR: "It is a folder.",
  ENOSPC: "The disk is full.",
};

/** Fails for an error of the system; any other stays what it is. */
function explain(op: string, expected: string, error: unknown): never {
  const code = (error as NodeJS.ErrnoException).code;
  if (!(error instanceof Error) || code === undefined || !("syscall" in error)) throw error;
  return fail({ op, expected, got: code, hint: HINTS[code] ?? error.message });
}

// A file of bytes where a browser lets one write. Paths are Node's: node/index.ts.

import { fail } from "@nn/tensor";
import { kindOf } from "../stored.js";

/** What is needed of a `FileSystemFileHandle` to write it. */
export interface WritableFileHandle {
  createWritable(): Promise<{
    write(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
    close(): Promise<void>;
    abort(reason?: unknown): Promise<void>;
  }>;
}

/**
 * Writes a whole file through a handle of OPFS or a file picker. The file has its old content until all of the new one is
 * there: browsers write to a copy, and exchange both at the end.
 *
 * @throws NNError (op `"writeBytes"`) for what is no handle that can be written; the browser's own error, e.g.
 *   `QuotaExceededError`, with the file as it was.
 *
 * @example
 * ```ts
 * const folder = await navigator.storage.getDirectory();
 * const handle = await folder.getFileHandle("model.safetensors", { create: true });
 * await writeBytes(handle, await saveSafetensors(model.stateDict()));
 * ```
 */
export async function writeBytes(handle: WritableFileHandle, bytes: Uint8Array | ArrayBuffer): Promise<void> {
  if (typeof handle?.createWritable !== "function") {
    fail({
      op: "writeBytes",
      expected: "a FileSystemFileHandle with createWritable()",
      got: kindOf(handle),
      hint: "Browsers: Chrome, Edge, Firefox, Safari 26. A path in Node is for writePath() of @nn/io/node.",
    });
  }
  const stream = await handle.createWritable();
  try {
    await stream.write((bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes)) as Uint8Array<ArrayBuffer>);
    await stream.close();
  } catch (error) {
    await stream.abort(error).catch(() => {}); // the first error is the one that matters
    throw error;
  }
}

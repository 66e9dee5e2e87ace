// All bytes of something that comes in pieces, with progress and checksum: what every reader ends with.

import { checkSha256 } from "./checksum.js";

/** How much has been read. */
export interface ReadProgress {
  /** Bytes so far. */
  readonly loaded: number;
  /** Bytes in all; `undefined` if the source does not say. */
  readonly total: number | undefined;
}

/** Options of {@link readBytes}, and of `readPath` in Node. */
export interface ReadOptions {
  /** Called at the start and after every piece. */
  readonly onProgress?: (progress: ReadProgress) => void;
  /** SHA-256 that the bytes must have, 64 hexadecimal digits. */
  readonly sha256?: string;
  /** Stops reading; the promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

export async function collect(
  op: string,
  source: string,
  pieces: AsyncIterable<Uint8Array>,
  size: number | undefined,
  { onProgress, sha256, signal }: ReadOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const list: Uint8Array[] = [];
  let loaded = 0;
  // A declared size is for the eyes only, and takes no memory: it may be wrong, or of the compressed bytes.
  const report = () => onProgress?.({ loaded, total: size !== undefined && loaded <= size ? size : undefined });
  signal?.throwIfAborted();
  report();
  for await (const piece of pieces) {
    signal?.throwIfAborted();
    list.push(piece);
    loaded += piece.length;
    report();
  }
  const bytes = new Uint8Array(loaded);
  let at = 0;
  for (const piece of list) {
    bytes.set(piece, at);
    at += piece.length;
  }
  if (sha256 !== undefined) await checkSha256(op, source, bytes, sha256);
  return bytes;
}

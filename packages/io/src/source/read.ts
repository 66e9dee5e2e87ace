// The bytes of a file, wherever it is. Paths are Node's: node/index.ts.

import { fail } from "@nn/tensor";
import { kindOf } from "../stored.js";
import { collect, type ReadOptions } from "./collect.js";

/** Where a file can be: a URL, a Response, a File or Blob, a handle (OPFS, file picker), or bytes at hand. */
export type ByteSource = string | URL | Response | Blob | ReadableFileHandle | ArrayBuffer | Uint8Array;

/** What is needed of a `FileSystemFileHandle` to read it. */
export interface ReadableFileHandle {
  getFile(): Promise<Blob>;
}

/**
 * Reads a whole file into memory.
 *
 * @param source a URL (a text is one, relative to the page), a `Response` that is not yet read, a `File` or `Blob`, a
 *   `FileSystemFileHandle`, or bytes, which are not copied
 * @param options.request what `fetch` gets beside the URL, e.g. `{ headers, cache: "no-store" }`
 * @throws NNError (op `"readBytes"`) for a server that does not answer, or not with success; another SHA-256; no source.
 *   The signal's reason, if it aborts.
 *
 * @example
 * ```ts
 * const file = await readBytes("https://example.org/model.safetensors", {
 *   sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
 *   onProgress: ({ loaded, total }) => { bar.value = loaded / (total ?? Number.NaN); },
 * });
 * model.loadStateDict(loadSafetensors(file));
 * ```
 */
export async function readBytes(
  source: ByteSource,
  { request, ...options }: ReadOptions & { readonly request?: RequestInit } = {},
): Promise<Uint8Array<ArrayBuffer>> {
  if (typeof source === "string" || source instanceof URL) {
    const response = ask(`${source}`, { ...request, ...(options.signal && { signal: options.signal }) });
    return readResponse(await response.catch((error) => unreachable(`${source}`, error, options)), options);
  }
  if (source instanceof Response) return readResponse(source, options);
  if (source instanceof Blob) return readBlob(source, options);
  if (source instanceof Uint8Array || source instanceof ArrayBuffer) {
    const bytes = source instanceof Uint8Array ? source : new Uint8Array(source);
    return collect(OP, "the file", once(bytes), bytes.length, options);
  }
  if (typeof source?.getFile === "function") return readBlob(await source.getFile(), options);
  return fail({
    op: OP,
    expected: "a URL, Response, Blob, File, file handle or bytes",
    got: kindOf(source),
    hint: "A path in Node is for readPath() of @nn/io/node.",
  });
}

// ── the kinds of sources ───────────────────────────────────────────────────────────────────────────

const OP = "readBytes";

/** An async function, so that a text that is no URL rejects like a server that is not there. */
async function ask(url: string, request: RequestInit): Promise<Response> {
  return fetch(url, request);
}

async function readResponse(response: Response, options: ReadOptions): Promise<Uint8Array<ArrayBuffer>> {
  const source = response.url || "the response";
  if (!response.ok || response.bodyUsed) {
    await response.body?.cancel().catch(() => {}); // it may be in use elsewhere
    fail({
      op: OP,
      expected: `${source} to be there`,
      got: response.ok ? "a response that was read before" : `${response.status} ${response.statusText}`.trim(),
      hint: response.ok ? "A response can be read once." : "Check the URL, and whether the server wants credentials.",
    });
  }
  // Of compressed bytes the header has the size on the way.
  const length = response.headers.has("content-encoding") ? null : response.headers.get("content-length");
  const failed = (error: unknown) => unreachable(source, error, options);
  const pieces = response.body === null ? once(new Uint8Array()) : piecesOf(response.body, failed);
  return collect(OP, source, pieces, length === null ? undefined : Number(length), options);
}

function readBlob(blob: Blob, options: ReadOptions): Promise<Uint8Array<ArrayBuffer>> {
  const name = "name" in blob ? `file ${JSON.stringify(blob.name)}` : "the blob";
  return collect(OP, name, piecesOf(blob.stream()), blob.size, options);
}

/** Says where `fetch` failed; it throws a TypeError that does not. Any other error stays what it is. */
function unreachable(url: string, error: unknown, { signal }: ReadOptions): never {
  if (!(error instanceof TypeError) || signal?.aborted) throw error;
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : "";
  return fail({
    op: OP,
    expected: `all bytes of ${url}`,
    got: `${error.message}${cause}`,
    hint: "Check the URL, the connection, and that the server allows this page (CORS). In Node, a path is for readPath().",
  });
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}

/** Not the stream's own iterator, which Safari does not have. */
async function* piecesOf(stream: ReadableStream<Uint8Array>, failed = rethrow): AsyncIterable<Uint8Array> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const piece = await reader.read().catch(failed);
      if (piece.done) return;
      yield piece.value;
    }
  } finally {
    await reader.cancel().catch(() => {}); // no more is wanted, or no more comes
  }
}

function rethrow(error: unknown): never {
  throw error;
}

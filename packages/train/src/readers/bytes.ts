// What readers of binary files share.

import { fail } from "@nn/tensor";

/** The bytes of a file. */
export type FileBytes = Uint8Array | ArrayBuffer;

export function viewOf(file: FileBytes): { bytes: Uint8Array; view: DataView } {
  const bytes = file instanceof Uint8Array ? file : new Uint8Array(file);
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
}

/**
 * Unpacks a gzip file, in browsers and Node.
 *
 * @param options.maxBytes what it may unpack to (default 2 GiB): a small file can be made to unpack to anything
 * @throws if it is no gzip file, damaged, or unpacks to more
 * @example
 * ```ts
 * const images = readIdx(await gunzip(await readFile("train-images-idx3-ubyte.gz")));
 * ```
 */
export async function gunzip(
  file: FileBytes,
  { maxBytes = 2 ** 31 }: { readonly maxBytes?: number } = {},
): Promise<Uint8Array> {
  const { bytes } = viewOf(file);
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) {
    fail({ op: "gunzip", expected: "a gzip file, which begins with 1f 8b", got: hex(bytes.subarray(0, 4)) });
  }
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    const unpacked = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new DecompressionStream("gzip"));
    const reader = unpacked.getReader();
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      length += next.value.length;
      if (length > maxBytes) {
        await reader.cancel();
        break;
      }
      parts.push(next.value);
    }
  } catch (e) {
    fail({
      op: "gunzip",
      expected: "a whole gzip file",
      got: `one that is damaged or cut off${(e as Error).message ? ` (${(e as Error).message})` : ""}`,
    });
  }
  if (length > maxBytes)
    fail({ op: "gunzip", expected: `at most ${maxBytes} bytes`, got: "a file that unpacks to more" });
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

export function hex(bytes: Uint8Array): string {
  return bytes.length === 0 ? "nothing" : Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join(" ");
}

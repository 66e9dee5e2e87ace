// SHA-256 of bytes, as the platform computes it.

import { fail } from "@nn/tensor";

/**
 * SHA-256 of bytes in 64 hexadecimal digits, as `sha256sum` prints it.
 *
 * @throws NNError (op `"sha256"`) on a page without `crypto.subtle`: browsers have it only on https and localhost.
 *
 * @example
 * ```ts
 * const digest = await sha256(bytes); // to publish beside the file
 * ```
 */
export async function sha256(bytes: Uint8Array | ArrayBuffer): Promise<string> {
  if (globalThis.crypto?.subtle === undefined) {
    fail({
      op: "sha256",
      expected: "crypto.subtle",
      got: "none on this page",
      hint: "Browsers have it on https and localhost only: serve the page there, or load without sha256.",
    });
  }
  const digest = await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Fails unless the bytes have this SHA-256. */
export async function checkSha256(op: string, source: string, bytes: Uint8Array, wanted: string): Promise<void> {
  if (!/^[0-9a-f]{64}$/i.test(wanted)) {
    fail({
      op,
      expected: "sha256 as 64 hexadecimal digits",
      got: JSON.stringify(wanted),
      hint: "sha256sum prints it.",
    });
  }
  const got = await sha256(bytes);
  if (got === wanted.toLowerCase()) return;
  fail({
    op,
    expected: `${source} to have SHA-256 ${wanted.toLowerCase()}`,
    got: `${got}, of ${bytes.length} bytes`,
    hint: "It is damaged, or another version of the file: get it again, or correct sha256.",
  });
}

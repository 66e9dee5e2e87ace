// What WebAssembly can do here: asked with tiny modules.

import { fail } from "@nn/tensor";
import type { Features } from "./build.js";

/** A module with one function `() → v128` that has this body. */
const probe = (...body: number[]) =>
  // biome-ignore format: bytes of a module
  Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7b, 3, 2, 1, 0, 10, body.length + 4, 1, body.length + 2, 0, ...body, 0x0b);
const zero = [0xfd, 0x0c, ...new Array<number>(16).fill(0)];

/** @throws where kernels cannot run at all */
export function detectFeatures(): Features {
  try {
    new WebAssembly.Module(probe(...zero));
  } catch (e) {
    fail({
      op: "wasm",
      expected: "WebAssembly with SIMD",
      got: `${e}`,
      hint: "A Content-Security-Policy must have 'wasm-unsafe-eval'; setBackend(reference()) works everywhere.",
    });
  }
  return {
    relaxed: WebAssembly.validate(probe(...zero, ...zero, ...zero, 0xfd, 0x85, 0x02)),
    threads: typeof SharedArrayBuffer === "function" && globalThis.crossOriginIsolated !== false,
  };
}

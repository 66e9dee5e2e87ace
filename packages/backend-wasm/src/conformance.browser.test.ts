// The suite that every backend passes, in a browser: where memory can be shared with threads, else without.

import { backends, testBackend, wasmVariants } from "@nn/testing";
import { describe, expect, inject, it, vi } from "vitest";
import { wasm } from "./wasm.js";

const isolated = inject("isolated");

it("is on the page that it takes itself to be on", () => expect(crossOriginIsolated).toBe(isolated));

it("has threads where it can, and says why not", async () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
  const backend = await wasm({ threads: 2 });
  expect(backend.threads).toBe(isolated ? 2 : 1);
  expect(warn).toHaveBeenCalledTimes(isolated ? 0 : 1);
  backend.dispose();
});

for (const name of [...wasmVariants.alone, ...(isolated ? wasmVariants.shared : [])]) {
  describe(name, () => testBackend(backends[name]!));
}

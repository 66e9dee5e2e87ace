// The backend in use. One at a time, chosen explicitly: a default would be in every bundle, used or not.

import type { Backend } from "./backend.js";
import { fail, show } from "./errors.js";
import type { Tensor } from "./tensor.js";

let current: Backend | null = null;

/**
 * The backend that new tensors are made on.
 *
 * @throws {@link NNError} if none was chosen yet
 */
export function getBackend(): Backend {
  return (
    current ??
    fail({
      op: "getBackend",
      expected: "a backend that was chosen",
      got: "none",
      hint: "Call setBackend(reference()) or setBackend(await wasm()) before you make tensors, modules and optimizers.",
    })
  );
}

/**
 * Chooses the backend for all that follows. Do it first: tensors and Variables stay on the backend they were made on.
 *
 * @example
 * ```ts
 * setBackend(reference()); // plain JavaScript: slow, everywhere
 * ```
 */
export function setBackend(backend: Backend): void {
  current = backend;
}

/** Throws where a tensor lives on another backend than the current one. */
export function checkDevice(op: string, t: Tensor): void {
  const at = t.storage.backend;
  if (at === current) return;
  fail({
    op,
    expected: `a tensor on the current backend "${getBackend().name}"`,
    got: `a tensor ${show(t.shape)} on ${at.name === getBackend().name ? `another "${at.name}" backend` : `"${at.name}"`}`,
    hint: "Call setBackend() before you make tensors, modules and optimizers.",
  });
}

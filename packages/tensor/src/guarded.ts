// guarded: values that are no tensors, and may change between the calls of a compiled function.

import { interpreter } from "./apply.js";

/**
 * What `get` gives, as a fact that a compiled function depends on: it is traced anew once `get` gives something else.
 * For settings of modules, as `training` and `trainable` are; `get` must be quick and have no effects.
 *
 * @example
 * ```ts
 * class Noise extends Module {
 *   std = 0.1;
 *   forward(x: Tensor) { return x.add(randn(x.shape).mul(guarded(() => this.std))); }
 * }
 * ```
 */
export function guarded<T>(get: () => T): T {
  const now = get();
  interpreter().guard?.(() => Object.is(get(), now));
  return now;
}

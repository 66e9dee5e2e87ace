// Stopping at the first NaN.

import type { Callback } from "./callback.js";

/**
 * Ends training with an error at the first step whose loss or gradients are NaN or infinite. That step changes nothing; it is run again, op by op, and
 * the error names the op and the module where the first NaN appears. Costs a pass over the gradients in each step.
 *
 * @example
 * ```ts
 * fit(model, { …, callbacks: [stopOnNaN()] });
 * ```
 */
export function stopOnNaN(): Callback {
  return { guard: true };
}

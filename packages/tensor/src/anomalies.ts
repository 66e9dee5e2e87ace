// Finding the op and the module where the first NaN appears.

import { eager, readNow } from "./eager.js";
import { fail, show } from "./errors.js";
import type { Tensor } from "./tensor.js";

/**
 * Checks the result of every op for NaN, forward and backward, and throws at the first, naming op and module.
 * Slow, for finding a fault; compiled functions run eagerly meanwhile.
 *
 * @example
 * ```ts
 * detectAnomalies(true);
 * tensor([-1]).log(); // throws: log: expected no NaN, …
 * ```
 */
export function detectAnomalies(on = true): void {
  eager.inspect = on
    ? (op, ins, outs) => {
        for (const t of outs) checkNaN(op, ins, t);
      }
    : null;
}

function checkNaN(op: string, ins: readonly Tensor[], t: Tensor): void {
  if (t.dtype !== "f32" || !hasNaN(t)) return;
  const before = ins.findIndex((x) => x.dtype === "f32" && hasNaN(x));
  fail({
    op,
    expected: "no NaN in the result",
    got: `NaN in the result ${show(t.shape)}`,
    hint:
      before >= 0
        ? `Input ${before} ${show(ins[before]!.shape)} had NaN already: look at where it comes from.`
        : "Its inputs had none: look for log or sqrt of a negative number, 0/0, ∞ − ∞, or a learning rate that is too large.",
  });
}

function hasNaN(t: Tensor): boolean {
  const data = readNow(t);
  for (let i = 0; i < data.length; i++) if (Number.isNaN(data[i])) return true;
  return false;
}

// Who frees what. Every tensor made inside a scope() is freed at its end, unless it is returned or kept.

import { fail } from "./errors.js";
import { activeInterpreter } from "./interpreter.js";
import { mapStructure } from "./structure.js";
import type { Tensor } from "./tensor.js";

const open: Set<Tensor>[] = [];

/**
 * Runs `body` and frees every tensor made inside, except those it returns (in arrays and plain objects, too).
 * The library's own entry points (`minimize`, `valueAndGrad`, composite ops) open one for you; in a loop of your own
 * over eager ops it keeps memory flat, as no garbage collector sees a device's memory. Compiled steps need none.
 *
 * @returns what `body` returned
 * @throws if `body` is asynchronous
 * @example
 * ```ts
 * const mean = scope(() => x.sub(x.mean()).square().mean()); // one tensor left, four freed
 * ```
 */
export function scope<T>(body: () => T): T {
  const mine = new Set<Tensor>();
  open.push(mine);
  let result: T | undefined;
  try {
    result = body();
    if (result instanceof Promise) {
      fail({
        op: "scope",
        expected: "a function that returns at once",
        got: "a Promise",
        hint: "Await outside the scope.",
      });
    }
    return result;
  } finally {
    open.splice(open.lastIndexOf(mine), 1);
    const outer = open[open.length - 1];
    for (const t of tensorsIn(result)) if (mine.delete(t)) outer?.add(t);
    // A tape around us may have saved what was made in here: then the scope of that tape frees it.
    const recorded = activeInterpreter() !== null && outer !== undefined;
    for (const t of mine) {
      if (recorded) outer.add(t);
      else t.dispose();
    }
  }
}

/**
 * Takes a tensor out of every scope around it: it then lives until it is disposed or collected.
 * Use it for what you carry out of a scope other than by returning it.
 */
export function keep<T extends Tensor>(t: T): T {
  for (const s of open) s.delete(t);
  return t;
}

/** Called for every new tensor. */
export function born(t: Tensor): void {
  open[open.length - 1]?.add(t);
}

/** Called for every disposed tensor. */
export function gone(t: Tensor): void {
  for (const s of open) s.delete(t);
}

/** The tensors in a result: itself, or in arrays, maps and plain objects. */
function tensorsIn(result: unknown): Tensor[] {
  const found: Tensor[] = [];
  mapStructure(result, (v) => {
    if (v instanceof Map) found.push(...tensorsIn([...v.values()]));
    else if (v !== null && typeof v === "object" && "dtype" in v && "dispose" in v) found.push(v as Tensor);
  });
  return found;
}

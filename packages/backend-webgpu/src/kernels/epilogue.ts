// The formula that follows a kernel: `result` is its input 0, the others are the last inputs of the signature.

import type { Signature } from "@nn/tensor";
import { type Binding, reads } from "../code.js";
import { printFormula } from "../formula.js";
import { placeOf } from "../walk.js";

export interface Finish {
  /** Lines that end with the value. */
  readonly lines: readonly string[];
  readonly value: string;
  readonly bindings: readonly Binding[];
  readonly calls: readonly string[];
}

/** How many of the inputs are the kernel's own. */
export const ownInputs = ({ ins, epilogue }: Signature<unknown>): number => ins.length - (epilogue?.extra ?? 0);

/**
 * @param result the name of the kernel's result
 * @param i the number of the output's element, a u32
 */
export function finish(signature: Signature<unknown>, result: string, i: string): Finish {
  const { ins, outs, epilogue } = signature;
  if (!epilogue) return { lines: [], value: result, bindings: [], calls: [] };
  const first = ownInputs(signature);
  const extra = ins.slice(first);
  const place = placeOf(extra, outs[0]!.shape, i, "x");
  const { lines, value, calls } = printFormula(
    epilogue.expr,
    { load: (k) => (k === 0 ? result : `in${first + k - 1}[${place.at[k - 1]}]`) },
    "y",
  );
  return {
    lines: [...place.lines, ...lines],
    value,
    bindings: extra.map((v, k) => reads(`in${first + k}`, v.dtype)),
    calls,
  };
}

// The epilogue: the formula of a result, over a part of it that is still in the cache.

import {
  Formula,
  type Func,
  i32,
  loadElements,
  loops,
  type PhaseFunc,
  row,
  starts,
  storeElements,
  type Value,
} from "@nn/backend-wasm";
import { expr, type Signature } from "@nn/tensor";
import { as2d, place } from "./planes.js";

/** Some rows of some channels of a sample. */
export interface Region {
  readonly sample: Value;
  readonly channel: Value;
  readonly channels: number;
  readonly y: Value;
  readonly rows: Value;
}

export function finish({ f, ins, outs }: PhaseFunc, signature: Signature<any>, region: Region): void {
  const { epilogue } = signature;
  if (!epilogue) return;
  const first = ins.length - epilogue.extra;
  const views = [signature.outs[0]!, ...signature.ins.slice(first)].map(as2d);
  const bases = [outs[0]!, ...ins.slice(first)];
  const operands = views.map(({ strides, offset }, i) => {
    const [n, c, y] = strides as [number, number, number];
    const base = place(f, bases[i]!, [region.sample, n], [region.channel, c], [region.y, y]);
    return { base, offset, strides: strides.slice(1) };
  });
  const width = views[0]!.shape[3]!;
  const formula = new Formula(f, epilogue.expr, {
    level: (i) => (operands[i]!.strides[2] === 0 ? 1 : 2),
    indexLevel: () => 2,
  });
  const at = starts(f, operands);
  const index = () => i32.const(0);
  formula.at(0, { input: index, index });
  const shape = [region.channels, 1, width];
  f.for(0, region.rows, 1, () => {
    loops(f, shape, operands, [0], [0, region.channels], { at, coordinates: [] }, (point) => {
      formula.at(1, { input: (i) => loadElements(f, point.at[i]!, 0, 4), index });
      const inner = operands.map(({ strides }) => strides[2]!);
      row(f, width, point.at, inner, {}, (n, q) => {
        const v = formula.at(2, { input: (i) => loadElements(f, q[i]!, inner[i]!, n), index });
        storeElements(f, q[0]!, inner[0]!, n, v);
      });
    });
    for (const [i, p] of at.entries()) f.step(p, 4 * operands[i]!.strides[1]!);
  });
}

/** An epilogue as a function of the result alone, if it is one and short: then a kernel can apply it in registers. */
export function shortFormula({ epilogue }: Signature<any>): ((f: Func) => (x: Value) => Value) | null {
  if (!epilogue || epilogue.extra > 0 || expr.linearize(epilogue.expr).length > SHORT) return null;
  return (f) => {
    const formula = new Formula(f, epilogue.expr, { level: () => 2, indexLevel: () => 2 });
    const none = () => i32.const(0);
    formula.at(0, { input: none, index: none });
    return (x) => formula.at(2, { input: () => x, index: none });
  };
}
const SHORT = 6;

// The work on single units: operands with names, some rows of them, four units at a time.

import { elementAt, type Func, I32, i32, type Local, type Module, type Value } from "@nn/backend-wasm";
import type { View } from "@nn/tensor";
import { inUnits, load, pitchOf, store } from "./common.js";

/** Up to four units of a row. */
export interface Units {
  readonly f: Func;
  /** H: from gate to gate where all gates lie side by side. */
  readonly size: number;
  /** Elements of an operand, so many further on. */
  load(name: string, more?: number): Local;
  /** To all operands of that name. */
  store(name: string, value: Value, more?: number): void;
  has(name: string): boolean;
}

/** Something that is read or written. */
export interface Operand {
  readonly name: string;
  readonly view: View;
  /** Floats from group of units to group, where its units do not lie side by side in a row. */
  readonly group?: number;
  /** Of slots (lengths.ts): whether these lie one behind the other, or have to be found through the table. */
  readonly dense?: boolean;
}

/** For rows in slots. */
export interface Slotted {
  readonly reverse: boolean;
  /** Operands of which the first counts at a row's first step, and the second later. */
  readonly first: readonly [string, string] | undefined;
}

/**
 * Writes `pass(rows, …addresses)`: `step` for all units, in groups of some, of so many rows; in slots, `pass(rows,
 * table, t + 1, …addresses)`.
 */
export function writePass(
  m: Module,
  name: string,
  operands: readonly Operand[],
  size: number,
  units: number,
  step: (at: Units) => void,
  slotted?: Slotted,
): Func {
  const f = m.function(name, new Array((slotted ? 3 : 1) + operands.length).fill(I32));
  const [rows, table, now] = f.params as [Local, Local, Local];
  const bases = f.params.slice(slotted ? 3 : 1);
  const find = (name: string) => operands.findIndex((o) => o.name === name);
  const last = operands.map(({ view }) => view.strides.at(-1)!);
  f.repeat(rows, () => {
    const places = bases.map((base, i) => {
      if (!slotted) return base;
      return f.let(operands[i]!.dense ? base : elementAt(base, i32.load(table), pitchOf(operands[i]!.view)));
    });
    if (slotted?.first) {
      const [start, later] = slotted.first.map((name) => places[find(name)]!) as [Local, Local];
      f.set(start, i32.select(start, later, i32.eq(now, slotted.reverse ? i32.load(table, 4) : 1)));
    }
    const some = (count: number) => {
      step({
        f,
        size,
        has: (name) => find(name) >= 0,
        load: (name, more = 0) => f.let(load(f, count, places[find(name)]!, operands[find(name)]!.view, more)),
        store(name, value, more = 0) {
          const v = f.let(value);
          operands.forEach((o, i) => {
            if (o.name === name) store(f, count, places[i]!, v, 4 * more);
          });
        },
      });
      places.forEach((q, i) => {
        f.step(q, 4 * count * last[i]!);
      });
    };
    const skip = operands.map(({ group }, i) => (group ?? units * last[i]!) - units * last[i]!);
    const groups = Math.floor(size / units);
    f.times(groups, () => {
      inUnits(f, units, some);
      places.forEach((q, i) => {
        f.step(q, 4 * skip[i]!);
      });
    });
    inUnits(f, size % units, some);
    bases.forEach((base, i) => {
      if (!slotted) f.step(base, 4 * (pitchOf(operands[i]!.view) - size * last[i]! - groups * skip[i]!));
      else if (operands[i]!.dense) f.step(base, 4 * pitchOf(operands[i]!.view));
    });
    if (slotted) f.step(table, 8);
  });
  return f;
}

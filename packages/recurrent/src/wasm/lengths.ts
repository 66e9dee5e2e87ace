// Rows of unequal length: they are taken in the order of their lengths, the longest first, so that those which have a step
// are always the first ones, and nothing else is computed. Slot i is the i-th of them; what a slot has for itself lies
// in scratch, one behind the other, and all else is found through a table of slots: row, length.

import { elementAt, type Func, i32, type Local, type Module, type Phase, phase } from "@nn/backend-wasm";
import { isContiguous, type Signature, type View } from "@nn/tensor";
import type { LoopAttrs } from "../loop.js";
import { copyRow, pitchOf, timeOf } from "./common.js";

/** Bytes of a table. */
export const tableBytes = ({ ins, attrs }: Signature<LoopAttrs>): number =>
  attrs.lengths ? 8 * ins.at(-1)!.shape[0]! : 0;

/** The phases that make the table, at `at` bytes of what is shared; none where there are no lengths. */
export function tablePhases(m: Module, signature: Signature<LoopAttrs>, at: number): Phase[] {
  const { ins, attrs } = signature;
  if (!attrs.lengths) return [];
  const [steps, rows] = ins[0]!.shape as [number, number];
  const { offset, strides } = ins.at(-1)!;
  return [
    phase(m, "sort by length", signature, rows * rows, ({ f, ins, shared, from, to }) => {
      const lengthOf = (row: Local) => {
        const n = f.let(i32.load(elementAt(elementAt(ins.at(-1)!, offset), row, strides[0]!)));
        f.set(n, i32.select(n, 0, i32.gt_s(n, 0)));
        f.set(n, i32.min_u(n, steps));
        return n;
      };
      f.for(from, to, 1, () =>
        f.for(0, rows, 1, (row) => {
          const length = lengthOf(row);
          const slot = f.let(0);
          f.for(0, rows, 1, (other) => {
            const n = lengthOf(other);
            const same = i32.and(i32.eq(n, length), i32.lt_u(other, row));
            f.step(slot, i32.or(i32.gt_u(n, length), same));
          });
          const place = f.let(i32.add(i32.add(shared, at), i32.mul(slot, 8)));
          f.store(place, row);
          f.store(place, length, 4);
        }),
      );
      return 1;
    }),
  ];
}

/** `body` for slots of the table, with the number of each. */
export function eachSlot(f: Func, table: Local, count: Local, body: (slot: Local, i: Local) => void): void {
  const slot = f.let(table);
  f.for(0, count, 1, (i) => {
    body(slot, i);
    f.step(slot, 8);
  });
}

/** Copies the slots' rows of a view at `base` to rows that lie one behind the other. */
export function gatherRows(f: Func, base: Local, view: View, to: Local, table: Local, count: Local): void {
  eachSlot(f, table, count, (slot, i) => {
    copyRow(
      f,
      elementAt(elementAt(base, view.offset), i32.load(slot), pitchOf(view)),
      view,
      elementAt(to, i, view.shape.at(-1)!),
    );
  });
}

/** Sets the steps past the slots' ends to 0, in (T, N, …) as it is stored. */
export function clearEnds(f: Func, base: Local, view: View, table: Local, count: Local): void {
  if (!isContiguous(view)) throw new Error("recurrent: an output that is not contiguous");
  eachSlot(f, table, count, (slot) => {
    f.for(i32.load(slot, 4), view.shape[0]!, 1, (t) => {
      const row = elementAt(elementAt(base, t, timeOf(view)), i32.load(slot), pitchOf(view));
      f.zero(row, 4 * view.shape.at(-1)!);
    });
  });
}

/** How many slots have step t, given how many have the step before (`grows`: from the last step to the first). */
export function updateActive(f: Func, active: Local, table: Local, count: Local, t: Local, grows: boolean): void {
  const isOpen = f.let(1);
  f.doWhile(() => {
    const next = grows ? active : f.let(i32.sub(active, 1));
    f.set(isOpen, grows ? i32.lt_u(active, count) : active);
    f.if(isOpen, () => {
      const length = i32.load(i32.add(table, i32.mul(next, 8)), 4);
      f.set(isOpen, grows ? i32.gt_u(length, t) : i32.le_u(length, t));
      f.if(isOpen, () => f.step(active, grows ? 1 : -1));
    });
    return isOpen;
  });
}

// Which temporary values share a buffer. Whole buffers and not pieces of one: within a dispatch WebGPU lets a buffer be
// read or written, not both.

import type { Slot } from "@nn/tensor";

/** For each slot the number of its buffer, and how large the buffers are. */
export function assignSlots(slots: readonly Slot[]): {
  readonly of: readonly number[];
  readonly bytes: readonly number[];
} {
  const bytes: number[] = [];
  const busyTo: number[] = [];
  const of = new Array<number>(slots.length);
  for (const i of [...slots.keys()].sort((a, b) => slots[a]!.from - slots[b]!.from)) {
    const slot = slots[i]!;
    let best = -1;
    for (const [k, to] of busyTo.entries()) {
      if (to >= slot.from) continue;
      // The smallest that is large enough; else the largest, which then grows.
      const fits = bytes[k]! >= slot.bytes;
      const bestFits = best >= 0 && bytes[best]! >= slot.bytes;
      if (best < 0 || (fits ? !bestFits || bytes[k]! < bytes[best]! : !bestFits && bytes[k]! > bytes[best]!)) best = k;
    }
    if (best < 0) best = bytes.push(0) - 1;
    of[i] = best;
    bytes[best] = Math.max(bytes[best]!, slot.bytes);
    busyTo[best] = slot.to;
  }
  return { of, bytes };
}

// Places temporary buffers so that those which are never needed at the same time share memory.

import type { Slot } from "./backend.js";

/** Byte offsets of the slots, and how much they take together. Greatest first, each at the lowest free place. */
export function placeSlots(
  slots: readonly Slot[],
  align = 16,
): { readonly offsets: readonly number[]; readonly bytes: number } {
  const offsets = new Array<number>(slots.length).fill(0);
  const placed: number[] = [];
  let bytes = 0;
  for (const i of [...slots.keys()].sort((a, b) => slots[b]!.bytes - slots[a]!.bytes)) {
    const slot = slots[i]!;
    const size = Math.ceil(slot.bytes / align) * align;
    const busy = placed
      .filter((j) => slots[j]!.from <= slot.to && slot.from <= slots[j]!.to)
      .sort((a, b) => offsets[a]! - offsets[b]!);
    let at = 0;
    for (const j of busy) {
      if (offsets[j]! >= at + size) break;
      at = Math.max(at, offsets[j]! + Math.ceil(slots[j]!.bytes / align) * align);
    }
    offsets[i] = at;
    placed.push(i);
    bytes = Math.max(bytes, at + size);
  }
  return { offsets, bytes };
}

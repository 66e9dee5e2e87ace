// Which temporary values of a plan are stored as f16: large ones that a kernel asks for and none forbids.

import type { Plan, PlanStep } from "@nn/tensor";
import type { WgslCode } from "./code.js";

/** Bytes, as f32, from which it pays; statistics, losses and small sums keep all their digits. */
const LEAST = 65_536;

/** The numbers of their slots. */
export function halfSlots({ steps, slots }: Plan<WgslCode>): ReadonlySet<number> {
  const wishes = steps.flatMap((step) =>
    step.code.passes.flatMap(({ bindings }) =>
      bindings.flatMap(({ name, half }) => {
        const slot = slotOf(step, name);
        if (slot < 0 || half === undefined) return [];
        return { slot, half: typeof half === "string" ? slotOf(step, half) : half };
      }),
    ),
  );
  const found = new Set<number>();
  for (const { slot, half } of wishes) if (half !== false && slots[slot]!.bytes >= LEAST) found.add(slot);
  // What depends on another may be what a third depends on.
  for (let before = -1; before !== found.size; ) {
    before = found.size;
    for (const { slot, half } of wishes) {
      if (half !== true && (half === false || !found.has(half))) found.delete(slot);
    }
  }
  return found;
}

/** The slot that is an input or output of a step, or −1. */
function slotOf({ ins, outs }: PlanStep<WgslCode>, name: string): number {
  const ref = (name.startsWith("in") ? ins : outs)[Number(name.replace(/\D+/, ""))];
  return ref && "slot" in ref ? ref.slot : -1;
}

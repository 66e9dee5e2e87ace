// Mixed precision: what of a plan is held as f16. A plan becomes another, with the same kernels: slots are half as large, and texts
// convert what they read there and what they store.

import type { Plan, PlanStep } from "@nn/tensor";
import type { WgslCode, WgslPass } from "./code.js";

/** Bytes, as f32, from which it pays; statistics, losses and small sums keep all their digits. */
const LEAST = 65_536;

/**
 * Mixed precision, for the option of this name: operands of matrix products and convolutions, and the large temporary values of
 * compiled steps that these and pooling, BatchNorm and recurrent loops read or write (activations and their gradients, from
 * 64 KiB on), are held as f16 (11 bits, up to 65504; what is larger becomes infinite), which halves their memory and traffic. All
 * is computed in f32, and inputs, results, Variables, moments and gradients of parameters stay f32. Train with `GradScaler` of
 * @nn/optim, as with [torch.amp](https://pytorch.org/docs/stable/amp.html).
 *
 * @example
 * ```ts
 * import { f16, webgpu } from "@nn/backend-webgpu";
 * setBackend(await webgpu({ f16 }));
 * ```
 */
export function f16({ steps, slots }: Plan<WgslCode>): Plan<WgslCode> {
  const slotsOf = (wish: boolean) =>
    steps.flatMap((step) =>
      step.code.passes.flatMap(({ bindings }) =>
        bindings.flatMap(({ name, half }) => (half === wish ? (slotOf(step, name) ?? []) : [])),
      ),
    );
  const half = new Set<number | undefined>(slotsOf(true).filter((slot) => slots[slot]!.bytes >= LEAST));
  for (const slot of slotsOf(false)) half.delete(slot);
  return {
    slots: slots.map((slot, i) => (half.has(i) ? { ...slot, bytes: Math.ceil(slot.bytes / 8) * 4 } : slot)),
    steps: steps.map((step) => {
      const passes = step.code.passes.map((pass) => {
        const bound = pass.bindings.filter(({ name }) => half.has(slotOf(step, name))).map(({ name }) => name);
        return withF16(pass, [...(pass.tiles ?? []), ...bound]);
      });
      return { ...step, code: { ...step.code, passes } };
    }),
  };
}

/** The slot that is an input or output of a step. */
function slotOf({ ins, outs }: PlanStep<WgslCode>, name: string): number | undefined {
  const ref = (name.startsWith("in") ? ins : outs)[Number(/\d+/.exec(name)?.[0])]; // scratch is none of them
  return ref && "slot" in ref ? ref.slot : undefined;
}

/** The pass with some of its arrays of f32 or vec4f, bound or in workgroup memory, as f16. */
export const withF16 = (pass: WgslPass, arrays: readonly string[]): WgslPass =>
  arrays.length === 0 ? pass : { ...pass, change: (module) => `enable f16;\n${arrays.reduce(asF16, module)}` };

/** The module with an array as f16: what it reads there is converted, and so is what it stores (`name[…] = …;`). */
function asF16(module: string, name: string): string {
  const [, type] = RegExp(`\\b${name}: array<(\\w+)`).exec(module)!;
  const held = type === "f32" ? "f16" : "vec4h";
  return module.replace(`${name}: array<${type}`, `${name}: array<${held}`).replace(
    // An index may have an index in it. A second one is of a vector's component.
    RegExp(`\\b${name}((?:\\[(?:[^[\\]]|\\[[^[\\]]*\\])*\\])+)(?: = ([^;]*))?`, "g"),
    (_, at: string, stored?: string) =>
      stored ? `${name}${at} = ${held}(${stored})` : `${at.includes("][") ? "f32" : type}(${name}${at})`,
  );
}

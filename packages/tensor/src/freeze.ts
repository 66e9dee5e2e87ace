// Freezing: parameters that training leaves as they are. And how many there are.

import type { Module } from "./module.js";
import { sizeOf } from "./spec.js";
import type { Variable } from "./variable.js";

/**
 * Takes all parameters of a module out of training, as PyTorch's `module.requires_grad_(False)`: {@link Module.parameters} leaves
 * them out, no gradients in them are computed, and optimisers that have them pass them over, their moments and weight
 * decay, too. They stay in the state dict, and gradients still flow through the module to what is before it.
 * A compiled step is traced anew.
 *
 * Modes are another matter: a frozen BatchNorm in training goes on normalising by the batch and moving its running
 * statistics, as in PyTorch. Where they should stay, put it in evaluation: `freeze(model.bn).eval()`.
 *
 * @returns the module
 * @example
 * ```ts
 * freeze(model.backbone);
 * const optimizer = new Adam(model.parameters()); // the head's
 * ```
 */
export function freeze<M extends Module>(module: M): M {
  for (const v of module.parameters()) {
    v.trainable = false;
    frozen.add(v);
  }
  return module;
}

/**
 * Takes what {@link freeze} froze back into training, as `module.requires_grad_(True)`. Running statistics and other
 * buffers are none of it. An optimiser goes on with the parameters it was made with: of one that was made while
 * they were frozen, make a new one.
 *
 * @returns the module
 */
export function unfreeze<M extends Module>(module: M): M {
  for (const v of module.namedVariables().values()) if (frozen.delete(v)) v.trainable = true;
  return module;
}

/** Whether it is a parameter that {@link freeze} took out of training. */
export function isFrozen(v: Variable): boolean {
  return !v.trainable && frozen.has(v);
}

/** Options of {@link countParameters}. */
export interface CountParametersOptions {
  /** Count only those in training (true), or only frozen ones (false); default both. */
  readonly trainable?: boolean;
}

/**
 * How many numbers the parameters of a module have, frozen ones too; shared ones count once, and buffers (running
 * statistics) not at all: PyTorch's `sum(p.numel() for p in module.parameters())`.
 *
 * @example
 * ```ts
 * countParameters(new Linear(784, 10)); // 7,850
 * countParameters(model, { trainable: true });
 * ```
 */
export function countParameters(module: Module, { trainable }: CountParametersOptions = {}): number {
  let count = 0;
  for (const v of new Set(module.namedVariables().values())) {
    const counts = (v.trainable && trainable !== false) || (isFrozen(v) && trainable !== true);
    if (counts) count += sizeOf(v.shape);
  }
  return count;
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

const frozen = /* @__PURE__ */ new WeakSet<Variable>();

// State dicts: values of Variables by name, as modules and optimisers give and take them.

import { fail, show } from "./errors.js";
import { cast } from "./ops/pointwise.js";
import { scope } from "./scope.js";
import { sameShape } from "./spec.js";
import type { Tensor } from "./tensor.js";
import type { Variable } from "./variable.js";

/** Values by name. */
export type StateDict = Readonly<Record<string, Tensor>>;

/** What loading a state dict found, as `torch.nn.Module.load_state_dict` returns it. */
export interface LoadReport {
  readonly missing: readonly string[];
  readonly unexpected: readonly string[];
}

/** The values of named Variables. */
export function readState(named: ReadonlyMap<string, Variable>): Record<string, Tensor> {
  return Object.fromEntries([...named].map(([key, v]) => [key, v.value]));
}

/**
 * Takes over values for named Variables. Nothing changes unless all of it fits.
 *
 * @param owner whose Variables they are, for errors: its class, what it is, and what can be done
 * @param strict whether missing and unexpected keys are errors
 * @throws {@link NNError} naming every missing, unexpected or misshapen key
 */
export function writeState(
  owner: { readonly name: string; readonly kind: "module" | "optimizer"; readonly hint: string },
  named: ReadonlyMap<string, Variable>,
  state: StateDict,
  strict = true,
): LoadReport {
  const given = new Map(Object.entries(state));
  const missing = [...named.keys()].filter((key) => !given.has(key));
  const unexpected = [...given.keys()].filter((key) => !named.has(key));
  const misshapen = [...named].flatMap(([key, { shape }]) => {
    const t = given.get(key);
    return !t || sameShape(t.shape, shape) ? [] : [`${key}: expected ${show(shape)}, got ${show(t.shape)}`];
  });
  const faults = [
    ...(strict && missing.length > 0 ? [`missing keys: ${missing.join(", ")}`] : []),
    ...(strict && unexpected.length > 0 ? [`unexpected keys: ${unexpected.join(", ")}`] : []),
    ...(misshapen.length > 0 ? [`wrong shapes: ${misshapen.join("; ")}`] : []),
  ];
  if (faults.length > 0) {
    fail({
      op: `${owner.name}.loadStateDict`,
      expected: `the ${named.size} keys of this ${owner.kind}`,
      got: faults.join(" | "),
      hint: owner.hint,
    });
  }
  scope(() => {
    for (const [key, v] of named) {
      const t = given.get(key);
      if (t) v.value = cast(t, v.dtype);
    }
  });
  return { missing, unexpected };
}

// activations: what every layer of a model gives.

import { fail, keep, type Module, scope, stopGradient, Tensor } from "@nn/tensor";
import { call, inEvaluation, observe } from "../observe.js";

/**
 * The outputs of a model's modules on one input, by their paths; in evaluation, and the model stays as it is. Of a
 * module that runs several times, the last output counts.
 *
 * @param names which ones; default all that give a tensor, `""` being the model
 * @throws {@link NNError} if the model has no module of a name, or it did not run or gave no tensor
 * @example
 * ```ts
 * const { conv1, "layer1.0": block } = activations(model, x, ["conv1", "layer1.0"]);
 * ```
 */
export function activations(model: Module, x: Tensor, names?: readonly string[]): Record<string, Tensor> {
  const wanted = names?.map((name) => [name, moduleAt("activations", model, name)] as const);
  const found = outputsOf(model, x, wanted && new Set(wanted.map(([, m]) => m)));
  const each = wanted ?? [...found].map(([m, { path }]) => [path, m] as const);
  return Object.fromEntries(
    each.map(([name, m]) => {
      const got = found.get(m) ?? fail({ op: "activations", expected: `a tensor from "${name}"`, got: "none" });
      return [name, got.output];
    }),
  );
}

/** The module at a path. */
export function moduleAt(op: string, model: Module, name: string): Module {
  const modules = model.namedModules();
  const names = [...modules.keys()].filter((path) => path !== "");
  return modules.get(name) ?? fail({ op, expected: `one of the layers ${names.join(", ")}`, got: `"${name}"` });
}

/** The last output of each module that gives a tensor, in the order in which they first end, and how often it ran. */
export function outputsOf(model: Module, x: Tensor, wanted?: ReadonlySet<Module>) {
  const found = new Map<Module, { readonly path: string; output: Tensor; runs: number }>();
  const after = (path: string, m: Module, result: unknown) => {
    if (!(result instanceof Tensor) || (wanted && !wanted.has(m))) return;
    const entry = found.get(m);
    entry?.output.dispose();
    // A handle of our own, kept out of the scopes that a forward opens: they would free it.
    const output = keep(stopGradient(result));
    if (entry) Object.assign(entry, { output, runs: entry.runs + 1 });
    else found.set(m, { path, output, runs: 1 });
  };
  try {
    scope(() => void inEvaluation(model, () => observe(model, { after }, () => call(model, x))));
  } catch (e) {
    for (const { output } of found.values()) output.dispose();
    throw e;
  }
  // And one that belongs to the scope around this call, if there is one.
  for (const entry of found.values()) {
    const { output } = entry;
    entry.output = stopGradient(output);
    output.dispose();
  }
  return found;
}

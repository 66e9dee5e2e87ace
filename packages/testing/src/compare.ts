// Runs samples eager and compiled, forward and backward, and reads everything.

import {
  compile,
  type Data,
  keep,
  type Module,
  manualSeed,
  type Tensor,
  type Variable,
  valueAndGrad,
} from "@nn/tensor";
import type { LayerSample } from "./all-layers/index.js";
import { outputsOf, type Sample, tensorOf } from "./all-ops/index.js";

/** A function of tensors (and maybe of Variables it reads) with several outputs. */
export interface Program {
  readonly xs: readonly Tensor[];
  /** What to differentiate in besides the f32 inputs. */
  readonly variables: readonly Variable[];
  run(xs: readonly Tensor[]): readonly Tensor[];
}

/** The random numbers of every run of a program. */
export const SEED = 3;

export function programOf(sample: Sample): Program {
  manualSeed(SEED); // there must be a generator before anything is compiled
  return { xs: sample.inputs.map(tensorOf), variables: [], run: (xs) => outputsOf(sample, xs) };
}

/** A layer with weights that depend on nothing but its sizes. */
export function programOfLayer(sample: LayerSample): Program & { module: Module } {
  manualSeed(SEED);
  const module = sample.make().train(!sample.evaluate);
  const run = (xs: readonly Tensor[]) => [sample.run(module, ...xs)].flat() as Tensor[];
  return { xs: sample.inputs.map(tensorOf), variables: module.parameters(), module, run };
}

export interface Readings {
  readonly outputs: readonly Data[];
  /** In the f32 inputs, then in the Variables; empty where nothing is to be differentiated. */
  readonly gradients: readonly Data[];
}

/** Outputs and gradients (of a weighted sum of the outputs). */
export async function readAll(
  { xs, variables, run }: Program,
  { compiled = false, backward = true }: { compiled?: boolean; backward?: boolean },
): Promise<Readings> {
  const body = (...given: Tensor[]): { outputs: Tensor[]; gradients: Tensor[] } => {
    const wrt = [...given.filter((t) => t.dtype === "f32"), ...variables];
    if (!backward || wrt.length === 0) return { outputs: [...run(given)], gradients: [] };
    let outputs: readonly Tensor[] = [];
    const [, gradients] = valueAndGrad(() => {
      outputs = run(given);
      for (const t of outputs) keep(t);
      return weighted(outputs);
    }, wrt);
    return { outputs: [...outputs], gradients };
  };
  manualSeed(SEED);
  const { outputs, gradients } = (compiled ? compile(body) : body)(...xs);
  const read = (list: readonly Tensor[]) => Promise.all(list.map((t) => t.read()));
  return { outputs: await read(outputs), gradients: await read(gradients) };
}

/** Σ over the float outputs of weights that differ times the output: no gradient is lost in symmetry. */
function weighted(outputs: readonly Tensor[]): Tensor {
  const floats = outputs.filter((t) => t.dtype === "f32");
  return floats
    .map((t, i) =>
      t
        .mul(1 + i / 2)
        .add(t.square().mul(0.25))
        .sum(),
    )
    .reduce((a, b) => a.add(b));
}

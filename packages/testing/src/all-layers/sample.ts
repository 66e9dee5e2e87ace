// What a sample of a layer is.

import type { Module, Tensor } from "@nn/tensor";
import { floats, type Input, type Sample } from "../all-ops/index.js";

export interface LayerSample extends Pick<Sample, "name" | "inputs"> {
  /** Makes the layer; its weights come from the default generator. */
  make(): Module;
  run(layer: Module, ...xs: Tensor[]): Tensor | readonly Tensor[];
  /** In evaluation, not training. */
  readonly evaluate?: boolean;
  /** Of the finite differences, where kinks cannot be avoided by the choice of inputs. */
  readonly step?: number;
}

/** A layer of one tensor. `name`: of the class, then maybe what is special. */
export function layer(
  name: string,
  make: () => Module & { forward(x: Tensor): Tensor },
  ...inputs: readonly Input[]
): LayerSample {
  return { name, inputs, make, run: (m, x) => (m as Module & { forward(x: Tensor): Tensor }).forward(x!) };
}

export const X = (kinks: readonly number[] = []) => floats([2, 6], -2, 2, { kinks });

/** A layer of several tensors, or whose result is no tensor. */
export const of = <M extends Module>(
  name: string,
  make: () => M,
  inputs: readonly Input[],
  run: (m: M, ...xs: Tensor[]) => Tensor | readonly Tensor[],
): LayerSample => ({ name, inputs, make, run: run as LayerSample["run"] });

type Cells = { output: Tensor; h: Tensor; c?: Tensor };
/** All that a recurrent layer gives. */
export const all = ({ output, h, c }: Cells): Tensor[] => [output, h, ...(c ? [c] : [])];

export const IMAGES = floats([2, 3, 4, 3], -1, 1);
export const [ROWS, SERIES, VOLUMES] = [floats([5, 3]), floats([3, 2, 5]), floats([2, 2, 2, 3, 2])];

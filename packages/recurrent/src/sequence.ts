// What the three recurrences share: checks of a layer's inputs, and the loop over time.

import { fail, matmul, type Spec, show, split, stack, type Tensor, where, zerosLike } from "@nn/tensor";

/** Attributes of `rnnScan`, `gruScan` and `lstmScan`: one layer, one direction, the whole sequence. */
export interface ScanAttrs {
  /** Whether there are biases: inputs biasIh and biasHh. */
  readonly bias: boolean;
  /** From the last step to the first. */
  readonly reverse: boolean;
  /** Whether the last input is the rows' lengths (N) i32; steps past them keep the state and give 0. */
  readonly lengths: boolean;
}

/** x (T, N, I) · weightᵀ (I, G) + bias for all steps at once → (T, N, G). */
export function projectInput(x: Tensor, weight: Tensor, ...biases: readonly Tensor[]): Tensor {
  const [steps, rows, size] = x.shape as [number, number, number];
  const flat = biases.reduce((y, b) => y.add(b), matmul(x.reshape([steps * rows, size]), weight.transpose()));
  return flat.reshape([steps, rows, weight.shape[0]!]);
}

/**
 * Runs a cell over time.
 *
 * @param projected (T, N, G): what the input adds to the gates at each step
 * @param initial the state at the start; the first of its tensors (N, H) is the output, too
 * @param lengths (N) i32: past its length a row keeps its state and gives 0
 * @returns the outputs (T, N, H) and the state at the end
 */
export function overTime(
  projected: Tensor, initial: readonly Tensor[],
  cell: (input: Tensor, state: readonly Tensor[]) => readonly Tensor[],
  { reverse, lengths }: { reverse: boolean; lengths: Tensor | null },
): readonly Tensor[] {
  const inputs = split(projected, 1, 0).map((t) => t.reshape(projected.shape.slice(1)));
  const outputs: Tensor[] = [];
  let state = initial;
  for (let i = 0; i < inputs.length; i++) {
    const t = reverse ? inputs.length - 1 - i : i;
    const next = cell(inputs[t]!, state);
    if (lengths === null) {
      state = next;
      outputs[t] = next[0]!;
    } else {
      const active = lengths.gt(t).unsqueeze(1);
      outputs[t] = where(active, next[0]!, zerosLike(next[0]!));
      state = next.map((s, k) => where(active, s, state[k]!));
    }
  }
  return [stack(outputs), ...state];
}

/** Specs of a scan's outputs: (T, N, out) and the states. */
export function scanSpecs(op: string, x: Spec, states: readonly Spec[], weightIh: Spec, gates: number): Spec[] {
  if (x.shape.length !== 3) fail({ op, expected: "x (T, N, I)", got: show(x.shape) });
  const [steps, rows, size] = x.shape as [number, number, number];
  const wide = weightIh.shape[0]!;
  if (weightIh.shape[1] !== size || wide % gates !== 0) fail({ op, expected: `weightIh (${gates}·H, ${size})`, got: show(weightIh.shape) });
  for (const s of states) {
    if (s.shape.length !== 2 || s.shape[0] !== rows) fail({ op, expected: `a state (${rows}, H)`, got: show(s.shape) });
  }
  return [{ shape: [steps, rows, states[0]!.shape[1]!], dtype: "f32" }, ...states.map(({ shape, dtype }) => ({ shape, dtype }))];
}

// A layer's scan step by step, as `scan` of @nn/tensor: for what the ops' loops (loop.ts) do not have. A backend with a
// kernel for `scan` runs it as one loop, too.

import type { Tensor } from "@nn/tensor";
import { scanRows } from "./scan-rows.js";
import { projectInput, type ScanInputs } from "./sequence.js";

/** What a layer gives its scans: the inputs of the ops, and what only {@link stepwise} knows. */
export interface LayerInputs extends ScanInputs<Tensor> {
  /** (N, H), or (N, P) with a projection: factors of h where W_hh sees it, the same at all steps. */
  readonly dropout?: Tensor | undefined;
  /** Of an LSTM: what i, f and o see of the cell, (H) each. */
  readonly peepholes?: readonly Tensor[] | undefined;
}

export interface StepwiseOptions {
  /** From the last step to the first. */
  readonly reverse: boolean;
  /** One step, without a loop: a cell's, which may itself be in one (default false). */
  readonly single?: boolean;
  /** Also return the activated gates of all steps (default false). */
  readonly gates?: boolean;
}

/** A step: from what the input adds to the gates (N, gates · H), the states, and h as W_hh sees it. */
export type LayerStep = (
  pre: Tensor,
  states: readonly Tensor[],
  seen: Tensor,
) => { readonly states: readonly Tensor[]; readonly gates: readonly Tensor[] };

/**
 * Runs a step over the whole sequence.
 *
 * @param bias of the input's product
 * @returns the outputs (T, N, …), the final states (N, …), and maybe the gates (T, N, H)
 */
export function stepwise(
  inputs: LayerInputs,
  bias: Tensor | undefined,
  { reverse, single = false, gates = false }: StepwiseOptions,
  step: LayerStep,
): Tensor[] {
  const { states, dropout, lengths } = inputs;
  const cell = (now: readonly Tensor[], pre: Tensor) => {
    const next = step(pre, now, dropout ? now[0]!.mul(dropout) : now[0]!);
    return [next.states, [next.states[0]!, ...(gates ? next.gates : [])]] as const;
  };
  const pre = projectInput(inputs, bias);
  if (single) {
    const [next, results] = cell(states, pre.squeeze(0));
    return [results[0]!.unsqueeze(0), ...next];
  }
  const [last, [y, ...open]] = scanRows<readonly Tensor[], readonly Tensor[]>(cell, states, pre, lengths, reverse);
  return [y!, ...last, ...open];
}

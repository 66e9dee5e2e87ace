// The states of a layer that is `stateful`: those that its last call ended with are those that its next one starts from.

import { assume, fail, type Module, scope, stopGradient, type Tensor, untraced, Variable } from "@nn/tensor";

/** What a layer keeps: states for each batch size it has seen, one of which is in use until they are reset. */
export class KeptStates {
  readonly #all = new Map<number, { readonly start: () => readonly Tensor[]; readonly states: readonly Variable[] }>();
  /** Rows of the batch in use; null after a reset. */
  #rows: number | null = null;

  /**
   * Runs from the states that are kept and keeps those it ends with, through which no gradient flows.
   *
   * @param start the states before the first call
   * @param run from the first states to the output and the final ones
   */
  run(
    op: string,
    rows: number,
    start: () => readonly Tensor[],
    run: (states?: readonly Tensor[]) => Tensor[],
    isGiven: boolean,
  ): Tensor[] {
    if (!this.#uses(rows)) {
      fail({
        op,
        expected: `a batch of ${this.#rows}, whose states are kept`,
        got: `one of ${rows}`,
        hint: "Call resetState() before a batch of another size.",
      });
    }
    // A compiled call does not come here again: its trace is for this size, and asks.
    assume(() => this.#uses(rows));
    let kept = this.#all.get(rows);
    if (!kept) {
      const made = () => start().map((t) => new Variable(t, { trainable: false }));
      kept = { start, states: untraced(() => scope(made)) };
      this.#all.set(rows, kept);
    }
    const { states } = kept;
    const [output, ...finals] = run(isGiven ? undefined : states.map((v) => v.value));
    for (const [k, v] of states.entries()) v.value = stopGradient(finals[k]!);
    return [output!, ...finals];
  }

  /** Back to the states before the first call; the next batch may have any size. */
  reset(): void {
    this.#rows = null;
    scope(() => {
      for (const { start, states } of this.#all.values()) for (const [k, t] of start().entries()) states[k]!.value = t;
    });
  }

  #uses(rows: number): boolean {
    this.#rows ??= rows;
    return this.#rows === rows;
  }
}

/** A layer that may be stateful. */
interface Stateful {
  readonly stateful: boolean;
  resetState(): void;
}

/**
 * {@link Recurrent.resetState} of all layers in a model that are stateful: before the first chunk of a new sequence.
 *
 * @example
 * ```ts
 * for (const sequence of data) {
 *   resetStates(model);
 *   for (const chunk of chunksOf(sequence)) step(chunk);
 * }
 * ```
 */
export function resetStates(model: Module): void {
  for (const m of model.namedModules().values()) {
    const layer = m as Module & Partial<Stateful>;
    if (layer.stateful) layer.resetState!();
  }
}

// RNNLayer: any cell as a layer over whole sequences.

import { fail, Module, show, Tensor } from "@nn/tensor";
import { carried, isStreaming } from "./carried.js";
import { type ForwardOptions, rowsOf } from "./mask.js";
import { type PackedSequence, throughPacked } from "./packed.js";
import { scanRows } from "./scan-rows.js";

/**
 * One step of a recurrent network: a Module such as RNNCell, GRUCell and LSTMCell, or one of your own.
 *
 * @typeParam S the state: tensors (N, …), alone or in arrays and plain objects
 */
export interface Cell<S> extends Module {
  /**
   * @param x (N, …): all rows at one step
   * @returns the next state, which is the output, too (its `h`, if it has one), or both as `{ output, state }`
   */
  forward(x: Tensor, state: NoInfer<S>): NoInfer<S> | { readonly output: Tensor; readonly state: NoInfer<S> };
  /** The state of N rows before the first step. */
  initialState(batch: number): S;
}

/** Options of {@link RNNLayer}. */
export interface RNNLayerOptions {
  /** x and output are (N, T, …), not (T, N, …) (default false). */
  readonly batchFirst?: boolean;
  /** From the last step to the first; the output lies as x does (default false). */
  readonly reverse?: boolean;
}

/**
 * Runs a cell over time, as Keras' `RNN(cell)`: the cell is traced as one step of a `scan`, with lengths and masks whatever the cell.
 * RNN, GRU and LSTM are faster than their cells in here. What a cell may not do inside a scan, this one may not: assign to Variables
 * (BatchNorm in training), or draw random numbers.
 *
 * State: that of the cell, under `cell.`. For both directions take two layers, one with `reverse`, and `cat` their outputs.
 *
 * @typeParam S the cell's state
 * @example
 * ```ts
 * const layer = new RNNLayer(new GRUCell(8, 32), { batchFirst: true });
 * const { output, state } = layer.forward(randn([4, 20, 8]), undefined, { lengths: [20, 7, 3, 12] }); // (4, 20, 32), (4, 32)
 * ```
 */
export class RNNLayer<S = Tensor> extends Module {
  readonly batchFirst: boolean;
  readonly reverse: boolean;

  /** @throws {@link NNError} if the cell has no `initialState` */
  constructor(
    readonly cell: Cell<S>,
    { batchFirst = false, reverse = false }: RNNLayerOptions = {},
  ) {
    super();
    if (!(cell instanceof Module && typeof cell.initialState === "function")) {
      fail({
        op: "RNNLayer",
        expected: "a cell: a Module with forward(x, state) and initialState(batch)",
        got: cell instanceof Module ? `${(cell as Module).constructor.name}, without initialState` : typeof cell,
      });
    }
    this.batchFirst = batchFirst;
    this.reverse = reverse;
  }

  /**
   * @param x (T, N, …), (N, T, …) with batchFirst, or a {@link PackedSequence}; tokens (T, N) i32, if the cell embeds them
   * @param state before the first step; omitted: the cell's `initialState(N)`
   * @returns `output` (T, N, …), in the order of x, and the final state
   * @throws {@link NNError} where x has no time step or fewer than two axes, lengths or mask do not fit, or the cell's next state is not
   * like the one before
   */
  override forward<X extends Tensor | PackedSequence>(
    x: X,
    state?: S,
    options: ForwardOptions = {},
  ): { output: X; state: S } {
    const { batchFirst } = this;
    const [output, last] = throughPacked("RNNLayer", x, batchFirst, options, (x, o) => this.#run(x, state, o));
    return { output, state: last };
  }

  #run(x: Tensor, given: S | undefined, options: ForwardOptions): readonly [output: Tensor, state: S] {
    const { cell, batchFirst, reverse } = this;
    if (x.rank < 2 || x.shape[batchFirst ? 1 : 0] === 0) {
      const expected = `x ${batchFirst ? "(N, T, …)" : "(T, N, …)"} with T ≥ 1`;
      fail({ op: "RNNLayer", expected, got: show(x.shape) });
    }
    const turn = (t: Tensor) => (batchFirst ? t.transpose(0, 1) : t);
    const rows = rowsOf("RNNLayer", turn(x), options, batchFirst ? "NT" : "TN");
    if (isStreaming() && (reverse || given !== undefined || rows.lengths)) {
      fail({
        op: "RNNLayer",
        expected: "a stream without a look at the future, whose steps all count and whose states are its own",
        got: reverse ? "reverse: true" : given === undefined ? "lengths or a mask" : "an initial state",
      });
    }
    const run = (start: S) => {
      const step = (state: S, x: Tensor) => outcome(cell.forward(x, state));
      const [last, output] = scanRows(step, start, rows.x, rows.lengths, reverse);
      return [last, [turn(rows.restore(output)), last]] as const;
    };
    return carried(() => given ?? cell.initialState(rows.x.shape[1]!), run);
  }
}

/** What a cell returned, as scan wants it. */
function outcome<S>(returned: S | { readonly output: Tensor; readonly state: S }): readonly [state: S, output: Tensor] {
  if (returned instanceof Tensor) return [returned as S, returned];
  const { output, state, h } = (returned ?? {}) as { output?: unknown; state?: S; h?: unknown };
  if (output instanceof Tensor && state !== undefined) return [state, output];
  if (h instanceof Tensor) return [returned as S, h];
  return fail({
    op: "RNNLayer",
    expected: "a cell that returns its next state (a tensor, or an object with a tensor h), or { output, state }",
    got:
      returned === null || typeof returned !== "object" ? typeof returned : `{ ${Object.keys(returned).join(", ")} }`,
  });
}

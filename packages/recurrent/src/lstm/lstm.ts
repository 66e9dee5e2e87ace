// LSTM layer and cell.

import { cat, fail, full, scope, type Tensor, type Variable, zeros } from "@nn/tensor";
import { type CellOptions, RecurrentCell } from "../cell.js";
import { Recurrent, type RecurrentOptions, zeroParameter } from "../layer.js";
import type { ForwardOptions } from "../mask.js";
import type { PackedSequence } from "../packed.js";
import type { LayerInputs } from "../stepwise.js";
import { lstmScan } from "./scan.js";
import { lstmSteps } from "./steps.js";

/** What is special of an {@link LSTM} and {@link LSTMCell}. */
interface LSTMKind {
  /**
   * Whether gates see the cell state, each unit its own (Gers and Schmidhuber, 2000): `weight_ci ⊙ c` is added to i, `weight_cf ⊙ c` to f, and
   * `weight_co ⊙` the next c to o (default false). These run by `scan`, not by the kernels of whole sequences.
   */
  readonly peepholes?: boolean;
  /**
   * Added to the forget gate's part of `bias_ih` when it is made, so that cells keep more at first: often 1
   * ([Jozefowicz et al., 2015](https://proceedings.mlr.press/v37/jozefowicz15.html); default 0).
   */
  readonly forgetBias?: number;
}

/** Options of {@link LSTMCell}. */
export interface LSTMCellOptions extends CellOptions, LSTMKind {}

/** Options of {@link LSTM}. */
export interface LSTMOptions extends RecurrentOptions, LSTMKind {
  /** Size P < H that the output and h are projected to; 0 (default): they are not (Sak et al., 2014). */
  readonly projSize?: number;
}

/** States of an {@link LSTM} or {@link LSTMCell}: what one call returns, another takes. */
export interface LSTMState {
  /** (layers · directions, N, H), or P in place of H with projSize; of a cell (N, H). */
  readonly h: Tensor;
  /** (layers · directions, N, H); of a cell (N, H). */
  readonly c: Tensor;
}

/**
 * Long short-term memory, as [torch.nn.LSTM](https://pytorch.org/docs/stable/generated/torch.nn.LSTM.html):
 * `c ← σ(f) ⊙ c + σ(i) ⊙ tanh(g)`, `h ← σ(o) ⊙ tanh(c)`, where i, f, g and o are `W_i·x + b_i + W_h·h + b_h`.
 *
 * State: per layer k `weight_ih_lk` (4H, I), from the second layer on (4H, H · directions), `weight_hh_lk` (4H, H), `bias_ih_lk`,
 * `bias_hh_lk` (4H), and the same with `_reverse`; gates in the order i, f, g, o; all uniform on ±1/√H at first. With projSize P also
 * `weight_hr_lk` (P, H), and the other H of inputs are P; with peepholes `weight_ci_lk`, `weight_cf_lk`, `weight_co_lk` (H), 0 at first.
 *
 * @throws {@link NNError} for sizes that are no whole numbers ≥ 1, a dropout outside of 0 to 1, a projSize outside of 0 to H − 1, a
 * forgetBias without biases
 * @example
 * ```ts
 * const { output, h, c } = new LSTM(8, 32, { batchFirst: true }).forward(randn([4, 20, 8])); // (4, 20, 32), (1, 4, 32) twice
 * ```
 */
export class LSTM extends Recurrent {
  readonly peepholes: boolean;

  constructor(
    inputSize: number,
    hiddenSize: number,
    { projSize = 0, peepholes = false, forgetBias = 0, ...options }: LSTMOptions = {},
  ) {
    super(inputSize, hiddenSize, options, { gates: 4, states: 2, projSize, peepholes });
    this.peepholes = peepholes;
    const biases = [...this.namedVariables()].filter(([name]) => name.startsWith("bias_ih")).map(([, v]) => v);
    addForgetBias("LSTM", biases, hiddenSize, forgetBias);
  }

  /**
   * @param x (T, N, I), (N, T, I) with batchFirst, (T, I) without a batch, or a {@link PackedSequence}
   * @param state initial `{ h, c }`, without N if x has none; zeros if omitted
   * @returns `output` (T, N, H · directions), in the order of x, and the final `h` and `c`, shaped as the initial ones
   * @throws {@link NNError} where a shape or dtype does not fit, there is no time step, or a length is not from 1 to T
   */
  override forward<X extends Tensor | PackedSequence>(
    x: X,
    state?: LSTMState,
    options: ForwardOptions = {},
  ): { output: X; h: Tensor; c: Tensor } {
    const sizes = [this.projSize || this.hiddenSize, this.hiddenSize];
    const [output, h, c] = this.run(x, both("lstm", state), sizes, options);
    return { output, h: h!, c: c! };
  }

  protected override scan(inputs: LayerInputs, reverse: boolean): readonly Tensor[] {
    if (inputs.peepholes || inputs.dropout) return lstmSteps(inputs, { reverse });
    return lstmScan(inputs, {
      bias: this.bias,
      projection: this.projSize > 0,
      reverse,
      lengths: inputs.lengths !== undefined,
    });
  }
}

/**
 * One step of an {@link LSTM}, as [torch.nn.LSTMCell](https://pytorch.org/docs/stable/generated/torch.nn.LSTMCell.html).
 *
 * State: `weight_ih` (4H, I), `weight_hh` (4H, H), `bias_ih`, `bias_hh` (4H); gates in the order i, f, g, o; with peepholes `weight_ci`,
 * `weight_cf`, `weight_co` (H), 0 at first.
 *
 * @example
 * ```ts
 * const { h, c } = new LSTMCell(8, 32).forward(randn([4, 8])); // (4, 32) twice
 * ```
 */
export class LSTMCell extends RecurrentCell {
  /** (H): what i, f and o see of the cell state; null without peepholes. */
  readonly weight_ci: Variable | null;
  readonly weight_cf: Variable | null;
  readonly weight_co: Variable | null;

  constructor(
    inputSize: number,
    hiddenSize: number,
    { peepholes = false, forgetBias = 0, ...options }: LSTMCellOptions = {},
  ) {
    super(inputSize, hiddenSize, options, 4);
    const weight = () => (peepholes ? zeroParameter([hiddenSize]) : null);
    this.weight_ci = weight();
    this.weight_cf = weight();
    this.weight_co = weight();
    addForgetBias("LSTMCell", this.bias_ih ? [this.bias_ih] : [], hiddenSize, forgetBias);
  }

  get peepholes(): boolean {
    return this.weight_ci !== null;
  }

  /**
   * @param x (N, I) or (I)
   * @param state `{ h, c }` (N, H) or (H), zeros if omitted
   * @returns the next state
   * @throws {@link NNError} where a shape or dtype does not fit
   */
  override forward(x: Tensor, state?: LSTMState): { h: Tensor; c: Tensor } {
    const [h, c] = this.step(x, both("lstmCell", state));
    return { h: h!, c: c! };
  }

  /** Zeros (N, H): the state before the first step. */
  initialState(batch: number): LSTMState {
    return { h: zeros([batch, this.hiddenSize]), c: zeros([batch, this.hiddenSize]) };
  }

  protected override scan(inputs: LayerInputs): readonly Tensor[] {
    const { weight_ci: i, weight_cf: f, weight_co: o } = this;
    if (i && f && o)
      return lstmSteps({ ...inputs, peepholes: [i.value, f.value, o.value] }, { reverse: false, single: true });
    return lstmScan(inputs, { bias: this.bias, projection: false, reverse: false, lengths: false });
  }
}

/** Biases (4H) of gates i, f, g, o. */
function addForgetBias(op: string, biases: readonly Variable[], H: number, amount: number): void {
  if (!Number.isFinite(amount)) fail({ op, expected: "forgetBias to be a number", got: `${amount}` });
  if (amount === 0) return;
  if (biases.length === 0) fail({ op, expected: "forgetBias only with biases", got: `${amount} and bias: false` });
  scope(() => {
    const added = cat([zeros([H]), full([H], amount), zeros([2 * H])]);
    for (const v of biases) v.value = v.value.add(added);
  });
}

/** h and c, both or none. */
function both(op: string, state: LSTMState | undefined): [Tensor | undefined, Tensor | undefined] {
  if (state && !(state.h && state.c))
    fail({ op, expected: "the state { h, c }", got: `{ ${Object.keys(state).join(", ")} }` });
  return [state?.h, state?.c];
}

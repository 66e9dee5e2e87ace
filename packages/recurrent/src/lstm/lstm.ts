// LSTM layer and cell.

import { fail, type Tensor } from "@nn/tensor";
import { type CellOptions, RecurrentCell } from "../cell.js";
import { type ForwardOptions, Recurrent, type RecurrentOptions } from "../layer.js";
import type { ScanInputs } from "../sequence.js";
import { lstmScan } from "./scan.js";

/** Options of {@link LSTM}. */
export interface LSTMOptions extends RecurrentOptions {
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
 * `weight_hr_lk` (P, H), and the other H of inputs are P.
 *
 * @throws {@link NNError} for sizes that are no whole numbers ≥ 1, a dropout outside of 0 to 1, a projSize outside of 0 to H − 1
 * @example
 * ```ts
 * const { output, h, c } = new LSTM(8, 32, { batchFirst: true }).forward(randn([4, 20, 8])); // (4, 20, 32), (1, 4, 32) twice
 * ```
 */
export class LSTM extends Recurrent {
  constructor(inputSize: number, hiddenSize: number, { projSize = 0, ...options }: LSTMOptions = {}) {
    super(inputSize, hiddenSize, options, 4, projSize);
  }

  /**
   * @param x (T, N, I), (N, T, I) with batchFirst, or (T, I) without a batch
   * @param state initial `{ h, c }`, without N if x has none; zeros if omitted
   * @returns `output` (T, N, H · directions), in the order of x, and the final `h` and `c`, shaped as the initial ones
   * @throws {@link NNError} where a shape or dtype does not fit, there is no time step, or a length is not from 1 to T
   */
  override forward(
    x: Tensor,
    state?: LSTMState,
    options: ForwardOptions = {},
  ): { output: Tensor; h: Tensor; c: Tensor } {
    const sizes = [this.projSize || this.hiddenSize, this.hiddenSize];
    const [output, h, c] = this.run(x, both("lstm", state), sizes, options);
    return { output: output!, h: h!, c: c! };
  }

  protected override scan(inputs: ScanInputs<Tensor>, reverse: boolean): readonly Tensor[] {
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
 * State: `weight_ih` (4H, I), `weight_hh` (4H, H), `bias_ih`, `bias_hh` (4H); gates in the order i, f, g, o.
 *
 * @example
 * ```ts
 * const { h, c } = new LSTMCell(8, 32).forward(randn([4, 8])); // (4, 32) twice
 * ```
 */
export class LSTMCell extends RecurrentCell {
  constructor(inputSize: number, hiddenSize: number, options: CellOptions = {}) {
    super(inputSize, hiddenSize, options, 4);
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

  protected override scan(inputs: ScanInputs<Tensor>): readonly Tensor[] {
    return lstmScan(inputs, { bias: this.bias, projection: false, reverse: false, lengths: false });
  }
}

/** h and c, both or none. */
function both(op: string, state: LSTMState | undefined): [Tensor | undefined, Tensor | undefined] {
  if (state && !(state.h && state.c))
    fail({ op, expected: "the state { h, c }", got: `{ ${Object.keys(state).join(", ")} }` });
  return [state?.h, state?.c];
}

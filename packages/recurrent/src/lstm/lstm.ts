// LSTM layer and cell.

import { Module, type Tensor, type Variable, zeros } from "@nn/tensor";
import { checkCell, runCell } from "../cell.js";
import { checkSize, type ForwardOptions, initial, Recurrent, type RecurrentOptions } from "../layer.js";
import { lstmScan } from "./scan.js";

export interface LSTMOptions extends RecurrentOptions {
  /** Size the output and h are projected to; 0 (default): not at all. */
  readonly projSize?: number;
}

/** Initial states of an {@link LSTM}; both or none. */
export interface LSTMState {
  /** (layers · directions, N, H or projSize). */
  readonly h: Tensor;
  /** (layers · directions, N, H). */
  readonly c: Tensor;
}

/**
 * Long short-term memory, as [torch.nn.LSTM](https://pytorch.org/docs/stable/generated/torch.nn.LSTM.html):
 * `c ← σ(f) ⊙ c + σ(i) ⊙ tanh(g)`, `h ← σ(o) ⊙ tanh(c)`.
 *
 * State keys: `weight_ih_l0` (4H, I), `weight_hh_l0` (4H, H), `bias_ih_l0`, `bias_hh_l0` (4H), `weight_hr_l0` (P, H) with projSize,
 * … `_reverse`, gates i, f, g, o; all uniform on ±1/√H at first.
 *
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
   * @param x (T, N, I), (N, T, I) with batchFirst, or (T, I)
   * @param state initial `{ h, c }`, zeros if omitted
   * @returns `output` (T, N, H · directions) and the final `h`, `c` (layers · directions, N, H)
   */
  override forward(x: Tensor, state?: LSTMState, options: ForwardOptions = {}): { output: Tensor; h: Tensor; c: Tensor } {
    const [output, h, c] = this.run(x, [state?.h, state?.c], [this.projSize || this.hiddenSize, this.hiddenSize], options);
    return { output: output!, h: h!, c: c! };
  }

  protected override scan(inputs: readonly Tensor[], reverse: boolean, lengths: boolean): readonly Tensor[] {
    return lstmScan(inputs, { bias: this.bias, projection: this.projSize > 0, reverse, lengths });
  }
}

/** One step of {@link LSTM}: x (N, I) or (I), `{ h, c }` (N, H) → `{ h, c }` ([torch.nn.LSTMCell](https://pytorch.org/docs/stable/generated/torch.nn.LSTMCell.html)). */
export class LSTMCell extends Module {
  readonly weight_ih: Variable;
  readonly weight_hh: Variable;
  readonly bias_ih: Variable | null;
  readonly bias_hh: Variable | null;

  constructor(readonly inputSize: number, readonly hiddenSize: number, { bias = true }: { readonly bias?: boolean } = {}) {
    super();
    checkSize("LSTMCell", "inputSize", inputSize);
    checkSize("LSTMCell", "hiddenSize", hiddenSize);
    this.weight_ih = initial([4 * hiddenSize, inputSize], hiddenSize);
    this.weight_hh = initial([4 * hiddenSize, hiddenSize], hiddenSize);
    this.bias_ih = bias ? initial([4 * hiddenSize], hiddenSize) : null;
    this.bias_hh = bias ? initial([4 * hiddenSize], hiddenSize) : null;
  }

  override forward(x: Tensor, state?: LSTMState): { h: Tensor; c: Tensor } {
    checkCell("lstmCell", x, this.inputSize);
    const start = () => zeros([...x.shape.slice(0, -1), this.hiddenSize]);
    const states = [state?.h ?? start(), state?.c ?? start()];
    const [h, c] = runCell(this, x, states, (inputs, attrs) => lstmScan(inputs, { ...attrs, projection: false }));
    return { h: h!, c: c! };
  }
}

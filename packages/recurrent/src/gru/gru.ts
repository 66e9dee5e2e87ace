// GRU layer and cell.

import { type Tensor, zeros } from "@nn/tensor";
import { type CellOptions, RecurrentCell } from "../cell.js";
import { Recurrent, type RecurrentOptions } from "../layer.js";
import type { ForwardOptions } from "../mask.js";
import type { PackedSequence } from "../packed.js";
import type { LayerInputs } from "../stepwise.js";
import { gruScan } from "./scan.js";
import { gruSteps } from "./steps.js";

/** What is special of a {@link GRU} and {@link GRUCell}. */
interface GRUKind {
  /**
   * Where the reset gate acts: after the product, `r ⊙ (W_hn·h + b_hn)`, as in PyTorch and cuDNN (default true), or before it,
   * `W_hn·(r ⊙ h) + b_hn`, as in [Cho et al., 2014](https://arxiv.org/abs/1406.1078) and with Keras' `reset_after=False`. The latter
   * runs by `scan`, not by the kernels of whole sequences.
   */
  readonly resetAfter?: boolean;
}

/** Options of {@link GRU}. */
export interface GRUOptions extends RecurrentOptions, GRUKind {}

/** Options of {@link GRUCell}. */
export interface GRUCellOptions extends CellOptions, GRUKind {}

/**
 * Gated recurrent unit, as [torch.nn.GRU](https://pytorch.org/docs/stable/generated/torch.nn.GRU.html), its reset gate
 * applied after the product: `r, z = σ(…)`, `n = tanh(W_in·x + b_in + r ⊙ (W_hn·h + b_hn))`, `h ← (1 − z) ⊙ n + z ⊙ h`. With
 * `resetAfter: false` before it: `n = tanh(W_in·x + b_in + W_hn·(r ⊙ h) + b_hn)`.
 *
 * State: per layer k `weight_ih_lk` (3H, I), from the second layer on (3H, H · directions), `weight_hh_lk` (3H, H), `bias_ih_lk`,
 * `bias_hh_lk` (3H), and the same with `_reverse`; gates in the order r, z, n; all uniform on ±1/√H at first.
 *
 * @throws {@link NNError} for sizes that are no whole numbers ≥ 1, and a dropout outside of 0 to 1
 * @example
 * ```ts
 * const { output, h } = new GRU(8, 32, { batchFirst: true }).forward(randn([4, 20, 8])); // (4, 20, 32), (1, 4, 32)
 * ```
 */
export class GRU extends Recurrent {
  readonly resetAfter: boolean;

  constructor(inputSize: number, hiddenSize: number, { resetAfter = true, ...options }: GRUOptions = {}) {
    super(inputSize, hiddenSize, options, { gates: 3 });
    this.resetAfter = resetAfter;
  }

  /**
   * @param x (T, N, I), (N, T, I) with batchFirst, (T, I) without a batch, or a {@link PackedSequence}
   * @param h0 initial state (layers · directions, N, H), without N if x has none; zeros if omitted
   * @returns `output` (T, N, H · directions), in the order of x, and the final `h`, shaped as h0
   * @throws {@link NNError} where a shape or dtype does not fit, there is no time step, or a length is not from 1 to T
   */
  override forward<X extends Tensor | PackedSequence>(
    x: X,
    h0?: Tensor,
    options: ForwardOptions = {},
  ): { output: X; h: Tensor } {
    const [output, h] = this.run(x, [h0], [this.hiddenSize], options);
    return { output, h: h! };
  }

  protected override scan(inputs: LayerInputs, reverse: boolean): readonly Tensor[] {
    if (!this.resetAfter || inputs.dropout) return gruSteps(inputs, this.resetAfter, { reverse });
    return gruScan(inputs, { bias: this.bias, reverse, lengths: inputs.lengths !== undefined });
  }
}

/**
 * One step of a {@link GRU}, as [torch.nn.GRUCell](https://pytorch.org/docs/stable/generated/torch.nn.GRUCell.html).
 *
 * State: `weight_ih` (3H, I), `weight_hh` (3H, H), `bias_ih`, `bias_hh` (3H); gates in the order r, z, n.
 *
 * @example
 * ```ts
 * const h = new GRUCell(8, 32).forward(randn([4, 8])); // (4, 32)
 * ```
 */
export class GRUCell extends RecurrentCell {
  readonly resetAfter: boolean;

  constructor(inputSize: number, hiddenSize: number, { resetAfter = true, ...options }: GRUCellOptions = {}) {
    super(inputSize, hiddenSize, options, 3);
    this.resetAfter = resetAfter;
  }

  /**
   * @param x (N, I) or (I)
   * @param h state (N, H) or (H), zeros if omitted
   * @returns the next state
   * @throws {@link NNError} where a shape or dtype does not fit
   */
  override forward(x: Tensor, h?: Tensor): Tensor {
    return this.step(x, [h])[0]!;
  }

  /** Zeros (N, H): the state before the first step. */
  initialState(batch: number): Tensor {
    return zeros([batch, this.hiddenSize]);
  }

  protected override scan(inputs: LayerInputs): readonly Tensor[] {
    if (!this.resetAfter) return gruSteps(inputs, false, { reverse: false, single: true });
    return gruScan(inputs, { bias: this.bias, reverse: false, lengths: false });
  }
}

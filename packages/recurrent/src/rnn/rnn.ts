// RNN layer and cell.

import { fail, type Tensor, zeros } from "@nn/tensor";
import { type CellOptions, RecurrentCell } from "../cell.js";
import { Recurrent, type RecurrentOptions } from "../layer.js";
import type { ForwardOptions } from "../mask.js";
import type { PackedSequence } from "../packed.js";
import type { LayerInputs } from "../stepwise.js";
import { rnnScan } from "./scan.js";
import { rnnSteps } from "./steps.js";

export type RNNNonlinearity = "tanh" | "relu";

/** Options of {@link RNN}. */
export interface RNNOptions extends RecurrentOptions {
  /** Default "tanh". */
  readonly nonlinearity?: RNNNonlinearity;
}

/**
 * Elman network, as [torch.nn.RNN](https://pytorch.org/docs/stable/generated/torch.nn.RNN.html):
 * `h ← f(W_ih·x + b_ih + W_hh·h + b_hh)`, f = tanh or relu.
 *
 * State: per layer k `weight_ih_lk` (H, I), from the second layer on (H, H · directions), `weight_hh_lk` (H, H), `bias_ih_lk`,
 * `bias_hh_lk` (H), and the same with `_reverse`; all uniform on ±1/√H at first.
 *
 * @throws {@link NNError} for sizes that are no whole numbers ≥ 1, a dropout outside of 0 to 1, an unknown nonlinearity
 * @example
 * ```ts
 * const { output, h } = new RNN(8, 32, { batchFirst: true }).forward(randn([4, 20, 8])); // (4, 20, 32), (1, 4, 32)
 * ```
 */
export class RNN extends Recurrent {
  readonly nonlinearity: RNNNonlinearity;

  constructor(inputSize: number, hiddenSize: number, { nonlinearity = "tanh", ...options }: RNNOptions = {}) {
    super(inputSize, hiddenSize, options, { gates: 1 });
    this.nonlinearity = checkNonlinearity("RNN", nonlinearity);
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
    if (inputs.dropout) return rnnSteps(inputs, this.nonlinearity, { reverse });
    return rnnScan(inputs, {
      nonlinearity: this.nonlinearity,
      bias: this.bias,
      reverse,
      lengths: inputs.lengths !== undefined,
    });
  }
}

/** Options of {@link RNNCell}. */
export interface RNNCellOptions extends CellOptions {
  /** Default "tanh". */
  readonly nonlinearity?: RNNNonlinearity;
}

/**
 * One step of an {@link RNN}, as [torch.nn.RNNCell](https://pytorch.org/docs/stable/generated/torch.nn.RNNCell.html).
 *
 * State: `weight_ih` (H, I), `weight_hh` (H, H), `bias_ih`, `bias_hh` (H).
 *
 * @example
 * ```ts
 * const h = new RNNCell(8, 32).forward(randn([4, 8])); // (4, 32)
 * ```
 */
export class RNNCell extends RecurrentCell {
  readonly nonlinearity: RNNNonlinearity;

  constructor(inputSize: number, hiddenSize: number, { nonlinearity = "tanh", ...options }: RNNCellOptions = {}) {
    super(inputSize, hiddenSize, options, 1);
    this.nonlinearity = checkNonlinearity("RNNCell", nonlinearity);
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
    return rnnScan(inputs, { nonlinearity: this.nonlinearity, bias: this.bias, reverse: false, lengths: false });
  }
}

function checkNonlinearity(op: string, name: RNNNonlinearity): RNNNonlinearity {
  return name === "tanh" || name === "relu"
    ? name
    : fail({ op, expected: 'nonlinearity "tanh" or "relu"', got: `"${name}"` });
}

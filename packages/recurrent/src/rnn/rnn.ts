// RNN layer and cell.

import { fail, Module, type Tensor, type Variable, zeros } from "@nn/tensor";
import { checkCell, runCell } from "../cell.js";
import { checkSize, type ForwardOptions, initial, Recurrent, type RecurrentOptions } from "../layer.js";
import { rnnScan } from "./scan.js";

export interface RNNOptions extends RecurrentOptions {
  /** Default "tanh". */
  readonly nonlinearity?: "tanh" | "relu";
}

/**
 * Elman network, as [torch.nn.RNN](https://pytorch.org/docs/stable/generated/torch.nn.RNN.html):
 * `h ← tanh(W_ih·x + b_ih + W_hh·h + b_hh)`.
 *
 * State keys: `weight_ih_l0` (H, I), `weight_hh_l0` (H, H), `bias_ih_l0`, `bias_hh_l0` (H), … `_reverse`; all uniform on ±1/√H at first.
 *
 * @example
 * ```ts
 * const { output, h } = new RNN(8, 32, { batchFirst: true }).forward(randn([4, 20, 8])); // (4, 20, 32), (1, 4, 32)
 * ```
 */
export class RNN extends Recurrent {
  readonly nonlinearity: "tanh" | "relu";

  constructor(inputSize: number, hiddenSize: number, { nonlinearity = "tanh", ...options }: RNNOptions = {}) {
    super(inputSize, hiddenSize, options, 1);
    this.nonlinearity = checkNonlinearity("RNN", nonlinearity);
  }

  /**
   * @param x (T, N, I), (N, T, I) with batchFirst, or (T, I)
   * @param h0 initial state (layers · directions, N, H), zeros if omitted
   * @returns `output` (T, N, H · directions) and the final `h` (layers · directions, N, H)
   */
  override forward(x: Tensor, h0?: Tensor, options: ForwardOptions = {}): { output: Tensor; h: Tensor } {
    const [output, h] = this.run(x, [h0], [this.hiddenSize], options);
    return { output: output!, h: h! };
  }

  protected override scan(inputs: readonly Tensor[], reverse: boolean, lengths: boolean): readonly Tensor[] {
    return rnnScan(inputs, { nonlinearity: this.nonlinearity, bias: this.bias, reverse, lengths });
  }
}

/** One step of {@link RNN}: x (N, I) or (I), h (N, H) → h. State keys without the layer: `weight_ih`, … ([torch.nn.RNNCell](https://pytorch.org/docs/stable/generated/torch.nn.RNNCell.html)). */
export class RNNCell extends Module {
  readonly weight_ih: Variable;
  readonly weight_hh: Variable;
  readonly bias_ih: Variable | null;
  readonly bias_hh: Variable | null;
  readonly nonlinearity: "tanh" | "relu";

  constructor(
    readonly inputSize: number, readonly hiddenSize: number,
    { bias = true, nonlinearity = "tanh" }: { readonly bias?: boolean; readonly nonlinearity?: "tanh" | "relu" } = {},
  ) {
    super();
    checkSize("RNNCell", "inputSize", inputSize);
    checkSize("RNNCell", "hiddenSize", hiddenSize);
    this.nonlinearity = checkNonlinearity("RNNCell", nonlinearity);
    this.weight_ih = initial([hiddenSize, inputSize], hiddenSize);
    this.weight_hh = initial([hiddenSize, hiddenSize], hiddenSize);
    this.bias_ih = bias ? initial([hiddenSize], hiddenSize) : null;
    this.bias_hh = bias ? initial([hiddenSize], hiddenSize) : null;
  }

  override forward(x: Tensor, h?: Tensor): Tensor {
    checkCell("rnnCell", x, this.inputSize);
    const { nonlinearity } = this;
    return runCell(this, x, [h ?? zeros([...x.shape.slice(0, -1), this.hiddenSize])], (inputs, attrs) => rnnScan(inputs, { ...attrs, nonlinearity }))[0]!;
  }
}

function checkNonlinearity(op: string, name: "tanh" | "relu"): "tanh" | "relu" {
  return name === "tanh" || name === "relu" ? name : fail({ op, expected: 'nonlinearity "tanh" or "relu"', got: `"${name}"` });
}

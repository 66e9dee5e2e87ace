// GRU layer and cell.

import { Module, type Tensor, type Variable, zeros } from "@nn/tensor";
import { checkCell, runCell } from "../cell.js";
import { checkSize, type ForwardOptions, initial, Recurrent, type RecurrentOptions } from "../layer.js";
import { gruScan } from "./scan.js";

/**
 * Gated recurrent unit, as [torch.nn.GRU](https://pytorch.org/docs/stable/generated/torch.nn.GRU.html), reset after the product:
 * `n = tanh(W_in·x + b_in + r ⊙ (W_hn·h + b_hn))`, `h ← (1 − z) ⊙ n + z ⊙ h`.
 *
 * State keys: `weight_ih_l0` (3H, I), `weight_hh_l0` (3H, H), `bias_ih_l0`, `bias_hh_l0` (3H), … `_reverse`, gates r, z, n;
 * all uniform on ±1/√H at first.
 *
 * @example
 * ```ts
 * const { output, h } = new GRU(8, 32, { batchFirst: true }).forward(randn([4, 20, 8])); // (4, 20, 32), (1, 4, 32)
 * ```
 */
export class GRU extends Recurrent {
  constructor(inputSize: number, hiddenSize: number, options: RecurrentOptions = {}) {
    super(inputSize, hiddenSize, options, 3);
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
    return gruScan(inputs, { bias: this.bias, reverse, lengths });
  }
}

/** One step of {@link GRU}: x (N, I) or (I), h (N, H) → h ([torch.nn.GRUCell](https://pytorch.org/docs/stable/generated/torch.nn.GRUCell.html)). */
export class GRUCell extends Module {
  readonly weight_ih: Variable;
  readonly weight_hh: Variable;
  readonly bias_ih: Variable | null;
  readonly bias_hh: Variable | null;

  constructor(readonly inputSize: number, readonly hiddenSize: number, { bias = true }: { readonly bias?: boolean } = {}) {
    super();
    checkSize("GRUCell", "inputSize", inputSize);
    checkSize("GRUCell", "hiddenSize", hiddenSize);
    this.weight_ih = initial([3 * hiddenSize, inputSize], hiddenSize);
    this.weight_hh = initial([3 * hiddenSize, hiddenSize], hiddenSize);
    this.bias_ih = bias ? initial([3 * hiddenSize], hiddenSize) : null;
    this.bias_hh = bias ? initial([3 * hiddenSize], hiddenSize) : null;
  }

  override forward(x: Tensor, h?: Tensor): Tensor {
    checkCell("gruCell", x, this.inputSize);
    return runCell(this, x, [h ?? zeros([...x.shape.slice(0, -1), this.hiddenSize])], gruScan)[0]!;
  }
}

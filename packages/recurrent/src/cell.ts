// What the RNN, GRU and LSTM cells share. A cell is a scan over one step, so that both always agree.

import { fail, Module, show, type Tensor, type Variable, zeros } from "@nn/tensor";
import { checkSize, initial } from "./layer.js";
import type { LayerInputs } from "./stepwise.js";

/** Options of the cells. */
export interface CellOptions {
  /** Whether there are biases (default true). */
  readonly bias?: boolean;
}

/** Base of {@link RNNCell}, {@link GRUCell} and {@link LSTMCell}: not for use on its own. */
export abstract class RecurrentCell extends Module {
  /** (gates · H, I) */
  readonly weight_ih: Variable;
  /** (gates · H, H) */
  readonly weight_hh: Variable;
  /** (gates · H), or `null` without bias. */
  readonly bias_ih: Variable | null;
  readonly bias_hh: Variable | null;

  protected constructor(
    readonly inputSize: number,
    readonly hiddenSize: number,
    { bias = true }: CellOptions,
    gates: number,
  ) {
    super();
    checkSize(this.constructor.name, "inputSize", inputSize);
    checkSize(this.constructor.name, "hiddenSize", hiddenSize);
    const wide = gates * hiddenSize;
    this.weight_ih = initial([wide, inputSize], hiddenSize);
    this.weight_hh = initial([wide, hiddenSize], hiddenSize);
    this.bias_ih = bias ? initial([wide], hiddenSize) : null;
    this.bias_hh = bias ? initial([wide], hiddenSize) : null;
  }

  get bias(): boolean {
    return this.bias_ih !== null;
  }

  /** Which scan this is one step of. Returns the outputs and the final states. */
  protected abstract scan(inputs: LayerInputs): readonly Tensor[];

  /**
   * @param x (N, I) or (I)
   * @param given states (N, H) or (H); omitted: zeros
   * @returns the next states
   */
  protected step(x: Tensor, given: readonly (Tensor | undefined)[]): readonly Tensor[] {
    const { inputSize, hiddenSize } = this;
    const op = this.constructor.name.replace(/^[A-Z]*?(?=Cell|$)/, (letters) => letters.toLowerCase());
    const batched = x.rank === 2;
    const want = batched ? `x (N, ${inputSize})` : `x (N, ${inputSize}) or (${inputSize})`;
    if (x.rank !== 1 && !batched) fail({ op, expected: want, got: show(x.shape) });
    if (x.shape.at(-1) !== inputSize)
      fail({ op, expected: want, got: `${show(x.shape)}: ${x.shape.at(-1)} ≠ inputSize ${inputSize}` });
    if (x.dtype !== "f32") fail({ op, expected: `${want} of dtype f32`, got: x.dtype });
    const shape = [...x.shape.slice(0, -1), hiddenSize];
    const states = given.map((s, k) => {
      if (s === undefined) return zeros(shape);
      if (show(s.shape) === show(shape) && s.dtype === "f32") return s;
      return fail({ op, expected: `the state ${"hc"[k]} ${show(shape)} f32`, got: `${show(s.shape)} ${s.dtype}` });
    });
    const rows = (t: Tensor) => (batched ? t : t.unsqueeze(0));
    const [, ...next] = this.scan({
      x: rows(x).unsqueeze(0),
      states: states.map(rows),
      weightIh: this.weight_ih.value,
      weightHh: this.weight_hh.value,
      biasIh: this.bias_ih?.value,
      biasHh: this.bias_hh?.value,
    });
    return batched ? next : next.map((t) => t.squeeze(0));
  }
}

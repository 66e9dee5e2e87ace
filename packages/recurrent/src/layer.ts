// What the RNN, GRU and LSTM layers share: parameters under PyTorch's names, layers, directions, order of the axes.
// The recurrences themselves are the scans (rnn/scan.ts, …): each layer and direction is one.

import { dropout, uniformParameter } from "@nn/layers";
import { cat, fail, Module, show, stack, Tensor, tensor, type Variable, zeros } from "@nn/tensor";
import type { ScanInputs } from "./sequence.js";

/** Options of RNN, GRU and LSTM. */
export interface RecurrentOptions {
  /** Layers on top of each other (default 1). */
  readonly numLayers?: number;
  /** Whether there are biases (default true). */
  readonly bias?: boolean;
  /** x and output are (N, T, …), not (T, N, …) (default false). States are (layers · directions, N, …) either way. */
  readonly batchFirst?: boolean;
  /** Probability of a zero in what one layer hands to the next, in training (default 0). A single layer has none. */
  readonly dropout?: number;
  /** Also run from the end to the start, and join both outputs, forward first (default false). */
  readonly bidirectional?: boolean;
}

/** Options of a call of RNN, GRU and LSTM. */
export interface ForwardOptions {
  /**
   * Length of each row, 1 to T, in any order; or a tensor (N) i32, whose values are not checked. As PyTorch's packed
   * sequences: outputs past a row's end are 0, final states are those of its last step, the reverse direction starts
   * there, and what x holds past it does not matter and has gradient 0.
   */
  readonly lengths?: readonly number[] | Tensor;
}

/** Base of {@link RNN}, {@link GRU} and {@link LSTM}: not for use on its own. */
export abstract class Recurrent extends Module {
  /** `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0`, `weight_hr_l0`, `…_l0_reverse`, `…_l1`, as far as there. */
  readonly [name: `weight_${string}` | `bias_${string}`]: Variable;
  readonly numLayers: number;
  readonly bias: boolean;
  readonly batchFirst: boolean;
  readonly dropout: number;
  readonly bidirectional: boolean;

  protected constructor(
    readonly inputSize: number,
    readonly hiddenSize: number,
    { numLayers = 1, bias = true, batchFirst = false, dropout: p = 0, bidirectional = false }: RecurrentOptions,
    gates: number,
    readonly projSize = 0,
  ) {
    super();
    const op = this.constructor.name;
    for (const [name, v] of Object.entries({ inputSize, hiddenSize, numLayers })) checkSize(op, name, v);
    if (!(p >= 0 && p <= 1)) fail({ op, expected: "dropout to be a probability from 0 to 1", got: `${p}` });
    if (!(Number.isInteger(projSize) && projSize >= 0 && projSize < hiddenSize)) {
      fail({
        op,
        expected: `projSize to be a whole number from 0 to hiddenSize − 1 = ${hiddenSize - 1}`,
        got: `${projSize}`,
      });
    }
    this.numLayers = numLayers;
    this.bias = bias;
    this.batchFirst = batchFirst;
    this.dropout = p;
    this.bidirectional = bidirectional;
    const out = projSize || hiddenSize;
    const parameters: Record<string, Variable> = {};
    const add = (name: string, ...shape: number[]) => {
      parameters[name] = initial(shape, hiddenSize);
    };
    for (let layer = 0; layer < numLayers; layer++) {
      for (const end of this.#ends(layer)) {
        add(`weight_ih_${end}`, gates * hiddenSize, layer === 0 ? inputSize : out * (bidirectional ? 2 : 1));
        add(`weight_hh_${end}`, gates * hiddenSize, out);
        if (bias) for (const name of ["bias_ih", "bias_hh"]) add(`${name}_${end}`, gates * hiddenSize);
        if (projSize > 0) add(`weight_hr_${end}`, projSize, hiddenSize);
      }
    }
    Object.assign(this, parameters);
  }

  /** Which scan this is: one layer in one direction. Returns the outputs (T, N, out) and the final states (N, size). */
  protected abstract scan(inputs: ScanInputs<Tensor>, reverse: boolean): readonly Tensor[];

  /**
   * @param x (T, N, I), (N, T, I) with batchFirst, or (T, I)
   * @param given initial states (layers · directions, N, size), without N if x is (T, I); omitted: zeros
   * @param sizes the last axis of each state
   * @returns the output and the final states
   */
  protected run(
    x: Tensor,
    given: readonly (Tensor | undefined)[],
    sizes: readonly number[],
    { lengths }: ForwardOptions,
  ): Tensor[] {
    this.#checkInput(x);
    const batched = x.rank === 3;
    const swap = batched && this.batchFirst;
    let y = swap ? x.transpose(0, 1) : batched ? x : x.unsqueeze(1);
    const [steps, rows] = y.shape as [number, number];
    const count = this.numLayers * (this.bidirectional ? 2 : 1);
    const starts = sizes.map((size, k) =>
      this.#initialState("hc"[k]!, given[k], batched ? [count, rows, size] : [count, size]),
    );
    const ends = lengths === undefined ? undefined : this.#lengths(lengths, batched ? rows : null, steps);

    const finals: Tensor[][] = sizes.map(() => []);
    for (let layer = 0; layer < this.numLayers; layer++) {
      const input = layer > 0 && this.dropout > 0 && this.training ? dropout(y, this.dropout) : y;
      const outputs = this.#ends(layer).map((end, direction) => {
        const n = finals[0]!.length;
        const [out, ...states] = this.scan(
          {
            x: input,
            states: starts.map((s) => s.select(0, n)),
            weightIh: this[`weight_ih_${end}`]!.value,
            weightHh: this[`weight_hh_${end}`]!.value,
            biasIh: this[`bias_ih_${end}`]?.value,
            biasHh: this[`bias_hh_${end}`]?.value,
            weightHr: this[`weight_hr_${end}`]?.value,
            lengths: ends,
          },
          direction === 1,
        );
        for (const [k, s] of states.entries()) finals[k]!.push(s);
        return out!;
      });
      y = outputs.length === 1 ? outputs[0]! : cat(outputs, 2);
    }
    const output = swap ? y.transpose(0, 1) : batched ? y : y.squeeze(1);
    return [output, ...finals.map((list) => (batched ? stack(list) : cat(list)))];
  }

  /** The ends of the parameters' names in a layer, one per direction. */
  #ends(layer: number): string[] {
    return this.bidirectional ? [`l${layer}`, `l${layer}_reverse`] : [`l${layer}`];
  }

  #fail(expected: string, got: string, hint?: string): never {
    return fail({ op: this.constructor.name.toLowerCase(), expected, got, ...(hint ? { hint } : {}) });
  }

  #checkInput(x: Tensor): void {
    const { inputSize, batchFirst } = this;
    const want =
      x.rank === 2 ? `x (T, ${inputSize})` : batchFirst ? `x (N, T, ${inputSize})` : `x (T, N, ${inputSize})`;
    if (x.rank !== 2 && x.rank !== 3) this.#fail(`${want} or (T, ${inputSize})`, show(x.shape));
    const size = x.shape.at(-1)!;
    if (size !== inputSize)
      this.#fail(
        want,
        `${show(x.shape)}: ${size} ≠ inputSize ${inputSize}`,
        "The last axis holds the features of one time step.",
      );
    if (x.dtype !== "f32")
      this.#fail(`${want} of dtype f32`, x.dtype, 'Embed token numbers, or oneHot(x, n).cast("f32").');
    if (x.shape[x.rank === 3 && batchFirst ? 1 : 0] === 0) this.#fail("at least one time step", show(x.shape));
  }

  /** As (layers · directions, N, size) f32. */
  #initialState(name: string, given: Tensor | undefined, shape: readonly number[]): Tensor {
    const batched = shape.length === 3;
    const whole = batched ? shape : [shape[0]!, 1, shape[1]!];
    if (given === undefined) return zeros(whole);
    if (show(given.shape) !== show(shape) || given.dtype !== "f32") {
      const axes = batched ? "(layers · directions, N, size)" : "(layers · directions, size)";
      this.#fail(
        `the initial state ${name} ${show(shape)} f32`,
        `${show(given.shape)} ${given.dtype}`,
        `Its axes are ${axes}.`,
      );
    }
    return batched ? given : given.unsqueeze(1);
  }

  /** As (N) i32; `undefined` where every row is whole. */
  #lengths(lengths: readonly number[] | Tensor, rows: number | null, steps: number): Tensor | undefined {
    if (rows === null) this.#fail("lengths only with a batch, x (T, N, I)", "x (T, I)", "Cut the sequence instead.");
    if (lengths instanceof Tensor) {
      if (lengths.dtype === "i32" && show(lengths.shape) === show([rows])) return lengths;
      return this.#fail(`lengths (${rows}) i32`, `${show(lengths.shape)} ${lengths.dtype}`);
    }
    if (lengths.length !== rows) this.#fail(`${rows} lengths, one per row`, `${lengths.length}`);
    const odd = lengths.findIndex((n) => !(Number.isInteger(n) && n >= 1 && n <= steps));
    if (odd >= 0) this.#fail(`lengths from 1 to ${steps}`, `${lengths[odd]} for row ${odd}`);
    return lengths.every((n) => n === steps) ? undefined : tensor(Int32Array.from(lengths));
  }
}

// ── shared with the cells ──────────────────────────────────────────────────────────────────────────

/** A parameter, uniform on ±1/√hiddenSize, as PyTorch's. */
export function initial(shape: readonly number[], hiddenSize: number): Variable {
  return uniformParameter(shape, 1 / Math.sqrt(hiddenSize));
}

/** A whole number of at least 1. */
export function checkSize(op: string, name: string, v: number): void {
  if (!Number.isInteger(v) || v < 1) fail({ op, expected: `${name} to be a whole number ≥ 1`, got: `${v}` });
}

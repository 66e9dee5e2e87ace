// What RNN, GRU and LSTM layers share: parameters by PyTorch's names, layers, directions, batch order.

import { cat, fail, Module, rand, show, stack, type Tensor, tensor, Variable, zeros } from "@nn/tensor";
import { dropout } from "@nn/layers";

export interface RecurrentOptions {
  /** Layers on top of each other (default 1). */
  readonly numLayers?: number;
  /** Whether there are biases (default true). */
  readonly bias?: boolean;
  /** x and output are (N, T, …) instead of (T, N, …) (default false). States are always (layers, N, H). */
  readonly batchFirst?: boolean;
  /** Probability of a zero between layers, in training (default 0). */
  readonly dropout?: number;
  /** Also run from the end to the start, and join both outputs (default false). */
  readonly bidirectional?: boolean;
}

export interface ForwardOptions {
  /**
   * Length of each row, 1 to T, as PyTorch's packed sequences: outputs past it are 0, final states are those of the
   * row's last step, the reverse direction starts there.
   */
  readonly lengths?: readonly number[] | Tensor;
}

/** Base of the recurrent layers. */
export abstract class Recurrent extends Module {
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
    if (!(p >= 0 && p <= 1)) fail({ op, expected: "dropout from 0 to 1", got: `${p}` });
    if (!(Number.isInteger(projSize) && projSize >= 0 && projSize < hiddenSize)) fail({ op, expected: `projSize from 0 to ${hiddenSize - 1}`, got: `${projSize}` });
    this.numLayers = numLayers;
    this.bias = bias;
    this.batchFirst = batchFirst;
    this.dropout = p;
    this.bidirectional = bidirectional;
    const out = projSize || hiddenSize;
    const parameters: Record<string, Variable> = {};
    for (let layer = 0; layer < numLayers; layer++) {
      for (const end of this.suffixes(layer)) {
        const size = layer === 0 ? inputSize : out * (bidirectional ? 2 : 1);
        parameters[`weight_ih_${end}`] = initial([gates * hiddenSize, size], hiddenSize);
        parameters[`weight_hh_${end}`] = initial([gates * hiddenSize, out], hiddenSize);
        if (bias) for (const b of ["bias_ih", "bias_hh"]) parameters[`${b}_${end}`] = initial([gates * hiddenSize], hiddenSize);
        if (projSize > 0) parameters[`weight_hr_${end}`] = initial([projSize, hiddenSize], hiddenSize);
      }
    }
    Object.assign(this, parameters);
  }

  /** `l0`, and `l0_reverse` where there is that direction. */
  private suffixes(layer: number): string[] {
    return this.bidirectional ? [`l${layer}`, `l${layer}_reverse`] : [`l${layer}`];
  }

  /** One layer in one direction. */
  protected abstract scan(inputs: readonly Tensor[], reverse: boolean, lengths: boolean): readonly Tensor[];

  /**
   * @param x (T, N, I), (N, T, I) with batchFirst, or (T, I)
   * @param given initial states, (layers · directions, N, size) or without N; omitted: zeros
   * @param sizes last axis of each state
   * @returns the output and the final states
   */
  protected run(x: Tensor, given: readonly (Tensor | undefined)[], sizes: readonly number[], { lengths }: ForwardOptions): Tensor[] {
    const op = this.constructor.name.toLowerCase();
    const batched = x.rank === 3;
    const form = batched ? (this.batchFirst ? `(N, T, ${this.inputSize})` : `(T, N, ${this.inputSize})`) : `(T, ${this.inputSize})`;
    if ((x.rank !== 2 && !batched) || x.shape.at(-1) !== this.inputSize) {
      fail({ op, expected: `x ${form}`, got: `${show(x.shape)}: ${x.shape.at(-1)} ≠ inputSize ${this.inputSize}`, hint: "The last axis is the features of one step." });
    }
    const swap = batched && this.batchFirst;
    let y = batched ? (swap ? x.transpose(0, 1) : x) : x.unsqueeze(1);
    const [steps, rows] = y.shape as [number, number];
    if (steps === 0) fail({ op, expected: "at least one time step", got: show(x.shape) });
    const count = this.numLayers * (this.bidirectional ? 2 : 1);
    const starts = sizes.map((size, k) => this.#state(op, given[k], k, count, rows, size, batched));
    const lens = lengths === undefined ? null : lengthsOf(op, lengths, rows, steps);
    const finals: Tensor[][] = sizes.map(() => []);
    let n = 0;
    for (let layer = 0; layer < this.numLayers; layer++) {
      if (layer > 0 && this.training && this.dropout > 0) y = dropout(y, this.dropout);
      const input = y;
      const outputs = this.suffixes(layer).map((end, direction) => {
        const own = (name: `weight_${string}` | `bias_${string}`) => (this[name] as Variable | undefined)?.value;
        const inputs = [
          input, ...starts.map((s) => s.select(0, n)), own(`weight_ih_${end}`), own(`weight_hh_${end}`),
          own(`bias_ih_${end}`), own(`bias_hh_${end}`), own(`weight_hr_${end}`), lens ?? undefined,
        ].filter((t) => t !== undefined);
        n++;
        const [out, ...states] = this.scan(inputs, direction === 1, lens !== null);
        states.forEach((s, k) => finals[k]!.push(s));
        return out!;
      });
      y = outputs.length === 1 ? outputs[0]! : cat(outputs, 2);
    }
    const states = finals.map((list) => (batched ? stack(list) : stack(list).squeeze(1)));
    return [batched ? (swap ? y.transpose(0, 1) : y) : y.squeeze(1), ...states];
  }

  #state(op: string, given: Tensor | undefined, k: number, count: number, rows: number, size: number, batched: boolean): Tensor {
    const want = [count, rows, size];
    if (given === undefined) return zeros(want);
    const plain = batched ? want : [count, size];
    if (show(given.shape) !== show(plain)) {
      fail({ op, expected: `initial state ${"hc"[k]} ${show(plain)}: (layers · directions, N, size)`, got: show(given.shape) });
    }
    return batched ? given : given.unsqueeze(1);
  }
}

/** Uniform on ±1/√hiddenSize. */
export function initial(shape: readonly number[], hiddenSize: number): Variable {
  const bound = 1 / Math.sqrt(hiddenSize);
  return new Variable(rand(shape).mul(2 * bound).sub(bound));
}

export function checkSize(op: string, name: string, v: number): void {
  if (!Number.isInteger(v) || v < 1) fail({ op, expected: `${name} to be a whole number ≥ 1`, got: `${v}` });
}

function lengthsOf(op: string, lengths: readonly number[] | Tensor, rows: number, steps: number): Tensor {
  if (!Array.isArray(lengths)) {
    const t = lengths as Tensor;
    if (t.dtype !== "i32" || show(t.shape) !== show([rows])) fail({ op, expected: `lengths (${rows}) of dtype i32`, got: `${show(t.shape)} ${t.dtype}` });
    return t;
  }
  const wrong = lengths.find((n) => !(Number.isInteger(n) && n >= 1 && n <= steps));
  if (lengths.length !== rows || wrong !== undefined) {
    fail({ op, expected: `${rows} lengths from 1 to ${steps}`, got: JSON.stringify(lengths) });
  }
  return tensor(new Int32Array(lengths));
}


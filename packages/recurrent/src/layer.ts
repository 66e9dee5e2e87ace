// What the RNN, GRU and LSTM layers share: parameters under PyTorch's names, layers, directions, order of the axes.
// The recurrences themselves are the scans (rnn/scan.ts, …): each layer and direction is one.

import { dropout, uniformParameter } from "@nn/layers";
import { cat, fail, Module, onesLike, scope, show, stack, type Tensor, Variable, zeros } from "@nn/tensor";
import { carried, isStreaming } from "./carried.js";
import { type ForwardOptions, rowsOf } from "./mask.js";
import { type PackedSequence, throughPacked } from "./packed.js";
import { KeptStates } from "./stateful.js";
import type { LayerInputs } from "./stepwise.js";
import { type Stream, type StreamOptions, stream } from "./stream.js";

/** What becomes of the outputs of two directions. */
export type Merge = "concat" | "sum" | "mean";

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
  /** How outputs of both directions are joined (default "concat": features side by side, as in PyTorch; as Keras' Bidirectional). */
  readonly merge?: Merge;
  /**
   * Probability of a zero in h before W_hh, in training: drawn once per call, row and unit, and the same at all steps (variational dropout:
   * Gal and Ghahramani, 2016; default 0). Such steps run by `scan`, not by the kernels of whole sequences.
   */
  readonly recurrentDropout?: number;
  /** Whether initial states are parameters `h0`, `c0` (layers · directions, 1, size), 0 at first, for calls without states (default false). */
  readonly learnInitialState?: boolean;
  /**
   * Whether a call starts from the states that the one before ended with, row by row, without a gradient between them (truncated
   * back-propagation through time, as Keras' `stateful`), until {@link Recurrent.resetState} (default false). States are not saved with
   * the parameters.
   */
  readonly stateful?: boolean;
}

/** What sets the three layers apart. */
interface Kind {
  readonly gates: number;
  /** h, or h and c (default 1). */
  readonly states?: 1 | 2;
  readonly projSize?: number;
  readonly peepholes?: boolean;
}

/** Base of {@link RNN}, {@link GRU} and {@link LSTM}: not for use on its own. */
export abstract class Recurrent extends Module {
  /** `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0`, `weight_hr_l0`, `weight_ci_l0`, `…_l0_reverse`, `…_l1`, as far as there. */
  readonly [name: `weight_${string}` | `bias_${string}`]: Variable;
  readonly projSize: number;
  readonly numLayers: number;
  readonly bias: boolean;
  readonly batchFirst: boolean;
  readonly dropout: number;
  readonly bidirectional: boolean;
  readonly merge: Merge;
  readonly recurrentDropout: number;
  /** Initial states (layers · directions, 1, size) that are learned; null: they are 0. */
  declare readonly h0: Variable | null;
  declare readonly c0: Variable | null;
  readonly #kept: KeptStates | null;

  protected constructor(
    readonly inputSize: number,
    readonly hiddenSize: number,
    {
      numLayers = 1,
      bias = true,
      batchFirst = false,
      dropout: p = 0,
      bidirectional = false,
      merge,
      recurrentDropout = 0,
      learnInitialState = false,
      stateful = false,
    }: RecurrentOptions,
    { gates, states = 1, projSize = 0, peepholes = false }: Kind,
  ) {
    super();
    const op = this.constructor.name;
    for (const [name, v] of Object.entries({ inputSize, hiddenSize, numLayers })) checkSize(op, name, v);
    for (const [name, v] of Object.entries({ dropout: p, recurrentDropout }))
      if (!(v >= 0 && v <= 1)) fail({ op, expected: `${name} to be a probability from 0 to 1`, got: `${v}` });
    if (merge !== undefined && !["concat", "sum", "mean"].includes(merge))
      fail({ op, expected: 'merge "concat", "sum" or "mean"', got: `"${merge}"` });
    if (merge !== undefined && !bidirectional)
      fail({ op, expected: "merge only with bidirectional: true", got: `"${merge}" of one direction` });
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
    this.projSize = projSize;
    this.merge = merge ?? "concat";
    this.recurrentDropout = recurrentDropout;
    if (stateful && bidirectional) {
      fail({
        op,
        expected: "a stateful layer to be unidirectional",
        got: "bidirectional",
        hint: "The reverse direction starts at the end of what it is given: it has no states to go on from.",
      });
    }
    if (stateful && learnInitialState) {
      fail({
        op,
        expected: "stateful or learnInitialState",
        got: "both",
        hint: "No gradient flows through states that are kept, so that nothing would be learned.",
      });
    }
    this.#kept = stateful ? new KeptStates() : null;
    const out = projSize || hiddenSize;
    const width = out * (bidirectional && this.merge === "concat" ? 2 : 1);
    const parameters: Record<string, Variable> = {};
    const add = (name: string, ...shape: number[]) => {
      parameters[name] = initial(shape, hiddenSize);
    };
    for (let layer = 0; layer < numLayers; layer++) {
      for (const end of this.#ends(layer)) {
        add(`weight_ih_${end}`, gates * hiddenSize, layer === 0 ? inputSize : width);
        add(`weight_hh_${end}`, gates * hiddenSize, out);
        if (bias) for (const name of ["bias_ih", "bias_hh"]) add(`${name}_${end}`, gates * hiddenSize);
        if (projSize > 0) add(`weight_hr_${end}`, projSize, hiddenSize);
        for (const gate of peepholes ? "ifo" : "") parameters[`weight_c${gate}_${end}`] = zeroParameter([hiddenSize]);
      }
    }
    Object.assign(this, parameters);
    const start = (size: number) => zeroParameter([numLayers * (bidirectional ? 2 : 1), 1, size]);
    this.h0 = learnInitialState ? start(out) : null;
    this.c0 = learnInitialState && states === 2 ? start(hiddenSize) : null;
  }

  /** Which scan this is: one layer in one direction. Returns the outputs (T, N, out) and the final states (N, size). */
  protected abstract scan(inputs: LayerInputs, reverse: boolean): readonly Tensor[];

  /**
   * @param x (T, N, I), (N, T, I) with batchFirst, (T, I), or packed
   * @param given initial states (layers · directions, N, size), without N if x is (T, I); omitted: zeros, or those that are learned
   * @param sizes the last axis of each state
   * @returns the output, as x is, and the final states
   */
  protected run<X extends Tensor | PackedSequence>(
    x: X,
    given: readonly (Tensor | undefined)[],
    sizes: readonly number[],
    options: ForwardOptions,
  ): [output: X, ...states: Tensor[]] {
    const through = (x: Tensor, options: ForwardOptions) => this.#run(x, given, sizes, options);
    return throughPacked(this.#op, x, this.batchFirst, options, through);
  }

  #run(
    x: Tensor,
    given: readonly (Tensor | undefined)[],
    sizes: readonly number[],
    options: ForwardOptions,
  ): [output: Tensor, ...states: Tensor[]] {
    this.#checkInput(x);
    const batched = x.rank === 3;
    const swap = batched && this.batchFirst;
    const whole = swap ? x.transpose(0, 1) : batched ? x : x.unsqueeze(1);
    const rows = whole.shape[1]!;
    const count = this.numLayers * (this.bidirectional ? 2 : 1);
    const start = () =>
      sizes.map((size, k) =>
        this.#initialState(k === 0 ? "h0" : "c0", given[k], batched ? [count, rows, size] : [count, size]),
      );
    const counted = rowsOf(this.#op, whole, options, swap ? "NT" : batched ? "TN" : "T");
    const run = (starts: readonly Tensor[] = start()) => this.#layers(counted.x, starts, counted.lengths);
    const isGiven = given.some((s) => s !== undefined);
    if (isStreaming()) this.#checkStream(isGiven, options.lengths !== undefined || options.mask !== undefined);
    const [y, ...finals] = isStreaming()
      ? carried(start, (starts) => {
          const outs = run(starts);
          return [outs.slice(1), outs];
        })
      : this.#kept
        ? this.#kept.run(this.#op, rows, start, run, isGiven)
        : run();
    const output = counted.restore(y!);
    const shaped = swap ? output.transpose(0, 1) : batched ? output : output.squeeze(1);
    return [shaped, ...finals.map((t) => (batched ? t : t.squeeze(1)))];
  }

  /** Back to the initial states: the next call of a stateful layer starts from them, and its batch may have another size. */
  resetState(): void {
    if (!this.#kept) this.#fail("a layer made with stateful: true", "one without", "Others keep no states.");
    this.#kept.reset();
  }

  /** {@link stream} of this layer alone: a step from (rows, I) to (rows, H), with states of its own. */
  stream(options: Pick<StreamOptions, "rows"> = {}): Stream {
    return stream(this, options);
  }

  /** Whether calls go on from each other's states. */
  get stateful(): boolean {
    return this.#kept !== null;
  }

  /** All layers, from states (layers · directions, N, size): the output (T, N, …) and the final states. */
  #layers(x: Tensor, starts: readonly Tensor[], ends: Tensor | undefined): Tensor[] {
    let y = x;
    const finals: Tensor[][] = starts.map(() => []);
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
            dropout: this.#recurrentDropout(starts[0]!.select(0, n)),
            peepholes: this.#peepholes(end),
          },
          direction === 1,
        );
        for (const [k, s] of states.entries()) finals[k]!.push(s);
        return out!;
      });
      y = this.#merge(outputs as [Tensor, Tensor?]);
    }
    return [y, ...finals.map((list) => stack(list))];
  }

  #merge([forward, reverse]: [Tensor, Tensor?]): Tensor {
    if (!reverse) return forward;
    if (this.merge === "concat") return cat([forward, reverse], 2);
    const sum = forward.add(reverse);
    return this.merge === "sum" ? sum : sum.mul(0.5);
  }

  /** Factors for h, or none. */
  #recurrentDropout(h: Tensor): Tensor | undefined {
    const { recurrentDropout } = this;
    return recurrentDropout > 0 && this.training ? dropout(onesLike(h), recurrentDropout) : undefined;
  }

  #peepholes(end: string): Tensor[] | undefined {
    const weights = ["i", "f", "o"].map((gate) => this[`weight_c${gate}_${end}`]?.value);
    return weights[0] && (weights as Tensor[]);
  }

  /** What a stream cannot do: it sees one step at a time, and keeps the states itself. */
  #checkStream(isGiven: boolean, hasLengths: boolean): void {
    const expected = "what can run step by step, without a look at the future";
    if (this.bidirectional) this.#fail(expected, "a bidirectional layer");
    if (hasLengths) this.#fail(expected, "lengths or a mask", "All steps of a stream count.");
    if (isGiven) this.#fail("states that the stream keeps", "initial states given to forward()", "Leave them out.");
  }

  /** The ends of the parameters' names in a layer, one per direction. */
  #ends(layer: number): string[] {
    return this.bidirectional ? [`l${layer}`, `l${layer}_reverse`] : [`l${layer}`];
  }

  get #op(): string {
    return this.constructor.name.toLowerCase();
  }

  #fail(expected: string, got: string, hint?: string): never {
    return fail({ op: this.#op, expected, got, ...(hint ? { hint } : {}) });
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
  #initialState(name: "h0" | "c0", given: Tensor | undefined, shape: readonly number[]): Tensor {
    const batched = shape.length === 3;
    const whole = batched ? shape : [shape[0]!, 1, shape[1]!];
    if (given === undefined) return this[name]?.value.expand(whole) ?? zeros(whole);
    if (show(given.shape) !== show(shape) || given.dtype !== "f32") {
      const axes = batched ? "(layers · directions, N, size)" : "(layers · directions, size)";
      this.#fail(
        `the initial state ${name[0]} ${show(shape)} f32`,
        `${show(given.shape)} ${given.dtype}`,
        `Its axes are ${axes}.`,
      );
    }
    return batched ? given : given.unsqueeze(1);
  }
}

// ── shared with the cells ──────────────────────────────────────────────────────────────────────────

/** A parameter, uniform on ±1/√hiddenSize, as PyTorch's. */
export function initial(shape: readonly number[], hiddenSize: number): Variable {
  return uniformParameter(shape, 1 / Math.sqrt(hiddenSize));
}

export function zeroParameter(shape: readonly number[]): Variable {
  return scope(() => new Variable(zeros(shape)));
}

/** A whole number of at least 1. */
export function checkSize(op: string, name: string, v: number): void {
  if (!Number.isInteger(v) || v < 1) fail({ op, expected: `${name} to be a whole number ≥ 1`, got: `${v}` });
}

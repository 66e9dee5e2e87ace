// ConvLSTM1d, ConvLSTM2d: an LSTM whose products are convolutions, for series of signals and of images.

import { fail, Module, scan, scope, show, slice, split, type Tensor, Variable, zeros } from "@nn/tensor";
import { conv } from "../conv/conv.js";
import { Conv1d, Conv2d, type ConvNd } from "../conv/layers.js";
import { axisNames, count, type Size } from "../spatial.js";

/** Options of {@link ConvLSTM1d} and {@link ConvLSTM2d}. */
export interface ConvLSTMOptions {
  /** Whether the convolution has a bias (default true). */
  readonly bias?: boolean;
  /** x and output are (N, T, C, …), not (T, N, C, …) (default false). */
  readonly batchFirst?: boolean;
  /** Whether the gates also see the cell state, with a weight per channel (default false). */
  readonly peephole?: boolean;
}

/** States of a ConvLSTM: what one call returns, another takes. */
export interface ConvLSTMState {
  /** (N, H, …spatial) */
  readonly h: Tensor;
  /** (N, H, …spatial) */
  readonly c: Tensor;
}

/** What the two have in common. */
abstract class ConvLSTM extends Module {
  /** Of x and h together, to the gates i, f, g, o. */
  abstract readonly conv: ConvNd;
  /** (H): what i, f and o see of the cell state, at first 0; null without peepholes. */
  readonly weight_ci: Variable | null;
  readonly weight_cf: Variable | null;
  readonly weight_co: Variable | null;
  readonly batchFirst: boolean;

  protected constructor(
    readonly inChannels: number,
    readonly hiddenChannels: number,
    { batchFirst = false, peephole = false }: ConvLSTMOptions,
  ) {
    super();
    count(this.constructor.name, "inChannels", inChannels);
    count(this.constructor.name, "hiddenChannels", hiddenChannels);
    this.batchFirst = batchFirst;
    const weight = () => (peephole ? scope(() => new Variable(zeros([hiddenChannels]))) : null);
    this.weight_ci = weight();
    this.weight_cf = weight();
    this.weight_co = weight();
  }

  /**
   * @param x (T, N, C, …spatial), (N, T, C, …) with batchFirst, or (T, C, …) without a batch
   * @param state initial `{ h, c }` (N, H, …spatial), without N if x has none; zeros if omitted
   * @returns `output` (T, N, H, …), in the order of x, and the final `h` and `c`
   * @throws {@link NNError} where a shape does not fit, or there is no time step
   */
  override forward(x: Tensor, state?: ConvLSTMState): { output: Tensor; h: Tensor; c: Tensor } {
    const { inChannels, hiddenChannels, batchFirst } = this;
    const batched = this.#check(x);
    return scope(() => {
      const series = batched ? (batchFirst ? x.transpose(0, 1) : x) : x.unsqueeze(1);
      const [steps, rows, , ...size] = series.shape as [number, number, number, ...number[]];
      const shape = [rows, hiddenChannels, ...size];
      const [h0, c0] = (["h", "c"] as const).map((name) => this.#initial(name, state, shape, batched));
      const whole = this.conv.weight.value;
      const [ofX, ofH] = [
        [0, inChannels],
        [inChannels, inChannels + hiddenChannels],
      ].map(([from, to]) => slice(whole, [null, [from!, to!]]));
      // What x adds to the gates at all steps is one convolution; the loop has only that of h.
      const flat = series.reshape([steps * rows, inChannels, ...size]);
      const bias = this.conv.bias?.value ?? null;
      const pre = conv(flat, ofX!, bias, { padding: "same" }).reshape([steps, rows, 4 * hiddenChannels, ...size]);
      const [ci, cf, co] = [this.weight_ci, this.weight_cf, this.weight_co].map((w) =>
        w?.value.reshape([hiddenChannels, ...size.map(() => 1)]),
      );
      const seeing = (gate: Tensor, c: Tensor, weight: Tensor | undefined) => (weight ? gate.add(c.mul(weight)) : gate);
      const [last, output] = scan(
        ({ h, c }: ConvLSTMState, pre: Tensor) => {
          const gates = pre.add(conv(h, ofH!, null, { padding: "same" }));
          const [i, f, g, o] = split(gates, hiddenChannels, 1) as [Tensor, Tensor, Tensor, Tensor];
          const kept = c.mul(seeing(f, c, cf).sigmoid());
          const next = kept.add(g.tanh().mul(seeing(i, c, ci).sigmoid()));
          const y = next.tanh().mul(seeing(o, next, co).sigmoid());
          return [{ h: y, c: next }, y];
        },
        { h: h0!, c: c0! },
        pre,
      );
      if (!batched) return { output: output.squeeze(1), h: last.h.squeeze(0), c: last.c.squeeze(0) };
      return { output: batchFirst ? output.transpose(0, 1) : output, ...last };
    });
  }

  /** Whether x has a batch. */
  #check(x: Tensor): boolean {
    const axes = this.conv.kernelSize.length;
    const batched = x.rank === axes + 3;
    const rest = `${this.inChannels}, ${axisNames(axes)}`;
    const fits = (batched || x.rank === axes + 2) && x.shape.at(-axes - 1) === this.inChannels;
    if (fits && x.shape[batched && this.batchFirst ? 1 : 0]! > 0) return batched;
    return fail({
      op: this.constructor.name,
      expected: `x (${this.batchFirst ? "N, T" : "T, N"}, ${rest}) or (T, ${rest}), T ≥ 1`,
      got: show(x.shape),
    });
  }

  #initial(name: "h" | "c", state: ConvLSTMState | undefined, shape: readonly number[], batched: boolean): Tensor {
    if (!state) return zeros(shape);
    const given = state[name];
    const wanted = batched ? shape : shape.slice(1);
    if (!given || show(given.shape) !== show(wanted)) {
      const got = given ? show(given.shape) : "none";
      fail({ op: this.constructor.name, expected: `the initial state ${name} ${show(wanted)}`, got });
    }
    return batched ? given : given.unsqueeze(0);
  }
}

/**
 * {@link ConvLSTM2d} over series of signals, x (T, N, C, L).
 *
 * @example
 * ```ts
 * new ConvLSTM1d(2, 8, 5).forward(zeros([10, 4, 2, 100])).output.shape; // [10, 4, 8, 100]
 * ```
 */
export class ConvLSTM1d extends ConvLSTM {
  override readonly conv: Conv1d;

  /** @throws {@link NNError} if a size is not a whole number ≥ 1 */
  constructor(inChannels: number, hiddenChannels: number, kernelSize: Size, options: ConvLSTMOptions = {}) {
    super(inChannels, hiddenChannels, options);
    this.conv = new Conv1d(inChannels + hiddenChannels, 4 * hiddenChannels, kernelSize, gates(options));
  }
}

/**
 * Convolutional LSTM ([Shi et al., 2015](https://arxiv.org/abs/1506.04214)) over series of images, x (T, N, C, H, W):
 * `c ← σ(f) ⊙ c + σ(i) ⊙ tanh(g)`, `h ← σ(o) ⊙ tanh(c)`, where the channels i, f, g, o are one convolution of x and h,
 * padded with zeros to the size of x. With `peephole`, i and f also see the c before, o the c after, times a weight per
 * channel (the paper has one per position, too).
 *
 * State: `conv.weight` (4H, C + H, …kernel), `conv.bias` (4H), initialised as Conv2d; with peepholes `weight_ci`,
 * `weight_cf`, `weight_co` (H), 0.
 *
 * @example
 * ```ts
 * const { output, h, c } = new ConvLSTM2d(1, 16, 3, { batchFirst: true }).forward(zeros([4, 10, 1, 32, 32]));
 * output.shape; // [4, 10, 16, 32, 32]; h and c: [4, 16, 32, 32]
 * ```
 */
export class ConvLSTM2d extends ConvLSTM {
  override readonly conv: Conv2d;

  /**
   * @param inChannels channels of x
   * @param hiddenChannels channels of the states and of the output
   * @param kernelSize one number, or [height, width]
   * @throws {@link NNError} if a size is not a whole number ≥ 1
   */
  constructor(inChannels: number, hiddenChannels: number, kernelSize: Size, options: ConvLSTMOptions = {}) {
    super(inChannels, hiddenChannels, options);
    this.conv = new Conv2d(inChannels + hiddenChannels, 4 * hiddenChannels, kernelSize, gates(options));
  }
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

const gates = ({ bias = true }: ConvLSTMOptions) => ({ bias, padding: "same" as const });

// stream: a model that runs step by step, for what comes one step at a time: sound, sensors, keys.

import { fail, type Keep, type Module, type Stepper, show, stepper, Tensor } from "@nn/tensor";
import { withKeep } from "./carried.js";

/** Options of {@link stream}. */
export interface StreamOptions {
  /** Streams that run side by side, as rows of a batch (default 1). */
  readonly rows?: number;
  /**
   * What a step of one stream is: a number of features, or a shape (default: the `inputSize` of the model, or of the first layer in it
   * that has one).
   */
  readonly inputSize?: number | readonly number[];
  /** Whether the model takes (N, T, …), not (T, N, …) (default: what that layer does). */
  readonly batchFirst?: boolean;
}

/** A model at work, step by step: see {@link stream}. */
export interface Stream {
  /** (rows, …): what a step takes, and what it gives, in this order. */
  readonly inputShape: readonly number[];
  readonly outputShape: readonly number[];
  /** Resolves when steps can run: at once, but for large models on a page's own thread. */
  readonly ready: Promise<void>;
  /**
   * One step of all rows.
   *
   * @param input its numbers, as many as `inputShape` says
   * @returns the output's, always in the same array: the next step overwrites it
   * @throws {@link NNError} if the number of inputs is another, or the stream was disposed
   */
  step(input: Float32Array): Float32Array;
  /** The next step is the first one. */
  reset(): void;
  /** Graph, kernels and bytes. */
  explain(): string;
  /** Gives the memory back. */
  dispose(): void;
}

/**
 * A model as a function of one step, which keeps its states: `step(input)` runs at once and makes no garbage (on WebAssembly), so
 * that it can be called where sound is made, in an AudioWorklet. All steps give what the model gives for the whole sequence, on
 * the same backend to the last bit. Each stream has states of its own; they see when the model is trained further, and never
 * train (dropout is off).
 *
 * The model may hold any layers that work on each step alone, and recurrent ones, one-directional, without initial states of
 * the call's own; a loop of your own keeps its state with {@link carried}. What else mixes steps (a mean over time, convolution over it) knows
 * only the one step.
 *
 * @param model from (T, N, I), or (N, T, I), to (T, N, …), or (N, …) for the last step; or to an object with this as `output`
 * @throws {@link NNError} if the model reads the future or changes Variables, a shape does not fit, or the backend's memory is not
 * the host's own (WebGPU)
 * @example
 * ```ts
 * const live = stream(model, { inputSize: 40 });
 * const y = live.step(features); // Float32Array of 40 → Float32Array
 * ```
 */
export function stream(model: Module, options: StreamOptions = {}): Stream {
  const parts = [...model.namedModules().values()];
  const first = parts.find((m): m is Module & Sized => "inputSize" in m);
  const { rows = 1, inputSize = first?.inputSize, batchFirst = first?.batchFirst ?? false } = options;
  if (!Number.isInteger(rows) || rows < 1) wrong("rows to be a whole number ≥ 1", `${rows}`);
  if (inputSize === undefined) return wrong("the option inputSize", "none, and a model without recurrent layers");
  const one = typeof inputSize === "number" ? [inputSize] : inputSize;
  const shape = (steps: number) => [...(batchFirst ? [rows, steps] : [steps, rows]), ...one];
  const axis = batchFirst ? 1 : 0;
  /** Of the outputs for one step, and for two. */
  const shapes: (readonly number[])[] = [];
  const forward = (x: Tensor, keep: Keep): Tensor => {
    const returned: unknown = withKeep(keep, () => model.forward(...([x] as never[])));
    const y = returned instanceof Tensor ? returned : (returned as { readonly output?: unknown } | undefined)?.output;
    if (!(y instanceof Tensor)) return wrong("a model that returns a tensor, or one as output", typeof returned);
    shapes.push(y.shape);
    return y;
  };
  const training = parts.filter((m) => m.training);
  model.eval();
  let stepped: Stepper;
  try {
    stepped = stepper("stream", forward, (steps) => ({ shape: shape(steps), dtype: "f32" }));
  } finally {
    for (const m of training) m.training = true;
  }
  const [y, twice] = shapes.map((s) => [...s]) as [number[], number[]];
  const isSequence = y[axis] === 1 && show(twice) === show(y.with(axis, 2));
  if (!isSequence && show(twice) !== show(y)) {
    stepped.dispose();
    wrong("an output with as many steps as x, or one", `${show(y)} for one step, ${show(twice)} for two`);
  }
  return { ...stepped, inputShape: [rows, ...one], outputShape: isSequence ? y.toSpliced(axis, 1) : y };
}

/** Modules that say what they take. */
interface Sized {
  readonly inputSize?: number;
  readonly batchFirst?: boolean;
}

const wrong = (expected: string, got: string): never => fail({ op: "stream", expected, got });

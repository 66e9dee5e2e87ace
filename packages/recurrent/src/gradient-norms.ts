// Looking into a recurrent layer at work: how large the loss's gradient is at every step, and how far its gates are open.
//
// Both watch a layer while a function of the user's runs it, so that they see it as the whole model uses it. For gradients
// each step's state gets a zero added to it: the gradient in that zero is ∂loss/∂h_t, through all later steps.

import { fail, grad, norm, scope, stack, type Tensor, where, zeros, zerosLike } from "@nn/tensor";
import { GRU } from "./gru/gru.js";
import { gruSteps } from "./gru/steps.js";
import type { Recurrent } from "./layer.js";
import { stepsOf } from "./loop.js";
import { LSTM } from "./lstm/lstm.js";
import { lstmSteps } from "./lstm/steps.js";
import { inside, isInside } from "./ragged.js";
import type { LayerInputs } from "./stepwise.js";

/** Which part of a layer something belongs to. */
export interface LayerPart {
  /** From 0, the lowest. */
  readonly layer: number;
  readonly reverse: boolean;
}

/** The gradient norms of one layer in one direction. */
export interface GradientNorms extends LayerPart {
  /** (T): ‖∂loss/∂h_t‖ over all rows and units, in the order of x. */
  readonly norms: Tensor;
}

/**
 * How much the loss depends on the state h_t after each step: where this falls towards the first steps the gradient vanishes,
 * where it grows it explodes ([Bengio et al., 1994](https://doi.org/10.1109/72.279181); [Pascanu et al.,
 * 2013](https://arxiv.org/abs/1211.5063)). Runs step by step, without the kernels of whole sequences, and `loss` twice:
 * for looking, not for training.
 *
 * @param layer whose states are looked at; `loss` must run it exactly once
 * @param loss computes the scalar loss
 * @returns one for each layer and direction, the lowest layer and the forward direction first
 * @throws {@link NNError} if `loss` does not run the layer exactly once
 * @example
 * ```ts
 * const [{ norms }] = gradientNorms(model.lstm, () => crossEntropy(model.forward(x), y));
 * console.log(await norms.toArray()); // T numbers
 * ```
 */
export function gradientNorms(layer: Recurrent, loss: () => Tensor): GradientNorms[] {
  return scope(() => {
    const watched = watch("gradientNorms", layer, loss, (inputs, reverse, scan) => {
      const outs = scan(inputs, reverse);
      return { outs, seen: outs[0]!.shape };
    });
    const added = watched.map(({ seen }) => zeros(seen)); // (T, N, H)
    const gradients = grad(() => {
      let value: Tensor | undefined;
      let next = 0;
      const run = () => {
        value = loss();
      };
      watch("gradientNorms", layer, run, (inputs, reverse, scan) => ({
        outs: stepByStep(inputs, reverse, scan, stepsOf(added[next++]!)),
        seen: null,
      }));
      return value!;
    }, added);
    return gradients.map((g, k) => ({ ...partOf(layer, k), norms: norm(g.flatten(1), 1) }));
  });
}

/** The gates of one layer in one direction. */
export interface GateActivations extends LayerPart {
  /**
   * (T, N, H) each, in the order of x, 0 past a row's end. GRU: r (reset), z (update: 1 keeps the state), n (candidate). LSTM: i
   * (input), f (forget: 1 keeps the cell), g (candidate), o (output). RNN: none.
   */
  readonly gates: Readonly<Record<string, Tensor>>;
  /** (T, N, H): the outputs. */
  readonly output: Tensor;
}

/**
 * How far the gates of a GRU or LSTM are open at each step.
 *
 * @param layer whose gates are looked at; `run` must run it exactly once
 * @param run uses the layer; what it returns does not matter
 * @returns one for each layer and direction, the lowest layer and the forward direction first
 * @throws {@link NNError} if `run` does not run the layer exactly once
 * @example
 * ```ts
 * const [{ gates }] = gateActivations(model.lstm, () => model.forward(x));
 * console.log(await gates.f.mean([1, 2]).toArray()); // how much is kept, T numbers
 * ```
 */
export function gateActivations(layer: Recurrent, run: () => unknown): GateActivations[] {
  return scope(() =>
    watch("gateActivations", layer, run, (inputs, reverse, scan) => {
      const outs = scan(inputs, reverse);
      return { outs, seen: { output: outs[0]!, gates: gatesOf(layer, inputs, reverse) } };
    }).map(({ seen }, k) => ({ ...partOf(layer, k), ...seen })),
  );
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

type Scan = (inputs: LayerInputs, reverse: boolean) => readonly Tensor[];

/** Runs something with another function in the place of the layer's scans. */
function watch<S>(
  op: string,
  layer: Recurrent,
  run: () => unknown,
  instead: (inputs: LayerInputs, reverse: boolean, scan: Scan) => { outs: readonly Tensor[]; seen: S },
): { seen: S }[] {
  const inside = layer as unknown as { scan: Scan };
  const original = inside.scan.bind(layer);
  const all: { seen: S }[] = [];
  inside.scan = (inputs, reverse) => {
    const result = instead(inputs, reverse, original);
    all.push(result);
    return result.outs;
  };
  try {
    run();
  } finally {
    delete (layer as unknown as Partial<{ scan: Scan }>).scan; // the prototype's comes back
  }
  const parts = layer.numLayers * (layer.bidirectional ? 2 : 1);
  if (all.length !== parts) {
    fail({
      op,
      expected: `a function that runs the ${layer.constructor.name} exactly once`,
      got: `${all.length / parts} runs`,
    });
  }
  return all;
}

function partOf({ bidirectional }: Recurrent, k: number): LayerPart {
  return bidirectional ? { layer: k >> 1, reverse: k % 2 === 1 } : { layer: k, reverse: false };
}

/** A scan as single steps, with something added to each step's h. */
function stepByStep(inputs: LayerInputs, reverse: boolean, scan: Scan, added: readonly Tensor[]): Tensor[] {
  const { lengths, ...rest } = inputs;
  const steps = inputs.x.shape[0]!;
  const open = lengths && stepsOf(isInside(lengths, steps));
  const x = stepsOf(lengths ? inside(inputs.x, lengths) : inputs.x);
  let states = inputs.states;
  const outputs: Tensor[] = [];
  for (let i = 0; i < steps; i++) {
    const t = reverse ? steps - 1 - i : i;
    const [, h, ...others] = scan({ ...rest, x: x[t]!.unsqueeze(0), states }, reverse);
    const next = [h!.add(added[t]!), ...others];
    states = open ? next.map((s, k) => where(open[t]!, s, states[k]!)) : next;
    outputs[t] = open ? where(open[t]!, next[0]!, zerosLike(next[0]!)) : next[0]!;
  }
  return [stack(outputs), ...states];
}

/** The gates at all steps. */
function gatesOf(layer: Recurrent, inputs: LayerInputs, reverse: boolean): Record<string, Tensor> {
  const options = { reverse, gates: true };
  const named = (names: string, outs: readonly Tensor[]) =>
    Object.fromEntries([...names].map((name, k) => [name, outs.at(k - names.length)!]));
  if (layer instanceof GRU) return named("rzn", gruSteps(inputs, layer.resetAfter, options));
  return layer instanceof LSTM ? named("ifgo", lstmSteps(inputs, options)) : {};
}

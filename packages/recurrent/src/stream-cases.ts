// Random streams for tests: models, sequences, and their steps one by one.

import { Linear } from "@nn/layers";
import { Module, manualSeed, randn, scope, type Tensor, type Variable, valueAndGrad } from "@nn/tensor";
import { GRU, LSTM, RNN, type Stream } from "./index.js";

/** A recurrent layer, and maybe a head on it. */
export class Model extends Module {
  constructor(
    readonly layer: RNN | GRU | LSTM,
    readonly head: Linear | null,
  ) {
    super();
  }
  override forward(x: Tensor): Tensor {
    const { output } = this.layer.forward(x);
    return this.head ? this.head.forward(output).relu() : output;
  }
  readonly run = (x: Tensor): Tensor => this.forward(x);
}

/** All kinds of layers, 1 to 3 of them, odd sizes, 1 to 5 rows, 4 to 9 steps (a step's product then has another kernel). */
export function randomStream(seed: number) {
  let state = seed * 7919 + 1;
  const below = (n: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >> 12) % n;
  };
  manualSeed(seed);
  const [inputs, units, steps] = [1 + below(40), 2 + below(40), 4 + below(6)];
  const rows = below(3) ? 1 : 1 + below(5);
  const batchFirst = below(2) === 0;
  const options = { numLayers: 1 + below(3), bias: below(2) === 0, batchFirst };
  const kind = below(5);
  const layer =
    kind === 0
      ? new RNN(inputs, units, options)
      : kind === 1
        ? new RNN(inputs, units, { ...options, nonlinearity: "relu" })
        : kind === 2
          ? new GRU(inputs, units, options)
          : new LSTM(inputs, units, kind === 3 ? options : { ...options, projSize: 1 + below(units - 1) });
  const head = below(2) ? new Linear(layer.projSize || units, 1 + below(6)) : null;
  const x = randn(batchFirst ? [rows, steps, inputs] : [steps, rows, inputs]);
  const text = `${layer.constructor.name} ${inputs} → ${units} ${JSON.stringify({ ...options, rows, steps, kind, head: !!head })}`;
  return { model: new Model(layer, head), x, rows, batchFirst, text };
}

const timeFirst = (x: Tensor, batchFirst: boolean): number[] => [...(batchFirst ? x.transpose(0, 1) : x).readSync()];

/** What a function gives for the whole sequence, step after step. */
export const outputOf = (run: (x: Tensor) => Tensor, x: Tensor, batchFirst: boolean): number[] =>
  timeFirst(run(x), batchFirst);

/** What a stream gives step by step, twice with a reset between; the second time. */
export function stepsOf(live: Stream, x: Tensor, batchFirst: boolean): number[] {
  const all = Float32Array.from(timeFirst(x, batchFirst));
  const size = live.inputShape.reduce((a, b) => a * b, 1);
  let out: number[] = [];
  for (let round = 0; round < 2; round++) {
    live.reset();
    out = [];
    for (let at = 0; at < all.length; at += size) out.push(...live.step(all.subarray(at, at + size)));
  }
  return out;
}

/** A step of gradient descent; the loss. */
export function descend(variables: readonly Variable[], lr: number, loss: () => Tensor): Tensor {
  return scope(() => {
    const [value, gradients] = valueAndGrad(loss, variables);
    for (const [i, v] of variables.entries()) v.value = v.value.sub(gradients[i]!.mul(lr));
    return value;
  });
}

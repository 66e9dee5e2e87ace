/** Recurrent layers, forward, 100 steps: batch 1 (64 → 128) and batch 32 (128 → 256). x (T, N, I), all outputs. */
import { GRU, LSTM, RNN } from "@nn/recurrent";
import { compile, type Tensor } from "@nn/tensor";
import { uniform } from "../data.js";
import { gflops, reading, type Workload } from "../workload.js";

const T = 100;

const layers = [
  { kind: "rnn", gates: 1, Layer: RNN },
  { kind: "gru", gates: 3, Layer: GRU },
  { kind: "lstm", gates: 4, Layer: LSTM },
];

const sizes = [
  { tag: "b1", batch: 1, input: 64, hidden: 128 },
  { tag: "b32", batch: 32, input: 128, hidden: 256 },
];

export const workloads: readonly Workload[] = layers.flatMap(({ kind, gates, Layer }) =>
  sizes.map(({ tag, batch, input, hidden }) => ({
    name: `${kind}_${tag}`,
    make() {
      const layer = new Layer(input, hidden);
      layer.eval();
      const x = uniform([T, batch, input]);
      const f = compile((x: Tensor) => layer.forward(x).output);
      return reading(() => f(x), gflops(2 * T * batch * gates * hidden * (input + hidden)));
    },
  })),
);

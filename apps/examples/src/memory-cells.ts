/** The recurrent networks of `memory`, and how each begins. */
import { GRU, LSTM, RNN } from "@nn/recurrent";
import { identityRNN, openGates } from "./memory-starts.js";
import type { Random } from "./random.js";

export interface Kind {
  readonly name: string;
  /** In plots. */
  readonly letter: string;
  readonly lr: number;
  make(features: number, hidden: number, length: number, source: Random): RNN | GRU | LSTM;
}

/** The plain RNN failed at all learning rates tried, 0.0003 to 0.01. Why the others begin as they do stands in memory-starts.ts. */
export const KINDS: readonly Kind[] = [
  {
    name: "RNN",
    letter: "R",
    lr: 0.001,
    make: (features, hidden) => new RNN(features, hidden, { batchFirst: true }),
  },
  {
    name: "RNN from identity",
    letter: "I",
    lr: 0.0005,
    make: identityRNN,
  },
  {
    name: "GRU",
    letter: "G",
    lr: 0.01,
    make: (features, hidden, length, source) =>
      openGates(new GRU(features, hidden, { batchFirst: true }), length, source),
  },
  {
    name: "LSTM",
    letter: "L",
    lr: 0.01,
    make: (features, hidden, length, source) =>
      openGates(new LSTM(features, hidden, { batchFirst: true }), length, source),
  },
];

// The three layers, and how they begin: as PyTorch's do, or with the remedies that keep a memory alive.

import { identityRNN, openGates } from "@nn/examples/memory-starts";
import { random } from "@nn/examples/random";
import { GRU, LSTM, RNN } from "@nn/recurrent";

export const CELLS = ["RNN", "GRU", "LSTM"] as const;
export type Cell = (typeof CELLS)[number];

export interface CellSettings {
  readonly hidden: number;
  readonly steps: number;
  /** Whether the RNN begins with the identity. */
  readonly identity: boolean;
  /** Whether gates begin open. */
  readonly biases: boolean;
}

export function makeLayer(
  cell: Cell,
  features: number,
  { hidden, steps, identity, biases }: CellSettings,
): RNN | GRU | LSTM {
  if (cell === "RNN") return identity ? identityRNN(features, hidden) : new RNN(features, hidden, { batchFirst: true });
  const layer = new { GRU, LSTM }[cell](features, hidden, { batchFirst: true });
  return biases ? openGates(layer, steps, random(7)) : layer;
}

/** What each learns well with. */
export function learningRate(cell: Cell, { identity }: CellSettings): number {
  return cell === "RNN" ? (identity ? 0.0005 : 0.001) : 0.01;
}

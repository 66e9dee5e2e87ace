// Every layer of @nn/layers, @nn/conv and @nn/recurrent, with inputs to try it on.

import { attention } from "./attention.js";
import { convolution } from "./convolution.js";
import { losses } from "./losses.js";
import { activations, plain } from "./plain.js";
import { extended, recurrence } from "./recurrence.js";
import type { LayerSample } from "./sample.js";

export type { LayerSample };

export const allLayers: readonly LayerSample[] = [
  ...activations,
  ...plain,
  ...losses,
  ...convolution,
  ...recurrence,
  ...extended,
  ...attention,
];

/** What has no sample of its own. */
export const notSampled: Readonly<Record<string, string>> = {
  ModuleList: "does not run",
  ModuleDict: "does not run",
  Recurrent: "abstract: the base of RNN, GRU and LSTM",
  RecurrentCell: "abstract: the base of the cells",
};

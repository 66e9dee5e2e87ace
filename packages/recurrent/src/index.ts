// @nn/recurrent: RNN, GRU and LSTM: layers, cells, and the scans that are their ops.

export { type CellOptions, RecurrentCell } from "./cell.js";
export {
  type BeamSearchOptions,
  beamSearch,
  type DecodingStep,
  type GreedySearchOptions,
  greedySearch,
  type Hypothesis,
} from "./decoding/beam-search.js";
export {
  type CTCBeamOptions,
  type CTCGreedyOptions,
  type CTCHypothesis,
  ctcBeamSearch,
  ctcGreedySearch,
  type LogProbs,
} from "./decoding/ctc.js";
export { type SampleOptions, sample } from "./decoding/sample.js";
export {
  type GateActivations,
  type GradientNorms,
  gateActivations,
  gradientNorms,
  type LayerPart,
} from "./gradient-norms.js";
export { GRU, GRUCell } from "./gru/gru.js";
export { gruScan, gruScanOp } from "./gru/scan.js";
export { type ForwardOptions, Recurrent, type RecurrentOptions } from "./layer.js";
export { LSTM, LSTMCell, type LSTMOptions, type LSTMState } from "./lstm/lstm.js";
export { type LstmScanAttrs, lstmScan, lstmScanOp } from "./lstm/scan.js";
export { RNN, RNNCell, type RNNCellOptions, type RNNNonlinearity, type RNNOptions } from "./rnn/rnn.js";
export { type RnnScanAttrs, rnnScan, rnnScanOp } from "./rnn/scan.js";
export type { ScanAttrs, ScanInputs } from "./sequence.js";

// @nn/recurrent: RNN, GRU and LSTM: layers, cells, and the scans that are their ops.

export { carried } from "./carried.js";
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
export { GRU, GRUCell, type GRUCellOptions, type GRUOptions } from "./gru/gru.js";
export { gruScan, gruScanOp } from "./gru/scan.js";
export { type Merge, Recurrent, type RecurrentOptions } from "./layer.js";
export { LSTM, LSTMCell, type LSTMCellOptions, type LSTMOptions, type LSTMState } from "./lstm/lstm.js";
export { type LstmScanAttrs, lstmScan, lstmScanOp } from "./lstm/scan.js";
export { type ForwardOptions, maskOf } from "./mask.js";
export {
  type BatchOrder,
  type PackedSequence,
  type PadPackedOptions,
  type PadSequenceOptions,
  packPaddedSequence,
  packSequence,
  padPackedSequence,
  padSequence,
} from "./packed.js";
export { RNN, RNNCell, type RNNCellOptions, type RNNNonlinearity, type RNNOptions } from "./rnn/rnn.js";
export { type RnnScanAttrs, rnnScan, rnnScanOp } from "./rnn/scan.js";
export { type Cell, RNNLayer, type RNNLayerOptions } from "./rnn-layer.js";
export type { ScanAttrs, ScanInputs } from "./sequence.js";
export { resetStates } from "./stateful.js";
export { type Stream, type StreamOptions, stream } from "./stream.js";

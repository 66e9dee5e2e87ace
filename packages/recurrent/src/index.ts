// @nn/recurrent: RNN, GRU and LSTM.

export { GRU, GRUCell } from "./gru/gru.js";
export { gruScan, gruScanOp } from "./gru/scan.js";
export { type ForwardOptions, Recurrent, type RecurrentOptions } from "./layer.js";
export { LSTM, LSTMCell, type LSTMOptions, type LSTMState } from "./lstm/lstm.js";
export { lstmScan, lstmScanOp, type LstmScanAttrs } from "./lstm/scan.js";
export { RNN, RNNCell, type RNNOptions } from "./rnn/rnn.js";
export { rnnScan, rnnScanOp, type RnnScanAttrs } from "./rnn/scan.js";
export type { ScanAttrs } from "./sequence.js";

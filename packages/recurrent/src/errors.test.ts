// What the layers say of wrong arguments and inputs.

import { NNError, randn } from "@nn/tensor";
import { expect, test } from "vitest";
import { GRU, LSTM, LSTMCell, type LSTMState, RNN } from "./index.js";

const x = (...shape: number[]) => randn(shape);

test.each<[string, () => unknown, string]>([
  [
    "features",
    () => new LSTM(8, 3).forward(x(20, 4, 5)),
    "LSTM: expected x (T, N, 8), got (20, 4, 5): 5 ≠ inputSize 8. The last axis holds the features of one time step.",
  ],
  [
    "features, batch first",
    () => new GRU(8, 3, { batchFirst: true }).forward(x(4, 20, 5)),
    "GRU: expected x (N, T, 8), got (4, 20, 5): 5 ≠ inputSize 8",
  ],
  ["features, no batch", () => new RNN(8, 3).forward(x(20, 5)), "RNN: expected x (T, 8), got (20, 5): 5 ≠ inputSize 8"],
  ["axes", () => new RNN(8, 3).forward(x(8)), "expected x (T, N, 8) or (T, 8), got (8)"],
  ["token numbers", () => new RNN(8, 3).forward(x(5, 2, 8).cast("i32")), "expected x (T, N, 8) of dtype f32, got i32"],
  [
    "no step",
    () => new GRU(8, 3, { batchFirst: true }).forward(x(2, 0, 8)),
    "expected at least one time step, got (2, 0, 8)",
  ],
  [
    "h0",
    () => new GRU(8, 3, { numLayers: 2 }).forward(x(5, 2, 8), x(1, 2, 3)),
    "expected the initial state h (2, 2, 3) f32, got (1, 2, 3) f32. Its axes are (layers · directions, N, size).",
  ],
  [
    "h0, no batch",
    () => new GRU(8, 3).forward(x(5, 8), x(1, 1, 3)),
    "expected the initial state h (1, 3) f32, got (1, 1, 3) f32. Its axes are (layers · directions, size).",
  ],
  [
    "h0 of integers",
    () => new RNN(8, 3).forward(x(5, 2, 8), x(1, 2, 3).cast("i32")),
    "expected the initial state h (1, 2, 3) f32, got (1, 2, 3) i32",
  ],
  [
    "c0",
    () => new LSTM(8, 3, { projSize: 2 }).forward(x(5, 2, 8), { h: x(1, 2, 2), c: x(1, 2, 2) }),
    "expected the initial state c (1, 2, 3) f32, got (1, 2, 2) f32",
  ],
  [
    "h without c",
    () => new LSTM(8, 3).forward(x(5, 2, 8), { h: x(1, 2, 3) } as LSTMState),
    "LSTM: expected the state { h, c }, got { h }",
  ],
  [
    "too few lengths",
    () => new RNN(8, 3).forward(x(5, 2, 8), undefined, { lengths: [3] }),
    "expected 2 lengths, one per row, got 1",
  ],
  [
    "length 0",
    () => new RNN(8, 3).forward(x(5, 2, 8), undefined, { lengths: [3, 0] }),
    "expected lengths from 1 to 5, got 0 for row 1",
  ],
  [
    "length beyond T",
    () => new RNN(8, 3).forward(x(5, 2, 8), undefined, { lengths: [6, 1] }),
    "expected lengths from 1 to 5, got 6 for row 0",
  ],
  [
    "lengths f32",
    () => new RNN(8, 3).forward(x(5, 2, 8), undefined, { lengths: x(2) }),
    "expected lengths (2) i32, got (2) f32",
  ],
  [
    "lengths without a batch",
    () => new RNN(8, 3).forward(x(5, 8), undefined, { lengths: [3] }),
    "expected lengths only with a batch, x (T, N, I)",
  ],
  ["hiddenSize", () => new LSTM(8, 0), "LSTM: expected hiddenSize to be a whole number ≥ 1, got 0"],
  ["inputSize", () => new RNN(2.5, 3), "RNN: expected inputSize to be a whole number ≥ 1, got 2.5"],
  ["numLayers", () => new GRU(8, 3, { numLayers: 0 }), "GRU: expected numLayers to be a whole number ≥ 1, got 0"],
  ["dropout", () => new GRU(8, 3, { dropout: 1.5 }), "GRU: expected dropout to be a probability from 0 to 1, got 1.5"],
  [
    "projSize",
    () => new LSTM(8, 3, { projSize: 3 }),
    "LSTM: expected projSize to be a whole number from 0 to hiddenSize − 1 = 2, got 3",
  ],
  [
    "merge",
    () => new GRU(8, 3, { bidirectional: true, merge: "max" as "sum" }),
    'GRU: expected merge "concat", "sum" or "mean", got "max"',
  ],
  [
    "merge of one direction",
    () => new RNN(8, 3, { merge: "sum" }),
    'RNN: expected merge only with bidirectional: true, got "sum" of one direction',
  ],
  [
    "recurrentDropout",
    () => new LSTM(8, 3, { recurrentDropout: Number.NaN }),
    "LSTM: expected recurrentDropout to be a probability from 0 to 1, got NaN",
  ],
  [
    "forgetBias without biases",
    () => new LSTM(8, 3, { bias: false, forgetBias: 1 }),
    "LSTM: expected forgetBias only with biases, got 1 and bias: false",
  ],
  [
    "forgetBias",
    () => new LSTMCell(8, 3, { forgetBias: Number.NaN }),
    "LSTMCell: expected forgetBias to be a number, got NaN",
  ],
  [
    "states both kept and learned",
    () => new GRU(8, 3, { stateful: true, learnInitialState: true }),
    "GRU: expected stateful or learnInitialState, got both",
  ],
  [
    "nonlinearity",
    () => new RNN(8, 3, { nonlinearity: "sigmoid" as "tanh" }),
    'RNN: expected nonlinearity "tanh" or "relu", got "sigmoid"',
  ],
])("%s", (_, run, message) => {
  expect(run).toThrow(NNError);
  expect(run).toThrow(message);
});

// Recurrent layers and cells, and what is built on them.

import * as recurrent from "@nn/recurrent";
import { type Module, rand } from "@nn/tensor";
import { floats, given } from "../all-ops/index.js";
import { all, type LayerSample, of } from "./sample.js";

const STEPS = floats([4, 2, 3]);
const H = (n: number, size = 2) => floats([n, 2, size], -1, 1, { seed: 5 });

const LENGTHS = { lengths: [4, 2] };

export const recurrence: readonly LayerSample[] = [
  of(
    "RNN",
    () => new recurrent.RNN(3, 2),
    [STEPS, H(1)],
    (m, x, h) => all(m.forward(x!, h)),
  ),
  {
    ...of(
      "RNN relu, two layers",
      () => new recurrent.RNN(3, 2, { numLayers: 2, nonlinearity: "relu", batchFirst: true, bias: false }),
      [STEPS],
      (m, x) => all(m.forward(x!)),
    ),
    step: 0.002,
  },
  of(
    "GRU",
    () => new recurrent.GRU(3, 2),
    [STEPS, H(1)],
    (m, x, h) => all(m.forward(x!, h)),
  ),
  of(
    "GRU stateful",
    () => new recurrent.GRU(3, 2, { stateful: true }),
    [STEPS],
    (m, x) => {
      m.resetState();
      return all(m.forward(x!));
    },
  ),
  of(
    "GRU both ways with lengths",
    () => new recurrent.GRU(3, 2, { bidirectional: true }),
    [STEPS, H(2)],
    (m, x, h) => all(m.forward(x!, h, LENGTHS)),
  ),
  of(
    "LSTM",
    () => new recurrent.LSTM(3, 2),
    [STEPS, H(1), H(1)],
    (m, x, h, c) => all(m.forward(x!, { h: h!, c: c! })),
  ),
  of(
    "LSTM both ways with lengths",
    () => new recurrent.LSTM(3, 2, { bidirectional: true, numLayers: 2, projSize: 1 }),
    [STEPS],
    (m, x) => all(m.forward(x!, undefined, LENGTHS)),
  ),
  of(
    "RNNCell",
    () => new recurrent.RNNCell(3, 2),
    [floats([2, 3]), floats([2, 2])],
    (m, x, h) => m.forward(x!, h),
  ),
  of(
    "GRUCell",
    () => new recurrent.GRUCell(3, 2),
    [floats([2, 3]), floats([2, 2])],
    (m, x, h) => m.forward(x!, h),
  ),
  of(
    "LSTMCell",
    () => new recurrent.LSTMCell(3, 2),
    [floats([2, 3]), floats([2, 2]), floats([2, 2], 0, 1)],
    (m, x, h, c) => Object.values(m.forward(x!, { h: h!, c: c! })),
  ),
];

/** What is 0 at first is not: a gradient that it hides could be wrong. */
const started = <M extends Module>(m: M): M => {
  for (const v of m.parameters()) v.value = v.value.add(rand(v.shape).sub(0.5).mul(0.6));
  return m;
};
const COUNTS = given([4, 2], [1, 0, 0, 0, 1, 1, 1, 0], "bool");

export const extended: readonly LayerSample[] = [
  of(
    "GRU reset before, masked",
    () => new recurrent.GRU(3, 2, { resetAfter: false, bidirectional: true, merge: "mean" }),
    [STEPS, H(2), COUNTS],
    (m, x, h, mask) => all(m.forward(x!, h!, { mask: mask! })),
  ),
  of(
    "GRU with variational dropout and lengths",
    () => started(new recurrent.GRU(3, 4, { recurrentDropout: 0.4, numLayers: 2, learnInitialState: true })),
    [STEPS],
    (m, x) => all(m.forward(x!, undefined, LENGTHS)),
  ),
  of(
    "RNN merged, with variational dropout",
    () => new recurrent.RNN(3, 2, { recurrentDropout: 0.4, bidirectional: true, merge: "sum", numLayers: 2 }),
    [STEPS],
    (m, x) => all(m.forward(x!, undefined, LENGTHS)),
  ),
  of(
    "LSTM with peepholes, packed",
    () =>
      started(
        new recurrent.LSTM(3, 2, { peepholes: true, learnInitialState: true, bidirectional: true, forgetBias: 1 }),
      ),
    [STEPS],
    (m, x) => {
      const { output, h, c } = m.forward(recurrent.packPaddedSequence(x!, [4, 2]));
      return all({ output: output.data, h, c });
    },
  ),
  of(
    "LSTM with peepholes, a projection and variational dropout",
    () => started(new recurrent.LSTM(3, 3, { peepholes: true, projSize: 2, recurrentDropout: 0.4 })),
    [STEPS, COUNTS],
    (m, x, mask) => all(m.forward(x!, undefined, { mask: mask! })),
  ),
  of(
    "GRUCell reset before",
    () => new recurrent.GRUCell(3, 2, { resetAfter: false, bias: false }),
    [floats([2, 3]), floats([2, 2])],
    (m, x, h) => m.forward(x!, h),
  ),
  of(
    "LSTMCell with peepholes",
    () => started(new recurrent.LSTMCell(3, 2, { peepholes: true, forgetBias: 1 })),
    [floats([2, 3]), floats([2, 2]), floats([2, 2], 0, 1)],
    (m, x, h, c) => Object.values(m.forward(x!, { h: h!, c: c! })),
  ),
  of(
    "RNNLayer",
    () => new recurrent.RNNLayer(new recurrent.LSTMCell(3, 2), { reverse: true }),
    [STEPS, floats([2, 2]), floats([2, 2], 0, 1)],
    (m, x, h, c) => {
      const { output, state } = m.forward(x!, { h: h!, c: c! }, LENGTHS);
      return all({ output, ...state });
    },
  ),
  of(
    "RNNLayer masked",
    () => new recurrent.RNNLayer(new recurrent.GRUCell(3, 2)),
    [STEPS, COUNTS],
    (m, x, mask) => Object.values(m.forward(x!, undefined, { mask: mask! })),
  ),
];

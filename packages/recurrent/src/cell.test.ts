// The cells are one step of the layers, which have tests of their own.

import { checkGradients, NNError, randn, stack, type Tensor } from "@nn/tensor";
import { expect, test } from "vitest";
import { GRU, GRUCell, LSTM, LSTMCell, RNN, RNNCell } from "./index.js";

const [T, N, I, H] = [4, 3, 5, 6];

/** The cell's parameters are a layer's, without the number of the layer. */
function share(layer: RNN | GRU | LSTM, cell: RNNCell | GRUCell | LSTMCell): void {
  cell.loadStateDict(
    Object.fromEntries(Object.entries(layer.stateDict()).map(([key, t]) => [key.replace("_l0", ""), t])),
  );
}

async function equal(a: Tensor, b: Tensor): Promise<void> {
  expect(a.shape).toEqual(b.shape);
  expect(await a.sub(b).abs().max().item()).toBeLessThan(1e-6);
}

test.each([
  ["RNNCell", new RNN(I, H), new RNNCell(I, H)],
  ["RNNCell relu", new RNN(I, H, { nonlinearity: "relu" }), new RNNCell(I, H, { nonlinearity: "relu" })],
  ["RNNCell without bias", new RNN(I, H, { bias: false }), new RNNCell(I, H, { bias: false })],
  ["GRUCell", new GRU(I, H), new GRUCell(I, H)],
  ["GRUCell without bias", new GRU(I, H, { bias: false }), new GRUCell(I, H, { bias: false })],
])("%s, step by step, is the layer", async (_, layer, cell) => {
  share(layer, cell);
  expect(cell.bias).toBe(layer.bias);
  const x = randn([T, N, I]);
  let h: Tensor | undefined;
  const outputs: Tensor[] = [];
  for (let t = 0; t < T; t++) {
    h = cell.forward(x.select(0, t), h);
    outputs.push(h);
  }
  await equal(stack(outputs), layer.forward(x).output);
  await equal(cell.forward(x.select(0, 0).select(0, 1)), outputs[0]!.select(0, 1)); // without a batch
});

test.each([true, false])("LSTMCell, step by step, is the layer (bias: %s)", async (bias) => {
  const [layer, cell] = [new LSTM(I, H, { bias }), new LSTMCell(I, H, { bias })];
  share(layer, cell);
  const x = randn([T, N, I]);
  let state: { h: Tensor; c: Tensor } | undefined;
  for (let t = 0; t < T; t++) state = cell.forward(x.select(0, t), state);
  const whole = layer.forward(x);
  await equal(state!.h, whole.h.select(0, 0));
  await equal(state!.c, whole.c.select(0, 0));
  const one = cell.forward(x.select(0, 0).select(0, 1));
  expect(one.h.shape).toEqual([H]);
  expect(one.c.shape).toEqual([H]);
});

test("state keys and shapes are PyTorch's", () => {
  const shapes = (cell: RNNCell | GRUCell | LSTMCell) =>
    Object.entries(cell.stateDict()).map(([key, t]) => [key, t.shape]);
  const want = (gates: number) => [
    ["weight_ih", [gates * H, I]],
    ["weight_hh", [gates * H, H]],
    ["bias_ih", [gates * H]],
    ["bias_hh", [gates * H]],
  ];
  expect(shapes(new RNNCell(I, H))).toEqual(want(1));
  expect(shapes(new GRUCell(I, H))).toEqual(want(3));
  expect(shapes(new LSTMCell(I, H))).toEqual(want(4));
  expect(shapes(new LSTMCell(I, H, { bias: false }))).toEqual(want(4).slice(0, 2));
});

test("gradients agree with finite differences", async () => {
  const [rnn, gru, lstm] = [new RNNCell(I, H), new GRUCell(I, H), new LSTMCell(I, H)];
  const [x, h, c] = [randn([N, I]), randn([N, H]), randn([N, H])];
  await checkGradients((x, h) => rnn.forward(x, h), [x, h, ...rnn.parameters()], { samples: 16 });
  await checkGradients((x, h) => gru.forward(x, h), [x, h, ...gru.parameters()], { samples: 16 });
  const both = (x: Tensor, h: Tensor, c: Tensor) => {
    const next = lstm.forward(x, { h, c });
    return next.h.add(next.c.square());
  };
  await checkGradients(both, [x, h, c, ...lstm.parameters()], { samples: 16 });
});

test.each<[string, () => unknown, string]>([
  [
    "features",
    () => new LSTMCell(8, 3).forward(randn([2, 5])),
    "LSTMCell: expected x (N, 8), got (2, 5): 5 ≠ inputSize 8",
  ],
  ["axes", () => new GRUCell(8, 3).forward(randn([4, 2, 8])), "GRUCell: expected x (N, 8) or (8), got (4, 2, 8)"],
  [
    "dtype",
    () => new RNNCell(8, 3).forward(randn([2, 8]).cast("i32")),
    "RNNCell: expected x (N, 8) of dtype f32, got i32",
  ],
  [
    "h",
    () => new RNNCell(8, 3).forward(randn([2, 8]), randn([2, 4])),
    "expected the state h (2, 3) f32, got (2, 4) f32",
  ],
  [
    "c",
    () => new LSTMCell(8, 3).forward(randn([8]), { h: randn([3]), c: randn([1, 3]) }),
    "expected the state c (3) f32, got (1, 3) f32",
  ],
  [
    "h without c",
    () => new LSTMCell(8, 3).forward(randn([8]), { h: randn([3]) } as never),
    "expected the state { h, c }, got { h }",
  ],
  ["hiddenSize", () => new GRUCell(8, -1), "GRUCell: expected hiddenSize to be a whole number ≥ 1, got -1"],
  [
    "nonlinearity",
    () => new RNNCell(8, 3, { nonlinearity: "gelu" as "tanh" }),
    'RNNCell: expected nonlinearity "tanh" or "relu", got "gelu"',
  ],
])("error: %s", (_, run, message) => {
  expect(run).toThrow(NNError);
  expect(run).toThrow(message);
});

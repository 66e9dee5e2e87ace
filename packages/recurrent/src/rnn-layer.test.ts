// RNNLayer: our cells in it are our layers; cells of one's own; lengths, masks, both directions, streams.

import { wasm } from "@nn/backend-wasm";
import { Embedding, Linear } from "@nn/layers";
import {
  cat,
  checkGradients,
  compile,
  getBackend,
  grad,
  Module,
  NNError,
  randn,
  setBackend,
  type Tensor,
  tensor,
  valueAndGrad,
  zeros,
} from "@nn/tensor";
import { describe, expect, it } from "vitest";
import { GRU, GRUCell, LSTM, LSTMCell, maskOf, packSequence, RNN, RNNCell, RNNLayer, stream } from "./index.js";
import { recurrentKernels } from "./wasm/index.js";

const [T, N, I, H] = [5, 3, 4, 3];
const lengths = [2, 5, 3];
const list = (t: Tensor) => Array.from(t.readSync());
const near = (t: Tensor) => list(t).map((v) => expect.closeTo(v, 5));

function share(layer: RNN | GRU | LSTM, cell: Module): void {
  const all = Object.entries(layer.stateDict()).map(([key, t]) => [`cell.${key.replace("_l0", "")}`, t]);
  cell.loadStateDict(Object.fromEntries(all));
}

describe.each<[string, RNN | GRU | LSTM, (reverse: boolean) => RNNLayer<never>]>([
  ["RNN", new RNN(I, H), (reverse) => new RNNLayer(new RNNCell(I, H), { reverse }) as never],
  [
    "GRU before",
    new GRU(I, H, { resetAfter: false }),
    (reverse) => new RNNLayer(new GRUCell(I, H, { resetAfter: false }), { reverse }) as never,
  ],
  ["GRU", new GRU(I, H), (reverse) => new RNNLayer(new GRUCell(I, H), { reverse }) as never],
  [
    "LSTM",
    new LSTM(I, H, { peepholes: true }),
    (reverse) => new RNNLayer(new LSTMCell(I, H, { peepholes: true }), { reverse }) as never,
  ],
])("%s", (_, layer, make) => {
  const x = randn([T, N, I]);

  it("is its cell over time: values, gradients, lengths; eager and compiled", () => {
    const mine = make(false);
    share(layer, mine);
    for (const options of [{}, { lengths }, { mask: maskOf(lengths, T) }]) {
      const run = (m: Module) => (x: Tensor) => {
        const [value, gradients] = valueAndGrad(
          () => (m as RNN).forward(x, undefined, options).output.square().sum(),
          [x, ...m.parameters()],
        );
        return [value, ...gradients];
      };
      const want = run(layer)(x).map((t) => list(t).map((v) => expect.closeTo(v, 4)));
      expect(run(mine)(x).map(list)).toEqual(want);
      expect(compile(run(mine))(x).map(list)).toEqual(want);
    }
  });

  it("ends with the layer's states, and goes on from them", () => {
    const mine = make(false) as unknown as RNNLayer<unknown>;
    share(layer, mine);
    const states = (s: unknown) => Object.values(s as object).flatMap((v) => (v?.readSync ? list(v as Tensor) : []));
    const { h, ...others } = layer.forward(x, undefined, { lengths });
    const { state } = mine.forward(x, undefined, { lengths });
    const flat = "c" in others ? [h, others.c as Tensor] : [h];
    const got = state && "h" in (state as object) ? states(state) : list(state as Tensor);
    expect(got).toEqual(flat.flatMap((t) => near(t)));
    const begun = mine.forward(x.slice([[0, 2]]));
    const rest = mine.forward(x.slice([[2]]), begun.state);
    expect(list(rest.output)).toEqual(near(mine.forward(x).output.slice([[2]])));
  });

  it("runs backwards as the reverse direction does, from each row's end", () => {
    const mine = make(true);
    share(layer, mine);
    const both = new (layer.constructor as typeof GRU)(I, H, { ...layer, bidirectional: true });
    const state = layer.stateDict();
    const turned = Object.entries(state).map(([key, t]) => [key.replace("_l0", "_l0_reverse"), t]);
    both.loadStateDict({ ...state, ...Object.fromEntries(turned) });
    const want = both.forward(x, undefined, { lengths }).output.slice([null, null, [H, 2 * H]]);
    expect(list(mine.forward(x, undefined, { lengths }).output)).toEqual(near(want));
  });

  it("takes rows first and packed sequences", () => {
    const first = new RNNLayer((make(false) as unknown as RNNLayer).cell, { batchFirst: true });
    share(layer, first);
    const want = layer.forward(x, undefined, { lengths }).output;
    const got = first.forward(x.transpose(0, 1), undefined, { lengths }).output;
    expect(list(got.transpose(0, 1))).toEqual(near(want));
    const packed = packSequence(lengths.map((n, k) => x.select(1, k).slice([[0, n]])));
    expect(list(first.forward(packed).output.data)).toEqual(near(want));
  });

  it("streams", () => {
    const mine = make(false);
    const live = stream(mine, { inputSize: I });
    const want = (mine as unknown as RNN).forward(x.slice([null, [0, 1]])).output;
    const got = Array.from({ length: T }, (_, t) =>
      Array.from(live.step(x.select(0, t).select(0, 0).readSync() as Float32Array)),
    );
    expect(got.flat()).toEqual(list(want));
    live.dispose();
  });
});

it("gives on WebAssembly, as one loop, what the layer gives there", async () => {
  const before = getBackend();
  setBackend(await wasm({ kernels: recurrentKernels, threads: 1 }));
  try {
    const [layer, mine] = [new LSTM(I, H), new RNNLayer(new LSTMCell(I, H))];
    share(layer, mine);
    const run = (m: Module) => (x: Tensor) =>
      grad(() => (m as RNN).forward(x, undefined, { lengths }).output.square().sum(), [x, ...m.parameters()]);
    const x = randn([T, N, I]);
    const step = compile(run(mine));
    expect(step(x).map(list)).toEqual(run(layer)(x).map(near));
    expect(step.explain()).toContain("scan");
  } finally {
    setBackend(before);
  }
});

/** Tokens in, two numbers and a count as state, something else out. */
class Counting extends Module {
  table = new Embedding(6, 2);
  head = new Linear(2, 4);
  forward(x: Tensor, { sum, counts }: { sum: Tensor; counts: [Tensor] }) {
    const next = sum.mul(0.5).add(this.table.forward(x));
    return { output: this.head.forward(next.tanh()), state: { counts: [counts[0].add(1)] as [Tensor], sum: next } };
  }
  initialState(batch: number): { sum: Tensor; counts: [Tensor] } {
    return { sum: zeros([batch, 2]), counts: [zeros([batch], { dtype: "i32" })] };
  }
}

describe("a cell of one's own", () => {
  const tokens = tensor(Int32Array.of(1, 2, 3, 4, 5, 0), { shape: [3, 2] });

  it("may have any state and output, and takes tokens", async () => {
    const layer = new RNNLayer(new Counting());
    const { output, state } = layer.forward(tokens, undefined, { lengths: [3, 1] });
    expect(output.shape).toEqual([3, 2, 4]);
    expect(list(state.counts[0])).toEqual([3, 1]);
    expect(list(output.select(0, 2).select(0, 1))).toEqual([0, 0, 0, 0]);
    const alone = layer.forward(
      tokens.slice([
        [0, 1],
        [1, 2],
      ]),
    );
    expect(list(output.select(0, 0).select(0, 1))).toEqual(near(alone.output));
    expect(list(state.sum.select(0, 1))).toEqual(near(alone.state.sum));
    expect(Object.keys(layer.stateDict())).toEqual(["cell.table.weight", "cell.head.weight", "cell.head.bias"]);
    await checkGradients(() => layer.forward(tokens, undefined, { lengths: [3, 1] }).output, layer.parameters());
  });

  it("goes both ways as two layers", () => {
    const [there, back] = [new RNNLayer(new GRUCell(I, H)), new RNNLayer(new GRUCell(I, H), { reverse: true })];
    const gru = new GRU(I, H, { bidirectional: true });
    const part = (cell: RNNLayer, end: string) =>
      Object.fromEntries(Object.keys(cell.stateDict()).map((key) => [key, gru.stateDict()[`${key.slice(5)}${end}`]!]));
    there.loadStateDict(part(there, "_l0"));
    back.loadStateDict(part(back, "_l0_reverse"));
    const x = randn([T, N, I]);
    const got = cat(
      [there.forward(x, undefined, { lengths }).output, back.forward(x, undefined, { lengths }).output],
      2,
    );
    expect(list(got)).toEqual(near(gru.forward(x, undefined, { lengths }).output));
  });
});

it.each<[string, () => unknown, string]>([
  [
    "no cell",
    () => new RNNLayer({} as never),
    "RNNLayer: expected a cell: a Module with forward(x, state) and initialState(batch), got object",
  ],
  ["no initialState", () => new RNNLayer(new Linear(2, 2) as never), "got Linear, without initialState"],
  [
    "axes",
    () => new RNNLayer(new GRUCell(2, 3)).forward(randn([4])),
    "RNNLayer: expected x (T, N, …) with T ≥ 1, got (4)",
  ],
  ["no step", () => new RNNLayer(new GRUCell(2, 3)).forward(randn([0, 1, 2])), "got (0, 1, 2)"],
  [
    "lengths",
    () => new RNNLayer(new GRUCell(2, 3)).forward(randn([2, 1, 2]), undefined, { lengths: [3] }),
    "expected lengths from 1 to 2, got 3",
  ],
  [
    "what the cell returns",
    () => {
      const cell = new GRUCell(2, 3);
      cell.forward = (() => ({ next: zeros([1]) })) as never;
      return new RNNLayer(cell).forward(randn([2, 1, 2]));
    },
    "expected a cell that returns its next state (a tensor, or an object with a tensor h), or { output, state }, got { next }",
  ],
  [
    "a stream backwards",
    () => stream(new RNNLayer(new GRUCell(2, 3), { reverse: true }), { inputSize: 2 }),
    "RNNLayer: expected a stream without a look at the future",
  ],
])("error: %s", (_, run, message) => {
  expect(run).toThrow(NNError);
  expect(run).toThrow(message);
});

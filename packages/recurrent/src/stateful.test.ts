// Stateful layers: chunks as one sequence, truncated back-propagation against a loop that passes states on, resets, sizes.

import { Linear, mse } from "@nn/layers";
import { compile, keep, Module, manualSeed, memory, rand, randn, stopGradient, type Tensor } from "@nn/tensor";
import { beforeEach, describe, expect, it } from "vitest";
import { GRU, LSTM, type LSTMOptions, type Recurrent, RNN, resetStates } from "./index.js";
import { descend } from "./stream-cases.js";

const kinds: Record<string, (i: number, h: number, o?: LSTMOptions) => Recurrent> = {
  RNN: (i, h, o) => new RNN(i, h, o),
  GRU: (i, h, o) => new GRU(i, h, o),
  LSTM: (i, h, o) => new LSTM(i, h, o),
  "LSTM with a projection": (i, h, o) => new LSTM(i, h, { ...o, projSize: 2 }),
};
const modes: Record<string, <F extends (...args: never[]) => unknown>(f: F) => F> = {
  eager: (f) => f,
  compiled: compile,
};
interface Result {
  readonly output: Tensor;
  readonly h: Tensor;
}
const call = (layer: Recurrent, x: Tensor, ...more: readonly unknown[]) =>
  (layer as unknown as { forward(...args: readonly unknown[]): Result }).forward(x, ...more);
/** The same layer, without states of its own. */
function stateless(layer: Recurrent, make: (o: LSTMOptions) => Recurrent): Recurrent {
  const { numLayers, batchFirst } = layer;
  const other = make({ numLayers, batchFirst });
  other.loadStateDict(layer.stateDict());
  return other;
}

beforeEach(() => manualSeed(1));

describe.each(Object.entries(kinds))("%s", (_, make) => {
  it.each(Object.entries(modes))("chunks give what the whole sequence gives: %s", async (_, mode) => {
    const layer = make(3, 4, { numLayers: 2, batchFirst: true, stateful: true });
    const x = randn([2, 9, 3]);
    const run = mode((x: Tensor) => call(layer, x));
    const want = call(
      stateless(layer, (o) => make(3, 4, o)),
      x,
    );
    for (let round = 0; round < 2; round++) {
      for (const [from, to] of [
        [0, 4],
        [4, 8],
        [8, 9],
      ] as const) {
        const { output, h } = run(x.slice([null, [from, to]]));
        expect(await output.toArray()).toEqual(await want.output.slice([null, [from, to]]).toArray());
        if (to === 9) expect(await h.toArray()).toEqual(await want.h.toArray());
      }
      resetStates(layer);
    }
  });

  it.each(Object.entries(modes))("trains as a loop that passes detached states: %s", async (_, mode) => {
    class Net extends Module {
      constructor(
        readonly layer: Recurrent,
        readonly head = new Linear(layer.projSize || 4, 1),
      ) {
        super();
      }
      override forward(x: Tensor): Tensor {
        return this.head.forward(call(this.layer, x).output);
      }
    }
    const net = new Net(make(2, 4, { numLayers: 2, stateful: true }));
    const other = new Net(stateless(net.layer, (o) => make(2, 4, o)));
    other.head.loadStateDict(net.head.stateDict());
    const [x, y] = [randn([12, 3, 2]), rand([12, 3, 1])];
    const chunks = [0, 4, 8].map((t) => [x.slice([[t, t + 4]]), y.slice([[t, t + 4]])] as const);

    const step = mode((x: Tensor, y: Tensor) => descend(net.parameters(), 0.3, () => mse(net.forward(x), y)));
    for (let epoch = 0; epoch < 2; epoch++) {
      resetStates(net);
      let state: unknown;
      for (const [x, y] of chunks) {
        const loss = step(x, y);
        let next: Record<string, Tensor> = {};
        const want = descend(other.parameters(), 0.3, () => {
          const { output, ...states } = call(other.layer, x, state);
          next = Object.fromEntries(Object.entries(states).map(([k, t]) => [k, keep(stopGradient(t as Tensor))]));
          return mse(other.head.forward(output), y);
        });
        state = next.c ? next : next.h; // as forward() takes them
        expect(await loss.item()).toBeCloseTo(await want.item(), 6);
      }
    }
    const [got, want] = [net.stateDict(), other.stateDict()];
    for (const [key, t] of Object.entries(got)) {
      const expected = await want[key]!.read();
      (await t.read()).forEach((v, i) => {
        expect(v).toBeCloseTo(expected[i]!, 5);
      });
    }
  });
});

describe("stateful", () => {
  it("has states that are no part of the model", () => {
    const gru = new GRU(2, 3, { stateful: true });
    gru.forward(randn([4, 2, 2]));
    expect(Object.keys(gru.stateDict())).toEqual(Object.keys(new GRU(2, 3).stateDict()));
    expect(gru.parameters()).toHaveLength(4);
  });

  it("keeps the states of the rows' last steps", async () => {
    const gru = new GRU(2, 3, { stateful: true });
    const x = randn([4, 2, 2]);
    const { h } = gru.forward(x, undefined, { lengths: [4, 2] });
    const next = randn([3, 2, 2]);
    const got = await gru.forward(next).output.toArray();
    gru.resetState();
    expect(got).toEqual(await gru.forward(next, h).output.toArray());
  });

  it("starts from given states, and goes on from there", async () => {
    const [gru, h0, x] = [new GRU(2, 3, { stateful: true }), randn([1, 2, 3]), randn([6, 2, 2])];
    const want = await new GRU(2, 3).forward(x).output.toArray();
    expect(want).toHaveLength(6);
    const whole = (await gru.forward(x, h0).output.toArray()) as unknown[];
    gru.forward(x.slice([[0, 2]]), h0);
    expect(await gru.forward(x.slice([[2, 6]])).output.toArray()).toEqual(whole.slice(2));
  });

  it("works without a batch, as a batch of one", async () => {
    const gru = new GRU(2, 3, { stateful: true });
    const x = randn([4, 2]);
    gru.forward(x);
    const second = await gru.forward(x).output.toArray();
    gru.resetState();
    gru.forward(x.unsqueeze(1));
    expect(await gru.forward(x.unsqueeze(1)).output.squeeze(1).toArray()).toEqual(second);
  });

  it.each(Object.entries(modes))("wants a reset before a batch of another size: %s", async (_, mode) => {
    const gru = new GRU(2, 3, { stateful: true });
    const run = mode((x: Tensor) => gru.forward(x).output);
    const [four, two] = [randn([3, 4, 2]), randn([3, 2, 2])];
    const [first, again] = [await run(four).toArray(), await run(four).toArray()];
    expect(again).not.toEqual(first);
    expect(() => run(two)).toThrow(/expected a batch of 4, whose states are kept, got one of 2.*resetState\(\)/);
    expect(await run(four).toArray()).not.toEqual(again);
    gru.resetState();
    const other = await run(two).toArray();
    expect(() => run(four)).toThrow(/expected a batch of 2/);
    gru.resetState();
    expect(await run(four).toArray()).toEqual(first);
    expect(() => run(two)).toThrow(/expected a batch of 4/);
    resetStates(gru);
    expect(await run(two).toArray()).toEqual(other);
  });

  it("holds memory flat", () => {
    const lstm = new LSTM(2, 3, { stateful: true, numLayers: 2 });
    const run = compile((x: Tensor) => lstm.forward(x).output.sum());
    const x = randn([3, 4, 2]);
    run(x).dispose();
    run(x).dispose();
    const before = memory();
    for (let i = 0; i < 50; i++) {
      run(x).dispose();
      if (i % 10 === 0) lstm.resetState();
    }
    expect(memory()).toEqual(before);
  });

  it("says what makes no sense", () => {
    expect(() => new GRU(2, 3, { stateful: true, bidirectional: true })).toThrow(
      /GRU: expected a stateful layer to be unidir/,
    );
    expect(() => new LSTM(2, 3).resetState()).toThrow(/lstm: expected a layer made with stateful: true/);
    expect(() => resetStates(new LSTM(2, 3))).not.toThrow();
  });
});

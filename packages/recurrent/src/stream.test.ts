// Streams on the reference backend: what they are, their states, what they cannot run. Bits and garbage on WebAssembly: wasm/stream.test.ts.

import { Linear } from "@nn/layers";
import { cat, compile, Module, manualSeed, memory, randn, scan, type Tensor, zeros } from "@nn/tensor";
import { beforeEach, describe, expect, it } from "vitest";
import { carried, GRU, GRUCell, LSTM, RNN, stream } from "./index.js";
import { descend, outputOf, randomStream, stepsOf } from "./stream-cases.js";

beforeEach(() => manualSeed(1));

describe("stream", () => {
  it("gives what the whole sequence gives, to the last bit, in 100 random cases", () => {
    for (let i = 0; i < 100; i++) {
      const { model, x, rows, batchFirst, text } = randomStream(i);
      const live = stream(model, { rows });
      expect(stepsOf(live, x, batchFirst), text).toEqual(
        outputOf(i % 2 ? compile(model.run) : model.run, x, batchFirst),
      );
      live.dispose();
    }
  });

  it("runs several streams of one model at once, each with rows and states of its own", () => {
    const lstm = new LSTM(3, 4, { numLayers: 2, stateful: true });
    const [a, b] = [randn([5, 1, 3]), randn([5, 1, 3])];
    const [first, second] = [lstm.stream(), lstm.stream({ rows: 2 })];
    const both = cat([a, b], 1).readSync() as Float32Array;
    const seen: number[][] = [[], []];
    for (let t = 0; t < 5; t++) {
      const x = both.subarray(6 * t, 6 * t + 6);
      seen[0]!.push(...first.step(x.subarray(0, 3)));
      seen[1]!.push(...second.step(x));
    }
    expect([first.outputShape, second.outputShape]).toEqual([
      [1, 4],
      [2, 4],
    ]);
    const [, , want] = [1, 2, new LSTM(3, 4, { numLayers: 2 })] as const;
    want.loadStateDict(lstm.stateDict());
    expect(seen[0]).toEqual([...want.forward(a).output.readSync()]);
    expect(seen[1]).toEqual([...want.forward(cat([a, b], 1)).output.readSync()]);
  });

  it("starts anew with reset(), and sees what training changes", () => {
    const gru = new GRU(2, 3);
    const live = gru.stream();
    const x = Float32Array.of(1, -1);
    const first = [...live.step(x)];
    const second = [...live.step(x)];
    expect(second).not.toEqual(first);
    live.reset();
    expect([...live.step(x)]).toEqual(first);
    const train = compile((x: Tensor) => descend(gru.parameters(), 0.5, () => gru.forward(x).output.square().sum()));
    train(randn([4, 2, 2]));
    live.reset();
    const trained = [...live.step(x)];
    expect(trained).not.toEqual(first);
    const sequence = scanInput(x);
    expect(trained).toEqual([...gru.forward(sequence).output.readSync()]);
  });

  it("always gives its one array", () => {
    const live = new GRU(2, 3).stream();
    expect(live.step(new Float32Array(2))).toBe(live.step(new Float32Array(2)));
  });

  it("does not train: dropout is off, and training goes on as it was", () => {
    class Net extends Module {
      readonly lstm = new LSTM(2, 3, { numLayers: 2, dropout: 0.5 });
      readonly frozen = new Linear(3, 1).eval();
      override forward(x: Tensor): Tensor {
        return this.frozen.forward(this.lstm.forward(x).output);
      }
    }
    const net = new Net();
    const live = stream(net);
    expect([net.training, net.lstm.training, net.frozen.training]).toEqual([true, true, false]);
    const x = randn([4, 1, 2]);
    const got = stepsOf(live, x, false);
    net.eval();
    expect(got).toEqual([...net.forward(x).readSync()]);
  });

  it("gives the last step of a model that gives one", () => {
    class Last extends Module {
      readonly gru = new GRU(2, 3, { batchFirst: true });
      readonly head = new Linear(3, 2);
      override forward(x: Tensor): Tensor {
        return this.head.forward(this.gru.forward(x).output.select(1, -1));
      }
    }
    const [model, x] = [new Last(), randn([1, 6, 2])];
    const live = stream(model);
    expect(live.outputShape).toEqual([1, 2]);
    const all = stepsOf(live, x, true);
    expect(all.slice(-2)).toEqual([...model.forward(x).readSync()]);
  });

  it("runs cells of one's own, with carried()", () => {
    class Own extends Module {
      readonly inputSize = 2;
      readonly cell = new GRUCell(2, 3);
      readonly sum = new Linear(3, 3);
      override forward(x: Tensor): Tensor {
        type State = { h: Tensor; total: readonly [Tensor] };
        const start = (): State => ({ h: zeros([x.shape[1]!, 3]), total: [zeros([x.shape[1]!, 3])] });
        const step = ({ h, total }: State, x: Tensor) => {
          const next = this.cell.forward(x, h);
          const sum = total[0].add(next);
          return [{ h: next, total: [sum] } as State, this.sum.forward(sum)] as const;
        };
        return carried(start, (state) => scan(step, state, x));
      }
    }
    const [own, x] = [new Own(), randn([7, 2, 2])];
    expect(stepsOf(stream(own, { rows: 2 }), x, false)).toEqual([...own.forward(x).readSync()]);
  });

  it("gives all its memory back", () => {
    const gru = new GRU(3, 4);
    const before = memory();
    const live = gru.stream();
    live.step(new Float32Array(3));
    live.reset();
    live.dispose();
    live.dispose();
    expect(memory()).toEqual(before);
  });
});

/** (1, 1, I). */
const scanInput = (x: Float32Array): Tensor => {
  const t = zeros([1, 1, x.length]);
  return t.add(Array.from(x).reduce((sum, v, i) => sum.add(oneHotRow(i, x.length).mul(v)), zeros([x.length])));
};
const oneHotRow = (i: number, n: number): Tensor =>
  zeros([n]).add(cat([zeros([i]), zeros([1]).add(1), zeros([n - i - 1])]));

describe("what it cannot do", () => {
  class Model extends Module {
    constructor(
      readonly body: (x: Tensor) => unknown,
      readonly inputSize?: number,
    ) {
      super();
    }
    override forward(x: Tensor): unknown {
      return this.body(x);
    }
  }
  const gru = new GRU(2, 3);
  const wrong =
    (body: (x: Tensor) => unknown, inputSize: number | undefined = 2) =>
    () =>
      stream(new Model(body, inputSize));

  it.each<[string, () => unknown, RegExp]>([
    [
      "both directions",
      () => new RNN(2, 3, { bidirectional: true }).stream(),
      /RNN: .*without a look at the future, got a bidirectional/,
    ],
    ["lengths", wrong((x) => gru.forward(x, undefined, { lengths: [1] })), /GRU: .*got lengths/],
    ["given states", wrong((x) => gru.forward(x, zeros([1, 1, 3]))), /GRU: expected states that the stream keeps/],
    ["another inputSize", () => stream(gru, { inputSize: 5 }), /GRU: expected x \(T, N, 2\), got \(1, 1, 5\)/],
    ["no inputSize", () => stream(new Model((x) => x)), /stream: expected the option inputSize/],
    ["rows", () => gru.stream({ rows: 0 }), /stream: expected rows to be a whole number ≥ 1, got 0/],
    ["no tensor", wrong(() => 3), /stream: expected a model that returns a tensor/],
    ["no f32", wrong((x) => x.cast("i32")), /stream: expected an output f32/],
    ["other steps", wrong((x) => cat([x, x])), /stream: expected an output with as many steps as x/],
    [
      "another next state",
      wrong((x) =>
        carried(
          () => zeros([2]),
          () => [zeros([3]), x],
        ),
      ),
      /carried: expected a next state as the first one: \(2\) f32, got \(3\)/,
    ],
  ])("%s", (_, run, error) => {
    const before = memory().plans;
    expect(run).toThrow(error);
    expect(memory().plans).toBe(before);
  });

  it("steps of other sizes, and after dispose()", () => {
    const live = gru.stream({ rows: 2 });
    expect(() => live.step(new Float32Array(2))).toThrow(/stream: expected 4 numbers, .* got 2/);
    live.dispose();
    expect(() => live.step(new Float32Array(4))).toThrow(/expected a live stream, got one that was disposed/);
    expect(() => live.reset()).toThrow(/disposed/);
  });

  it("models that change Variables", async () => {
    const { Variable } = await import("@nn/tensor");
    const count = new Variable(zeros([]), { trainable: false });
    const body = (x: Tensor) => {
      count.value = count.value.add(1);
      return x;
    };
    expect(wrong(body)).toThrow(/stream: expected a model that changes no Variables, got one that changes 1/);
  });
});

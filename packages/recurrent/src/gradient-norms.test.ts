// Gradient norms against answers known by hand and gradients in initial states; gates against the outputs they give.

import { grad, manualSeed, randn, type Tensor, tensor, zeros } from "@nn/tensor";
import { beforeEach, describe, expect, test } from "vitest";
import { GRU, gateActivations, gradientNorms, LSTM, RNN } from "./index.js";

beforeEach(() => {
  manualSeed(3);
});

const [T, N, I, H] = [6, 3, 2, 4];
const lengths = [2, 6, 4];

/** h ← w·h + x: linear, as all is positive. */
function linear(w: number): RNN {
  const rnn = new RNN(1, 1, { nonlinearity: "relu", bias: false });
  rnn.weight_ih_l0!.value = tensor([[1]]);
  rnn.weight_hh_l0!.value = tensor([[w]]);
  return rnn;
}

describe("gradientNorms", () => {
  test.each([0.5, 1, 1.5])(
    "of a linear RNN with weight %s, it shrinks or grows by that at each step back",
    async (w) => {
      const rnn = linear(w);
      const x = tensor([[1], [2], [1], [3]]);
      const [only, ...rest] = gradientNorms(rnn, () => rnn.forward(x).h.sum());
      expect(rest).toEqual([]);
      expect([only!.layer, only!.reverse]).toEqual([0, false]);
      expect(await only!.norms.toArray()).toEqual([w ** 3, w ** 2, w, 1]);
    },
  );

  test("counts the way through every output", async () => {
    const rnn = linear(0.5);
    const [{ norms }] = gradientNorms(rnn, () => rnn.forward(tensor([[1], [1], [1]])).output.sum()) as [never];
    expect(await (norms as Tensor).toArray()).toEqual([1.75, 1.5, 1]);
  });

  test("is the norm over rows and units", async () => {
    const rnn = linear(0.5);
    const x = zeros([2, 4, 1]).add(1);
    const [{ norms }] = gradientNorms(rnn, () => rnn.forward(x).h.sum()) as [never];
    expect(await (norms as Tensor).toArray()).toEqual([1, 2]); // of four rows, each 0.5 and 1
  });

  test.each(["RNN", "GRU", "LSTM"])(
    "is the gradient in the state that the rest of the sequence starts from: %s",
    async (kind) => {
      const layer = kind === "RNN" ? new RNN(I, H) : kind === "GRU" ? new GRU(I, H) : new LSTM(I, H);
      const x = randn([T, N, I]);
      const run = (x: Tensor, h?: Tensor, c?: Tensor): { h: Tensor; c?: Tensor } =>
        layer instanceof LSTM ? layer.forward(x, h && c && { h, c }) : layer.forward(x, h);
      const loss = (h: Tensor) => h.square().sum();
      const [{ norms }] = gradientNorms(layer, () => loss(run(x).h)) as [never];
      const got = await (norms as Tensor).toArray();
      let [h, c] = [zeros([1, N, H]), zeros([1, N, H])];
      for (let t = 0; t < T - 1; t++) {
        const next = run(x.slice([[t, t + 1]]), h, c);
        [h, c] = [next.h, next.c ?? c];
        const rest = x.slice([[t + 1, T]]);
        const [g] = grad(() => loss(run(rest, h, c).h), [h]);
        expect((got as number[])[t]).toBeCloseTo((await g!.square().sum().sqrt().item()) as number, 5);
      }
    },
  );

  test("of layers and directions, rows of unequal length", async () => {
    const lstm = new LSTM(I, H, { numLayers: 2, bidirectional: true, projSize: 2 });
    const x = randn([T, N, I]);
    const parts = gradientNorms(lstm, () =>
      lstm
        .forward(x, undefined, { lengths: [2, 3, 4] })
        .output.square()
        .sum(),
    );
    expect(parts.map(({ layer, reverse }) => [layer, reverse])).toEqual([
      [0, false],
      [0, true],
      [1, false],
      [1, true],
    ]);
    for (const { norms } of parts) {
      const values = (await norms.toArray()) as number[];
      expect(values.map((v) => v > 0)).toEqual([true, true, true, true, false, false]);
    }
  });

  test("leaves the layer as it was, and says when it was not run", () => {
    const rnn = new RNN(I, H);
    expect(() => gradientNorms(rnn, () => zeros([]))).toThrow(/exactly once/);
    expect(Object.keys(rnn)).not.toContain("scan");
    expect(() => gateActivations(rnn, () => [rnn.forward(zeros([1, I])), rnn.forward(zeros([1, I]))])).toThrow(
      "2 runs",
    );
  });
});

describe("gateActivations", () => {
  test.each([false, true])("of a GRU give its outputs (lengths: %s)", async (unequal) => {
    const gru = new GRU(I, H, { bidirectional: true });
    const x = randn([T, N, I]);
    const parts = gateActivations(gru, () => gru.forward(x, undefined, unequal ? { lengths } : {}));
    expect(parts.map(({ reverse }) => reverse)).toEqual([false, true]);
    for (const { gates, output, reverse } of parts) {
      const [z, n, h] = await Promise.all([gates.z!.toArray(), gates.n!.toArray(), output.toArray()]);
      let before: number[][] = Array.from({ length: N }, () => Array(H).fill(0));
      for (let i = 0; i < T; i++) {
        const t = reverse ? T - 1 - i : i;
        const want = at(h, t).map((row, r) =>
          row.map((_, j) =>
            unequal && t >= lengths[r]!
              ? 0
              : (1 - at(z, t)[r]![j]!) * at(n, t)[r]![j]! + at(z, t)[r]![j]! * before[r]![j]!,
          ),
        );
        for (const [j, v] of at(h, t).flat().entries()) expect(v).toBeCloseTo(want.flat()[j]!, 5);
        before = at(h, t);
      }
    }
  });

  test("of an LSTM give its outputs", async () => {
    const lstm = new LSTM(I, H);
    const x = randn([T, N, I]);
    const [{ gates, output }] = gateActivations(lstm, () => lstm.forward(x)) as [never];
    const all = gates as Record<string, Tensor>;
    expect(Object.keys(all)).toEqual(["i", "f", "g", "o"]);
    let c = zeros([N, H]);
    for (let t = 0; t < T; t++) {
      const { i, f, g, o } = Object.fromEntries(Object.entries(all).map(([name, v]) => [name, v.select(0, t)]));
      c = f!.mul(c).add(i!.mul(g!));
      const apart = o!
        .mul(c.tanh())
        .sub((output as Tensor).select(0, t))
        .abs()
        .max();
      expect(await apart.item()).toBeLessThan(1e-6);
    }
  });

  test("of an RNN are none", () => {
    const rnn = new RNN(I, H);
    const [{ gates, output }] = gateActivations(rnn, () => rnn.forward(randn([T, N, I]))) as [never];
    expect(gates).toEqual({});
    expect((output as Tensor).shape).toEqual([T, N, H]);
  });
});

function at(values: unknown, t: number): number[][] {
  return (values as number[][][])[t]!;
}

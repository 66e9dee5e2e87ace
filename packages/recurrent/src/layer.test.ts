// The layers against a plain loop over numbers, finite differences and compile; their state, options and errors.

import {
  checkGradients,
  compile,
  manualSeed,
  memory,
  rand,
  randn,
  scope,
  type Tensor,
  tensor,
  type Variable,
  valueAndGrad,
} from "@nn/tensor";
import { describe, expect, test } from "vitest";
import { GRU, LSTM, type LSTMOptions, RNN, type RNNOptions } from "./index.js";

type Layer = RNN | GRU | LSTM;
type Options = RNNOptions & LSTMOptions;
interface Result {
  readonly output: Tensor;
  readonly h: Tensor;
  readonly c?: Tensor;
}

const kinds: Record<string, { gates: number; options: Options; make(i: number, h: number, o?: Options): Layer }> = {
  RNN: { gates: 1, options: {}, make: (i, h, o) => new RNN(i, h, o) },
  "RNN relu": { gates: 1, options: {}, make: (i, h, o) => new RNN(i, h, { ...o, nonlinearity: "relu" }) },
  GRU: { gates: 3, options: {}, make: (i, h, o) => new GRU(i, h, o) },
  LSTM: { gates: 4, options: {}, make: (i, h, o) => new LSTM(i, h, o) },
  "LSTM with a projection": {
    gates: 4,
    options: { projSize: 2 },
    make: (i, h, o) => new LSTM(i, h, { ...o, projSize: 2 }),
  },
};

const [T, N, I, H] = [5, 3, 4, 3];
const lengths = [2, 5, 3];

/** Forward with states as a list. */
function call(layer: Layer, x: Tensor, states?: readonly Tensor[], rows?: readonly number[]): Result {
  const more = rows ? { lengths: rows } : {};
  if (layer instanceof LSTM) return layer.forward(x, states && { h: states[0]!, c: states[1]! }, more);
  return layer.forward(x, states?.[0], more);
}

/** Initial states of the right shapes. */
function statesFor(layer: Layer, rows: number | null): Tensor[] {
  const count = layer.numLayers * (layer.bidirectional ? 2 : 1);
  const sizes = layer instanceof LSTM ? [layer.projSize || H, H] : [H];
  return sizes.map((size) => randn(rows === null ? [count, size] : [count, rows, size]));
}

describe.each(Object.entries(kinds))("%s", (name, { gates, options: own, make }) => {
  const out = own.projSize ?? H;

  test.each<[string, Options, { unbatched?: boolean; states?: boolean; lengths?: boolean }]>([
    ["one layer", {}, {}],
    ["initial states", {}, { states: true }],
    ["no bias", { bias: false }, { states: true }],
    ["three layers", { numLayers: 3 }, { states: true }],
    ["both directions", { bidirectional: true }, { states: true }],
    ["batch first", { batchFirst: true, numLayers: 2, bidirectional: true }, { states: true }],
    ["no batch", { numLayers: 2, bidirectional: true, batchFirst: true }, { unbatched: true, states: true }],
    ["lengths", {}, { states: true, lengths: true }],
    ["lengths, all options", { numLayers: 2, bidirectional: true, batchFirst: true, bias: false }, { lengths: true }],
  ])("is the plain loop: %s", async (_, options, given) => {
    manualSeed(1);
    const layer = make(I, H, options);
    const x = randn(given.unbatched ? [T, I] : options.batchFirst ? [N, T, I] : [T, N, I]);
    const states = given.states ? statesFor(layer, given.unbatched ? null : N) : undefined;
    const got = call(layer, x, states, given.lengths ? lengths : undefined);
    const directions = options.bidirectional ? 2 : 1;
    expect(got.output.shape).toEqual([...x.shape.slice(0, -1), out * directions]);
    const want = await plainLoop(layer, x, states, given.lengths ? lengths : undefined);
    await near(got.output, want.output);
    await near(got.h, want.states[0]!);
    if (got.c) await near(got.c, want.states[1]!);
  });

  test.each<[string, Options, boolean]>([
    ["one layer", {}, false],
    ["two layers, both directions, lengths", { numLayers: 2, bidirectional: true }, true],
  ])("gradients agree with finite differences: %s", async (_, options, padded) => {
    manualSeed(2);
    const steps = 3;
    const layer = make(2, H, options);
    // relu has a kink: stay away from it by keeping its sums positive.
    const [relu, x] = name === "RNN relu" ? [true, rand([steps, N, 2])] : [false, randn([steps, N, 2])];
    if (relu) for (const p of layer.parameters()) p.value = p.value.abs();
    const states = statesFor(layer, N).map((s) => (relu ? s.abs() : s));
    const f = (...[xs, ...ss]: Tensor[]) => {
      const { output, h, c } = call(layer, xs!, ss.slice(0, states.length), padded ? [2, 3, 1] : undefined);
      return [output, h, ...(c ? [c] : [])].map((t) => t.square().sum()).reduce((a, b) => a.add(b));
    };
    await checkGradients(f, [x, ...states, ...layer.parameters()], { samples: 5 });
  });

  test.each([false, true])("compiled is eager (lengths: %s)", async (padded) => {
    manualSeed(3);
    const layer = make(I, H, { numLayers: 2, bidirectional: true });
    const x = randn([T, N, I]);
    const step = (x: Tensor) => {
      const wrt = [x, ...layer.parameters()];
      return valueAndGrad(() => {
        const { output, h } = call(layer, x, undefined, padded ? lengths : undefined);
        return output.sin().sum().add(h.square().sum());
      }, wrt);
    };
    const [value, gradients] = step(x);
    const compiled = compile(step);
    compiled(x);
    const [again, others] = compiled(x);
    expect(await again.item()).toBeCloseTo(await value.item(), 4);
    for (const [i, g] of gradients.entries()) await near(others[i]!, await numbers(g), 1e-5);
  });

  test("state has PyTorch's keys, in its order, with its shapes", () => {
    const wide = gates * H;
    const keys = (end: string, size: number): [string, number[]][] => [
      [`weight_ih_${end}`, [wide, size]],
      [`weight_hh_${end}`, [wide, out]],
      [`bias_ih_${end}`, [wide]],
      [`bias_hh_${end}`, [wide]],
      ...(own.projSize ? [[`weight_hr_${end}`, [out, H]] as [string, number[]]] : []),
    ];
    const shapes = (layer: Layer) => Object.entries(layer.stateDict()).map(([key, t]) => [key, t.shape]);
    expect(shapes(make(I, H))).toEqual(keys("l0", I));
    expect(shapes(make(I, H, { numLayers: 2, bidirectional: true }))).toEqual([
      ...keys("l0", I),
      ...keys("l0_reverse", I),
      ...keys("l1", 2 * out),
      ...keys("l1_reverse", 2 * out),
    ]);
    expect(shapes(make(I, H, { bias: false }))).toEqual(keys("l0", I).filter(([key]) => !key.startsWith("bias")));
  });

  test("a state dict moves to another layer", async () => {
    const [a, b] = [make(I, H, { bidirectional: true }), make(I, H, { bidirectional: true })];
    b.loadStateDict(a.stateDict());
    const x = randn([T, N, I]);
    await near(call(b, x).output, await numbers(call(a, x).output), 0);
  });

  test("parameters start uniform on ±1/√hiddenSize", async () => {
    for (const p of make(64, 16, { numLayers: 2 }).parameters()) {
      const values = await numbers(p.value);
      const most = Math.max(...values.map(Math.abs));
      expect(most).toBeLessThanOrEqual(0.25);
      expect(most).toBeGreaterThan(0.15);
      const mean = values.reduce((a, b) => a + b, 0) / values.length;
      expect(Math.abs(mean)).toBeLessThan(1 / Math.sqrt(values.length));
    }
  });

  test("dropout works between layers, in training only", async () => {
    manualSeed(4);
    const layer = make(I, 16, { numLayers: 2, dropout: 0.5 });
    const plain = make(I, 16, { numLayers: 2 });
    plain.loadStateDict(layer.stateDict());
    const x = randn([T, N, I]);
    const want = await numbers(call(plain, x).output);
    layer.eval();
    await near(call(layer, x).output, want, 0);
    layer.train();
    const [one, two] = [await numbers(call(layer, x).output), await numbers(call(layer, x).output)];
    expect(distance(one, want)).toBeGreaterThan(1e-3);
    expect(distance(one, two)).toBeGreaterThan(1e-3);
    // The last layer's output is not dropped, nor is the first layer's final state.
    if (name !== "RNN relu") expect(one.filter((v) => v === 0)).toHaveLength(0);
    await near(call(layer, x).h.select(0, 0), await numbers(call(plain, x).h.select(0, 0)), 0);
    const single = make(I, H, { dropout: 0.9 });
    await near(call(single, x).output, await numbers(call(single.eval(), x).output), 0);
  });

  test("dropout stays random in a compiled step", async () => {
    const layer = make(I, 16, { numLayers: 2, dropout: 0.5 });
    const run = compile((x: Tensor) => call(layer, x).output);
    const x = randn([T, N, I]);
    const [one, two] = [await numbers(run(x)), await numbers(run(x))];
    expect(distance(one, two)).toBeGreaterThan(1e-3);
    layer.eval();
    expect(distance(await numbers(run(x)), await numbers(run(x)))).toBe(0);
  });

  test("one dropped whole leaves the second layer only its biases and state", async () => {
    const layer = make(I, H, { numLayers: 2, dropout: 1 });
    const [a, b] = [call(layer, randn([T, N, I])), call(layer, randn([T, N, I]))];
    await near(a.output, await numbers(b.output), 0);
  });

  test("each row with a length is the row cut there, alone", async () => {
    const layer = make(I, H, { numLayers: 2, bidirectional: true });
    const x = randn([T, N, I]);
    const states = statesFor(layer, N);
    const all = call(layer, x, states, lengths);
    for (const [row, n] of lengths.entries()) {
      const alone = call(
        layer,
        x.slice([[0, n]]).select(1, row),
        states.map((s) => s.select(1, row)),
      );
      await near(all.output.select(1, row).slice([[0, n]]), await numbers(alone.output), 1e-6);
      await near(all.h.select(1, row), await numbers(alone.h), 1e-6);
      if (all.c) await near(all.c.select(1, row), await numbers(alone.c!), 1e-6);
      const past = await numbers(all.output.select(1, row).slice([[n]]));
      expect(past.every((v) => v === 0)).toBe(true);
    }
  });

  test("what stands in the padding does not matter, not even NaN, and has gradient 0", async () => {
    const layer = make(I, H, { numLayers: 2, bidirectional: true });
    const x = randn([T, N, I]);
    const inside = tensor(Array.from({ length: T }, (_, t) => lengths.map((n) => [t < n ? 1 : 0])));
    const dirty = x.maskedFill(inside.eq(0), Number.NaN);
    const run = (x: Tensor) =>
      valueAndGrad(() => call(layer, x, undefined, lengths).output.square().sum(), [x, ...layer.parameters()]);
    const [[value, gradients], [same, others]] = [run(x), run(dirty)];
    expect(await same.item()).toBe(await value.item());
    for (const [i, g] of gradients.entries()) await near(others[i]!, await numbers(g), 0);
    const [gx, mask] = [await numbers(gradients[0]!), await numbers(inside.expand([T, N, I]))];
    expect(gx.filter((g, i) => mask[i] === 0 && g !== 0)).toHaveLength(0);
  });

  test("lengths may be a tensor, and full lengths are none", async () => {
    const layer = make(I, H, { bidirectional: true });
    const x = randn([T, N, I]);
    const run = compile((x: Tensor, n: Tensor) => (layer as RNN).forward(x, undefined, { lengths: n }).output);
    for (const list of [lengths, [5, 5, 5], [1, 4, 2]]) {
      await near(run(x, tensor(Int32Array.from(list))), await numbers(call(layer, x, undefined, list).output), 1e-6);
    }
    await near(call(layer, x, undefined, [T, T, T]).output, await numbers(call(layer, x).output), 0);
  });

  test("the final state goes on where the sequence stopped", async () => {
    const layer = make(I, H, { numLayers: 2 });
    const x = randn([T, N, I]);
    const head = call(layer, x.slice([[0, 2]]));
    const tail = call(layer, x.slice([[2]]), [head.h, ...(head.c ? [head.c] : [])]);
    const whole = call(layer, x);
    await near(tail.output, await numbers(whole.output.slice([[2]])), 1e-6);
    await near(tail.h, await numbers(whole.h), 1e-6);
  });

  test("training steps leave no memory behind", () => {
    const layer = make(I, H, { numLayers: 2, bidirectional: true });
    const x = randn([T, N, I]);
    const step = () =>
      scope(() => void valueAndGrad(() => call(layer, x, undefined, lengths).output.sum(), layer.parameters()));
    step();
    const before = memory().tensors;
    for (let i = 0; i < 5; i++) step();
    expect(memory().tensors).toBe(before);
  });
});

// ── a plain loop over numbers, from PyTorch's documentation ───────────────────────────────────────

type Row = number[];

async function plainLoop(layer: Layer, x: Tensor, given: readonly Tensor[] | undefined, rows?: readonly number[]) {
  const raw = (await x.toArray()) as never;
  const batched = x.rank === 3;
  const xs: Row[][] = batched ? raw : (raw as Row[]).map((row) => [row]); // [t][n] or, batch first, [n][t]
  const swap = batched && layer.batchFirst;
  const [steps, batch] = swap ? [xs[0]!.length, xs.length] : [xs.length, xs[0]!.length];
  let input = Array.from({ length: batch }, (_, n) =>
    Array.from({ length: steps }, (_, t) => (swap ? xs[n]![t]! : xs[t]![n]!)),
  );
  const weights: Record<string, number[][]> = {};
  for (const [key, v] of layer.namedVariables() as Map<string, Variable>)
    weights[key] = (await v.value.toArray()) as number[][];
  const starts = await Promise.all((given ?? []).map(async (s) => (await s.toArray()) as never));
  const directions = layer.bidirectional ? ["", "_reverse"] : [""];
  const finals: Row[][][] = [];
  for (let k = 0; k < layer.numLayers; k++) {
    const outputs = input.map((row) => row.map((): Row => []));
    for (const [d, end] of directions.entries()) {
      const w = (name: string) => weights[`${name}_l${k}${end}`];
      const at = k * directions.length + d;
      const ends = input.map((row, n) => {
        const start = starts.map((s) => [...((batched ? (s as Row[][])[at]![n] : (s as Row[])[at]) as Row)]);
        let state = start.length > 0 ? start : startOf(layer);
        const length = rows?.[n] ?? steps;
        for (let i = 0; i < length; i++) {
          const t = d === 0 ? i : length - 1 - i;
          state = plainStep(layer, w, row[t]!, state);
          outputs[n]![t]!.push(...state[0]!);
        }
        for (let t = length; t < steps; t++) outputs[n]![t]!.push(...state[0]!.map(() => 0));
        return state;
      });
      finals.push(ends);
    }
    input = outputs;
  }
  const output = swap ? input.flat(2) : Array.from({ length: steps }, (_, t) => input.map((row) => row[t]!)).flat(2);
  const states = finals[0]![0]!.map((_, s) => finals.flatMap((ends) => ends.flatMap((state) => state[s]!)));
  return { output, states };
}

function startOf(layer: Layer): Row[] {
  const zeros = (n: number) => new Array<number>(n).fill(0);
  return layer instanceof LSTM
    ? [zeros(layer.projSize || layer.hiddenSize), zeros(layer.hiddenSize)]
    : [zeros(layer.hiddenSize)];
}

/** One row, one step: the next states. */
function plainStep(layer: Layer, w: (name: string) => number[][] | undefined, x: Row, [h, c]: Row[]): Row[] {
  const size = layer.hiddenSize;
  const from = (matrix: number[][], bias: number[][] | undefined, v: Row) =>
    matrix.map((row, j) => row.reduce((sum, m, i) => sum + m * v[i]!, Number(bias?.[j] ?? 0)));
  const a = from(w("weight_ih")!, w("bias_ih"), x);
  const b = from(w("weight_hh")!, w("bias_hh"), h!);
  const sigma = (v: number) => 1 / (1 + Math.exp(-v));
  const units = Array.from({ length: size }, (_, j) => j);
  if (layer instanceof GRU) {
    return [
      units.map((j) => {
        const r = sigma(a[j]! + b[j]!);
        const z = sigma(a[size + j]! + b[size + j]!);
        const n = Math.tanh(a[2 * size + j]! + r * b[2 * size + j]!);
        return (1 - z) * n + z * h![j]!;
      }),
    ];
  }
  if (layer instanceof LSTM) {
    const gate = (k: number, j: number) => a[k * size + j]! + b[k * size + j]!;
    const next = units.map((j) => sigma(gate(1, j)) * c![j]! + sigma(gate(0, j)) * Math.tanh(gate(2, j)));
    const out = units.map((j) => sigma(gate(3, j)) * Math.tanh(next[j]!));
    return [layer.projSize ? from(w("weight_hr")!, undefined, out) : out, next];
  }
  return [units.map((j) => (layer.nonlinearity === "tanh" ? Math.tanh(a[j]! + b[j]!) : Math.max(0, a[j]! + b[j]!)))];
}

async function numbers(t: Tensor): Promise<number[]> {
  return Array.from(await t.read());
}

function distance(a: readonly number[], b: readonly number[]): number {
  return a.length === b.length ? Math.max(0, ...a.map((v, i) => Math.abs(v - b[i]!))) : Number.POSITIVE_INFINITY;
}

async function near(got: Tensor, want: readonly number[], tolerance = 2e-6): Promise<void> {
  expect(distance(await numbers(got), want)).toBeLessThanOrEqual(tolerance);
}

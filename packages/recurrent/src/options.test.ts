// What PyTorch's layers do not have: the reset gate before the product, peepholes, variational dropout, merged directions, initial
// states that are learned, masks. All at once and at random, values and gradients, against single rows taken step by step.

import { wasm } from "@nn/backend-wasm";
import { dropout } from "@nn/layers";
import {
  cat,
  checkGradients,
  compile,
  getBackend,
  grad,
  manualSeed,
  matmul,
  ones,
  randn,
  reference as referenceBackend,
  setBackend,
  split,
  stack,
  type Tensor,
  tensor,
  valueAndGrad,
  zeros,
} from "@nn/tensor";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { GRU, GRUCell, gateActivations, gradientNorms, LSTM, LSTMCell, type Merge, RNN, stream } from "./index.js";
import { recurrentKernels } from "./wasm/index.js";

type Layer = RNN | GRU | LSTM;
const [I, H, SEED] = [3, 4, 9];

interface Case {
  readonly kind: "RNN" | "GRU" | "GRU before" | "LSTM" | "LSTM peepholes" | "LSTM peepholes projSize";
  readonly numLayers: number;
  readonly bias: boolean;
  readonly merge: Merge | "one direction";
  readonly recurrentDropout: number;
  readonly learnInitialState: boolean;
  readonly batchFirst: boolean;
  /** Rows of steps: which count. */
  readonly mask: readonly (readonly boolean[])[];
  readonly given: "nothing" | "a mask" | "lengths";
}

const cases = fc.record({
  kind: fc.constantFrom("RNN", "GRU", "GRU before", "LSTM", "LSTM peepholes", "LSTM peepholes projSize" as const),
  numLayers: fc.integer({ min: 1, max: 2 }),
  bias: fc.boolean(),
  merge: fc.constantFrom("one direction", "concat", "sum", "mean" as const),
  recurrentDropout: fc.constantFrom(0, 0.4),
  learnInitialState: fc.boolean(),
  batchFirst: fc.boolean(),
  mask: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 4 })).chain(([rows, steps]) => {
    const row = fc.array(fc.boolean(), { minLength: steps, maxLength: steps });
    return fc.array(row, { minLength: rows, maxLength: rows });
  }),
  given: fc.constantFrom("nothing", "a mask", "lengths" as const),
}) as fc.Arbitrary<Case>;

function make({ kind, merge, ...rest }: Case): Layer {
  const options = { ...rest, ...(merge === "one direction" ? {} : { bidirectional: true, merge }) };
  const layer =
    kind === "RNN"
      ? new RNN(I, H, options)
      : kind.startsWith("GRU")
        ? new GRU(I, H, { ...options, resetAfter: kind === "GRU" })
        : new LSTM(I, H, {
            ...options,
            peepholes: kind.includes("peepholes"),
            projSize: kind.endsWith("projSize") ? 2 : 0,
          });
  for (const v of layer.parameters()) v.value = randn(v.shape).mul(0.6);
  return layer;
}

/** What of a case's mask counts, as it is given. */
function counting({ given, mask }: Case): boolean[][] {
  if (given === "nothing") return mask.map((row) => row.map(() => true));
  if (given === "a mask") return mask.map((row) => [...row]);
  return mask.map((row) => row.map((_, t) => t < lengthOf(row)));
}
const lengthOf = (row: readonly boolean[]) => Math.max(1, row.filter(Boolean).length);

function forward(layer: Layer, x: Tensor, c: Case): Tensor[] {
  const options =
    c.given === "lengths"
      ? { lengths: c.mask.map(lengthOf) }
      : c.given === "a mask"
        ? { mask: maskTensor(c, layer.batchFirst) }
        : {};
  return Object.values((layer as RNN).forward(x, undefined, options));
}
const maskTensor = ({ mask }: Case, batchFirst: boolean): Tensor => {
  const t = tensor(mask.map((row) => row.map(Number))).eq(1);
  return batchFirst ? t : t.transpose(0, 1);
};

// ── the reference: one row, one step ───────────────────────────────────────────────────────────────

/** The next states of one row, (1, …) each. */
function step(layer: Layer, end: string, x: Tensor, [h, c]: Tensor[], factors: Tensor | null): Tensor[] {
  const w = (name: string) => layer[`weight_${name}_${end}`]!.value.transpose();
  const b = (name: "ih" | "hh", k: number) =>
    layer.bias ? layer[`bias_${name}_${end}`]!.value.slice([[k * H, (k + 1) * H]]) : 0;
  const seen = factors ? h!.mul(factors) : h!;
  const ofX = (k: number) => matmul(x, split(w("ih"), H, 1)[k]!).add(b("ih", k));
  const ofH = (k: number, h = seen) => matmul(h, split(w("hh"), H, 1)[k]!).add(b("hh", k));
  if (layer instanceof GRU) {
    const [r, z] = [0, 1].map((k) => ofX(k).add(ofH(k)).sigmoid()) as [Tensor, Tensor];
    const n = ofX(2)
      .add(layer.resetAfter ? r.mul(ofH(2)) : ofH(2, r.mul(seen)))
      .tanh();
    return [n.mul(z.neg().add(1)).add(z.mul(h!))];
  }
  if (layer instanceof LSTM) {
    const see = (gate: string, c: Tensor) => (layer.peepholes ? c.mul(layer[`weight_c${gate}_${end}`]!.value) : 0);
    const [i, f, g, o] = [0, 1, 2, 3].map((k) => ofX(k).add(ofH(k))) as [Tensor, Tensor, Tensor, Tensor];
    const next = f
      .add(see("f", c!))
      .sigmoid()
      .mul(c!)
      .add(i.add(see("i", c!)).sigmoid().mul(g.tanh()));
    const out = o.add(see("o", next)).sigmoid().mul(next.tanh());
    return [layer.projSize ? matmul(out, w("hr")) : out, next];
  }
  return [ofX(0).add(ofH(0)).tanh()];
}

/** The whole layer, row by row: output (T, N, …) and final states. */
function reference(layer: Layer, x: Tensor, counts: readonly (readonly boolean[])[]): Tensor[] {
  const directions = layer.bidirectional ? ["", "_reverse"] : [""];
  const out = layer.projSize || H;
  const [rows, steps] = [counts.length, counts[0]!.length];
  const sizes = layer instanceof LSTM ? [out, H] : [out];
  let input = Array.from({ length: rows }, (_, n) =>
    Array.from({ length: steps }, (_, t) => x.select(0, t).slice([[n, n + 1]])),
  );
  const finals: Tensor[][] = sizes.map(() => []);
  for (let k = 0; k < layer.numLayers; k++) {
    const both = directions.map((direction, d) => {
      const p = layer.training ? layer.recurrentDropout : 0;
      const factors = p > 0 ? dropout(ones([rows, out]), p) : null;
      const at = k * directions.length + d;
      const ends = input.map((row, n) => {
        let state = sizes.map((size, s) => (s ? layer.c0 : layer.h0)?.value.select(0, at) ?? zeros([1, size]));
        const outputs: Tensor[] = row.map(() => zeros([1, out]));
        for (const t of d === 0 ? row.keys() : [...row.keys()].reverse()) {
          if (!counts[n]![t]) continue;
          state = step(layer, `l${k}${direction}`, row[t]!, state, factors?.slice([[n, n + 1]]) ?? null);
          outputs[t] = state[0]!;
        }
        return { state, outputs };
      });
      for (const s of sizes.keys()) finals[s]!.push(cat(ends.map((e) => e.state[s]!)));
      return ends.map((e) => e.outputs);
    });
    input = both[0]!.map((row, n) =>
      row.map((a, t) => {
        const b = both[1]?.[n]?.[t];
        if (!b) return a;
        return layer.merge === "concat" ? cat([a, b], 1) : layer.merge === "sum" ? a.add(b) : a.add(b).div(2);
      }),
    );
  }
  const output = stack(input[0]!.map((_, t) => cat(input.map((row) => row[t]!))));
  return [layer.batchFirst ? output.transpose(0, 1) : output, ...finals.map((list) => stack(list))];
}

const total = (outs: readonly Tensor[]) =>
  outs
    .map((t, k) =>
      t
        .add(0.3 * k)
        .square()
        .sum(),
    )
    .reduce((a, b) => a.add(b));
const list = (t: Tensor) => Array.from(t.readSync());
const near = (t: Tensor, digits: number) => list(t).map((v) => expect.closeTo(v, digits));

// ───────────────────────────────────────────────────────────────────────────────────────────────────

describe("layers with all options", () => {
  const before = getBackend();
  afterEach(() => setBackend(before));

  it.each([
    ["the reference backend", 30, () => referenceBackend()],
    ["WebAssembly", 12, () => wasm({ kernels: recurrentKernels, threads: 1 })],
  ] as const)("are their steps, in values and gradients, eager and compiled, on %s", async (_, numRuns, backend) => {
    setBackend(await backend());
    let n = 0;
    fc.assert(
      fc.property(cases, (c) => {
        manualSeed(SEED);
        const layer = make(c);
        const x = randn([c.mask[0]!.length, c.mask.length, I]);
        const given = c.batchFirst ? x.transpose(0, 1) : x;
        const counts = counting(c);
        const wrt = (x: Tensor) => [x, ...layer.parameters()];
        const ours = (x: Tensor) => {
          let outs: Tensor[] = [];
          const [value, gradients] = valueAndGrad(() => {
            outs = forward(layer, layer.batchFirst ? x.transpose(0, 1) : x, c);
            return total(outs);
          }, wrt(x));
          return [value, ...gradients];
        };
        manualSeed(SEED);
        const want = reference(layer, x, counts);
        manualSeed(SEED);
        const gradients = grad(() => total(reference(layer, x, counts)), wrt(x));
        manualSeed(SEED);
        expect(forward(layer, given, c).map(list)).toEqual(want.map((t) => near(t, 5)));
        manualSeed(SEED);
        expect(ours(x).slice(1).map(list)).toEqual(gradients.map((t) => near(t, 3)));
        if (n++ % 4 > 0) return; // compiling takes its time
        manualSeed(SEED);
        expect(compile(ours)(x).slice(1).map(list)).toEqual(gradients.map((t) => near(t, 3)));
      }),
      { numRuns, seed: 4 },
    );
  });
});

it("streams are the whole sequence to the last bit, with any option", async () => {
  const before = getBackend();
  try {
    for (const backend of [referenceBackend(), await wasm({ kernels: recurrentKernels, threads: 1 })]) {
      setBackend(backend);
      for (const layer of [
        new GRU(I, H, { resetAfter: false, numLayers: 2 }),
        new LSTM(I, H, { peepholes: true, projSize: 2, recurrentDropout: 0.5 }),
        new RNN(I, H, { learnInitialState: true }),
      ]) {
        for (const v of layer.parameters()) v.value = randn(v.shape);
        const x = randn([5, 1, I]);
        const live = stream(layer);
        const steps = [0, 1, 2, 3, 4].map((t) => Array.from(live.step(x.select(0, t).readSync() as Float32Array)));
        expect(steps.flat()).toEqual(list(layer.eval().forward(x).output));
        live.dispose();
      }
    }
  } finally {
    setBackend(before);
  }
});

describe("the reset gate before the product", () => {
  it("has a cell that is one step of the layer", async () => {
    const [layer, cell] = [new GRU(I, H, { resetAfter: false }), new GRUCell(I, H, { resetAfter: false })];
    share(layer, cell);
    const x = randn([3, 2, I]);
    let h = cell.initialState(2);
    for (let t = 0; t < 3; t++) h = cell.forward(x.select(0, t), h);
    expect(list(h)).toEqual(near(layer.forward(x).h, 5));
    expect(list(cell.forward(x.select(0, 0).select(0, 1)))).toEqual(
      near(layer.forward(x).output.select(0, 0).select(0, 1), 5),
    );
    await checkGradients((x, h) => cell.forward(x, h), [randn([2, I]), randn([2, H]), ...cell.parameters()]);
  });

  it("differs from the one behind it, but not in its parameters", () => {
    const [before, after] = [new GRU(I, H, { resetAfter: false }), new GRU(I, H)];
    before.loadStateDict(after.stateDict());
    expect(Object.keys(before.stateDict())).toEqual(Object.keys(after.stateDict()));
    const x = randn([5, 2, I]);
    const apart = before.forward(x).h.sub(after.forward(x).h).abs().max();
    expect(apart.readSync()[0]).toBeGreaterThan(1e-3);
  });
});

describe("peepholes", () => {
  it("are 0 at first: a plain LSTM with three weights more", () => {
    const [layer, plain] = [
      new LSTM(I, H, { peepholes: true, bidirectional: true }),
      new LSTM(I, H, { bidirectional: true }),
    ];
    expect(Object.keys(layer.stateDict()).filter((key) => key.includes("_c"))).toEqual(
      ["l0", "l0_reverse"].flatMap((end) => ["i", "f", "o"].map((gate) => `weight_c${gate}_${end}`)),
    );
    expect(() => layer.loadStateDict(plain.stateDict())).toThrow("weight_ci_l0");
    expect(() => plain.loadStateDict(layer.stateDict())).toThrow("weight_ci_l0");
    layer.loadStateDict(plain.stateDict(), { strict: false });
    const x = randn([5, 2, I]);
    expect(list(layer.forward(x).output)).toEqual(near(plain.forward(x).output, 5));
  });

  it("are in the cell, too", async () => {
    const [layer, cell] = [new LSTM(I, H, { peepholes: true }), new LSTMCell(I, H, { peepholes: true })];
    for (const v of layer.parameters()) v.value = randn(v.shape);
    share(layer, cell);
    expect([cell.peepholes, new LSTMCell(I, H).peepholes]).toEqual([true, false]);
    const x = randn([3, 2, I]);
    let state = cell.initialState(2);
    for (let t = 0; t < 3; t++) state = cell.forward(x.select(0, t), state);
    const { h, c } = layer.forward(x);
    expect([state.h, state.c].map(list)).toEqual([h, c].map((t) => near(t, 4)));
    const both = (x: Tensor, h: Tensor, c: Tensor) => Object.values(cell.forward(x, { h, c }));
    await checkGradients(
      (x, h, c) => total(both(x, h, c)),
      [randn([2, I]), h.squeeze(0), c.squeeze(0), ...cell.parameters()],
    );
  });
});

it("forgetBias moves the forget gate's part of bias_ih, and nothing else", () => {
  const made = (options: object) => {
    manualSeed(1);
    return [new LSTM(I, H, { ...options, numLayers: 2 }), new LSTMCell(I, H, options)];
  };
  const [plain, moved] = [made({}), made({ forgetBias: 1.5 })];
  for (const [k, m] of moved.entries()) {
    const before = plain[k]!.stateDict();
    for (const [key, t] of Object.entries(m.stateDict())) {
      const want = list(before[key]!).map((v, i) => (key.startsWith("bias_ih") && i >= H && i < 2 * H ? v + 1.5 : v));
      expect(list(t)).toEqual(want.map((v) => expect.closeTo(v, 6)));
    }
  }
});

describe("variational dropout", () => {
  it("is off in evaluation, where it costs nothing, and draws anew each time in a compiled step", () => {
    const layer = new LSTM(I, 16, { recurrentDropout: 0.5 });
    const plain = new LSTM(I, 16);
    plain.loadStateDict(layer.stateDict());
    const x = randn([4, 2, I]);
    const run = compile((x: Tensor) => layer.forward(x).output);
    expect(list(run(x))).not.toEqual(list(run(x)));
    layer.eval();
    expect(list(run(x))).toEqual(near(plain.forward(x).output, 5));
    expect(list(layer.forward(x).output)).toEqual(list(plain.forward(x).output));
  });

  it("drops all that comes from the state with probability 1", () => {
    const layer = new RNN(I, H, { recurrentDropout: 1 });
    const x = randn([4, 2, I]);
    const single = stack([0, 1, 2, 3].map((t) => layer.forward(x.slice([[t, t + 1]])).output.squeeze(0)));
    expect(list(layer.forward(x).output)).toEqual(near(single, 5));
  });
});

describe("initial states that are learned", () => {
  it("are parameters (layers · directions, 1, size), 0 at first, and stay behind what is given", () => {
    const layer = new LSTM(I, H, { learnInitialState: true, bidirectional: true, projSize: 2 });
    const plain = new LSTM(I, H, { bidirectional: true, projSize: 2 });
    plain.loadStateDict(layer.stateDict(), { strict: false });
    const x = randn([3, 2, I]);
    expect(list(layer.forward(x).output)).toEqual(list(plain.forward(x).output));
    expect([layer.h0!.shape, layer.c0!.shape]).toEqual([
      [2, 1, 2],
      [2, 1, H],
    ]);
    expect(Object.keys(layer.stateDict()).slice(-2)).toEqual(["h0", "c0"]);
    layer.h0!.value = randn([2, 1, 2]);
    const given = { h: randn([2, 2, 2]), c: randn([2, 2, H]) };
    expect(list(layer.forward(x, given).output)).toEqual(list(plain.forward(x, given).output));
    const alone = layer.forward(x.select(1, 0)).output;
    expect(list(alone)).toEqual(near(layer.forward(x).output.select(1, 0), 5));
    expect(new GRU(I, H, { learnInitialState: true }).c0).toBeNull();
  });
});

describe("looking inside", () => {
  it("shows the gates of layers with any option", () => {
    const layer = new LSTM(I, H, { peepholes: true, recurrentDropout: 0.5 });
    for (const v of layer.parameters()) v.value = randn(v.shape);
    const x = randn([3, 2, I]);
    const { gates, output } = gateActivations(layer, () => layer.forward(x))[0]!;
    // o · tanh(c) is the output, so that c is known: i, f and g give the next one.
    const u = output.div(gates.o!);
    const cells = u.add(1).div(u.neg().add(1)).log().div(2);
    const [before, after] = [0, 1].map((t) => cells.select(0, t)) as [Tensor, Tensor];
    const next = gates
      .f!.select(0, 1)
      .mul(before)
      .add(gates.i!.select(0, 1).mul(gates.g!.select(0, 1)));
    expect(list(next)).toEqual(near(after, 2));
  });

  it("measures gradients of them, too", () => {
    const layer = new GRU(I, H, { resetAfter: false });
    const x = randn([5, 2, I]);
    const { norms } = gradientNorms(layer, () => layer.forward(x, undefined, { lengths: [5, 2] }).h.sum())[0]!;
    expect(list(norms).every((v) => v > 0)).toBe(true);
  });
});

/** The cell's parameters are a layer's, without the number of the layer. */
function share(layer: GRU | LSTM, cell: GRUCell | LSTMCell): void {
  const all = Object.entries(layer.stateDict()).map(([key, t]) => [key.replace("_l0", ""), t]);
  cell.loadStateDict(Object.fromEntries(all));
}

import {
  arange,
  checkGradients,
  compile,
  manualSeed,
  NNError,
  ones,
  rand,
  randn,
  type Tensor,
  tensor,
  zeros,
} from "@nn/tensor";
import { beforeEach, describe, expect, it } from "vitest";
import { MultiheadAttention } from "./multihead.js";
import { scaledDotProductAttention as attention } from "./scaled-dot-product.js";
import { AdditiveAttention, DotAttention } from "./sequence.js";

beforeEach(() => manualSeed(1));

const list = (t: Tensor) => Array.from(t.readSync(), Number);
const near = (t: Tensor) => Array.from(t.readSync(), (v) => expect.closeTo(v, 5));
type Matrix = number[][];
/** The matrices of a tensor's last two axes. */
const matrices = (t: Tensor): Matrix[] => {
  const [rows, columns] = t.shape.slice(-2) as [number, number];
  const flat = list(t);
  return Array.from({ length: flat.length / (rows * columns) }, (_, n) =>
    Array.from({ length: rows }, (_, i) => flat.slice((n * rows + i) * columns, (n * rows + i + 1) * columns)),
  );
};
const dot = (a: number[], b: number[]) => a.reduce((sum, v, i) => sum + v * b[i], 0);

/** One attention, a number at a time: weights and output of scores (−Infinity: may not see). */
function naive(scores: Matrix, values: Matrix): { weights: Matrix; output: Matrix } {
  const weights = scores.map((row) => {
    const e = row.map((s) => Math.exp(s - Math.max(...row.filter(Number.isFinite))));
    const sum = e.reduce((a, b) => a + b);
    return e.map((v) => (row.some(Number.isFinite) ? v / sum : 0));
  });
  return {
    weights,
    output: weights.map((w) => values[0].map((_, d) => w.reduce((sum, v, j) => sum + v * values[j][d], 0))),
  };
}
const flat = (m: readonly Matrix[]) => m.flat(2).map((v) => expect.closeTo(v, 5));

describe("scaledDotProductAttention", () => {
  const make = () => [randn([2, 3, 4, 5]), randn([2, 3, 6, 5]), randn([2, 3, 6, 2])] as const;
  const reference = (
    q: Tensor,
    k: Tensor,
    v: Tensor,
    see: (i: number, j: number, s: number) => number,
    scale: number,
  ) => {
    const [qs, ks, vs] = [q, k, v].map(matrices);
    return qs.map((rows, n) => {
      const scores = rows.map((a, i) => ks[n].map((b, j) => see(i, j, dot(a, b) * scale)));
      return naive(scores, vs[n]).output;
    });
  };

  it("is its formula, eager and compiled, with a scale", () => {
    const [q, k, v] = make();
    const want = flat(reference(q, k, v, (_i, _j, s) => s, 1 / Math.sqrt(5)));
    expect(list(attention(q, k, v))).toEqual(want);
    expect(list(compile((q: Tensor) => attention(q, k, v))(q))).toEqual(want);
    expect(list(attention(q, k, v, { scale: 0.3 }))).toEqual(flat(reference(q, k, v, (_i, _j, s) => s, 0.3)));
  });

  it("heeds masks of bool and of numbers, −∞ among them, and causality", async () => {
    const [q, k, v] = make();
    const scale = 1 / Math.sqrt(5);
    const allowed = rand([4, 6]).gt(0.4);
    const added = randn([2, 1, 4, 6]);
    const [a, b] = [matrices(allowed)[0], matrices(added)];
    const hide = (i: number, j: number, s: number) => (a[i][j] ? s : Number.NEGATIVE_INFINITY);
    expect(list(attention(q, k, v, { attnMask: allowed }))).toEqual(flat(reference(q, k, v, hide, scale)));
    const numbers = tensor(a.map((row) => row.map((x) => (x ? 0.5 : Number.NEGATIVE_INFINITY))));
    expect(list(attention(q, k, v, { attnMask: numbers }))).toEqual(flat(reference(q, k, v, hide, scale)));
    const causal = (i: number, j: number, s: number) => (j <= i ? hide(i, j, s) : Number.NEGATIVE_INFINITY);
    expect(list(attention(q, k, v, { attnMask: allowed, isCausal: true }))).toEqual(
      flat(reference(q, k, v, causal, scale)),
    );
    const [qs, ks, vs] = [q, k, v].map(matrices);
    const want = qs.map((rows, n) => {
      const scores = rows.map((x, i) => ks[n].map((y, j) => dot(x, y) * scale + b[Math.floor(n / 3)][i][j]));
      return naive(scores, vs[n]).output;
    });
    expect(list(attention(q, k, v, { attnMask: added }))).toEqual(flat(want));
    await checkGradients((q, k, v, m) => attention(q, k, v, { attnMask: m, isCausal: true }), [q, k, v, added]);
  });

  it("gives 0, and gradients of 0, where no key may be seen", async () => {
    const [q, k, v] = [randn([2, 3]), randn([4, 3]), randn([4, 3])];
    for (const hidden of [arange(2).unsqueeze(1).ge(1), tensor([[Number.NEGATIVE_INFINITY], [0]])]) {
      const f = (q: Tensor, k: Tensor, v: Tensor) => attention(q, k, v, { attnMask: hidden });
      const y = list(f(q, k, v));
      expect(y.slice(0, 3)).toEqual([0, 0, 0]);
      expect(y.slice(3)).toEqual(list(attention(q, k, v)).slice(3));
      await checkGradients(f, [q, k, v]);
    }
  });

  it("does not see the order of the keys, nor the future if causal", () => {
    const [q, k, v] = make();
    const [turnedK, turnedV] = [k.flip(2), v.flip(2)];
    expect(list(attention(q, turnedK, turnedV))).toEqual(near(attention(q, k, v)));
    const late = arange(6).ge(2).unsqueeze(1); // keys 2 to 5
    const other = attention(q, k.add(late.cast("f32")), v.sub(late.cast("f32")), { isCausal: true });
    const same = (t: Tensor) => list(t.slice([null, null, [0, 2]]));
    expect(same(other)).toEqual(same(attention(q, k, v, { isCausal: true })));
  });

  it("drops weights, and scales the others", () => {
    const v = ones([1, 2000, 1]);
    const y = list(attention(zeros([500, 1, 1]), zeros([1, 2000, 1]), v, { dropoutP: 0.5 }));
    const mean = y.reduce((a, b) => a + b) / y.length;
    expect(mean).toBeCloseTo(1, 2);
    expect(Math.sqrt(y.reduce((a, b) => a + (b - mean) ** 2, 0) / y.length)).toBeCloseTo(1 / Math.sqrt(2000), 2);
    expect(list(attention(ones([2, 3]), ones([4, 3]), ones([4, 1]), { dropoutP: 1 }))).toEqual([0, 0]);
  });

  it("names the fault", () => {
    const x = zeros([4, 3]);
    expect(() => attention(x, zeros([4, 2]), x)).toThrow(
      "scaledDotProductAttention: expected query (…, L, E), key (…, S, E) and value (…, S, V), got (4, 3), (4, 2), (4, 3)",
    );
    expect(() => attention(x, x, x, { attnMask: zeros([3, 4]) })).toThrow(NNError);
    expect(() => attention(x, x, x, { attnMask: zeros([2, 4, 4]) })).toThrow(
      "a mask that broadcasts to (…, queries, keys) (4, 4)",
    );
    expect(() => attention(x, x, x, { attnMask: zeros([4, 4], { dtype: "i32" }) })).toThrow("a mask of dtype bool");
    expect(() => attention(x, x, x, { dropoutP: 2 })).toThrow("dropoutP from 0 to 1");
  });
});

describe("MultiheadAttention", () => {
  const [N, L, S, E, H] = [2, 3, 4, 6, 2];

  /** From the layer's state, one sample and head at a time, in float64; inputs (N, length, features). */
  function reference(
    layer: MultiheadAttention,
    inputs: readonly Tensor[],
    see: (n: number, h: number, i: number, j: number) => number = () => 0,
  ): { output: Matrix[]; weights: Matrix[][] } {
    const state = layer.stateDict();
    const D = layer.embedDim / layer.numHeads;
    const whole = state.in_proj_weight && matrices(state.in_proj_weight)[0];
    const bias = state.in_proj_bias ? list(state.in_proj_bias) : new Array(3 * layer.embedDim).fill(0);
    const parts = ["q", "k", "v"].map((name, p) => {
      const w = whole
        ? whole.slice(p * layer.embedDim, (p + 1) * layer.embedDim)
        : matrices(state[`${name}_proj_weight`])[0];
      const rows = matrices(inputs[p]).map((m) =>
        m.map((x) => w.map((r, o) => dot(r, x) + bias[p * layer.embedDim + o])),
      );
      const extra = state[`bias_${name}`];
      return rows.map((m) => [
        ...m,
        ...(extra ? [list(extra)] : []),
        ...(layer.addZeroAttn && p > 0 ? [new Array<number>(layer.embedDim).fill(0)] : []),
      ]);
    });
    const out = matrices(state["out_proj.weight"])[0];
    const after = state["out_proj.bias"] ? list(state["out_proj.bias"]) : new Array(layer.embedDim).fill(0);
    const weights: Matrix[][] = [];
    const output = parts[0].map((queries, n) => {
      const cut = (m: Matrix, h: number) => m.map((x) => x.slice(h * D, (h + 1) * D));
      const heads = Array.from({ length: layer.numHeads }, (_, h) => {
        const [q, k, v] = parts.map((p) => cut(p[n], h));
        return naive(
          q.map((a, i) => k.map((b, j) => dot(a, b) / Math.sqrt(D) + see(n, h, i, j))),
          v,
        );
      });
      weights.push(heads.map((h) => h.weights));
      return queries.map((_, i) => {
        const joined = heads.flatMap((h) => h.output[i]);
        return out.map((r, o) => dot(r, joined) + after[o]);
      });
    });
    return { output, weights };
  }

  /** Parameters of which none is 0. */
  function stirred(layer: MultiheadAttention): MultiheadAttention {
    for (const p of layer.parameters()) p.value = randn(p.shape).mul(0.5);
    return layer;
  }
  const averaged = (heads: readonly Matrix[]) =>
    heads[0].map((row, i) => row.map((_, j) => heads.reduce((s, h) => s + h[i][j], 0) / heads.length));

  it("has PyTorch's state and initial values", () => {
    const shapes = (m: MultiheadAttention) => Object.entries(m.stateDict()).map(([k, t]) => `${k} ${t.shape}`);
    const layer = new MultiheadAttention(48, 4);
    expect(shapes(layer)).toEqual([
      "in_proj_weight 144,48",
      "in_proj_bias 144",
      "out_proj.weight 48,48",
      "out_proj.bias 48",
    ]);
    expect(shapes(new MultiheadAttention(6, 2, { bias: false, kdim: 3, addBiasKv: true }))).toEqual([
      "q_proj_weight 6,6",
      "k_proj_weight 6,3",
      "v_proj_weight 6,6",
      "bias_k 1,1,6",
      "bias_v 1,1,6",
      "out_proj.weight 6,6",
    ]);
    const most = (t: Tensor) => Math.max(...list(t.abs()));
    const state = layer.stateDict();
    expect(most(state.in_proj_weight)).toBeCloseTo(Math.sqrt(6 / (48 + 144)), 2);
    expect(most(state["out_proj.weight"])).toBeCloseTo(1 / Math.sqrt(48), 2);
    expect([most(state.in_proj_bias), most(state["out_proj.bias"])]).toEqual([0, 0]);
  });

  it("is its formula: of itself, of another sequence, with sizes of their own, in any order of the axes", () => {
    const [x, y, z] = [randn([N, L, E]), randn([N, S, E]), randn([N, S, 5])];
    const cases = [
      [new MultiheadAttention(E, H), [x, x, x]],
      [new MultiheadAttention(E, H, { bias: false }), [x, y, y]],
      [new MultiheadAttention(E, 3, { vdim: 5 }), [x, y, z]],
      [new MultiheadAttention(E, H, { addBiasKv: true, addZeroAttn: true }), [x, y, y]],
    ] as const;
    for (const [layer, inputs] of cases) {
      const { output, weights } = reference(stirred(layer), inputs);
      const options = { bias: layer.in_proj_bias !== null, addBiasKv: layer.bias_k !== null };
      const { kdim, vdim, addZeroAttn } = layer;
      const swapped = new MultiheadAttention(E, layer.numHeads, {
        ...options,
        kdim,
        vdim,
        addZeroAttn,
        batchFirst: true,
      });
      swapped.loadStateDict(layer.stateDict());
      const first = swapped.forward(...inputs);
      expect(list(first.output)).toEqual(flat(output));
      expect(list(first.weights!)).toEqual(flat(weights.map(averaged)));
      expect(list(swapped.forward(...inputs, { averageAttnWeights: false }).weights!)).toEqual(flat(weights.flat()));
      expect(swapped.forward(...inputs, { needWeights: false }).weights).toBe(null);
      const turned = inputs.map((t) => t.transpose(0, 1)) as [Tensor, Tensor, Tensor];
      expect(list(layer.forward(...turned).output.transpose(0, 1))).toEqual(flat(output));
      const alone = inputs.map((t) => t.select(0, 1)) as [Tensor, Tensor, Tensor];
      for (const m of [layer, swapped]) {
        const one = m.forward(...alone);
        expect([one.output.shape, list(one.output)]).toEqual([[L, E], flat([output[1]])]);
        expect(list(one.weights!)).toEqual(flat([averaged(weights[1])]));
      }
    }
    const layer = new MultiheadAttention(E, H);
    expect(list(layer.forward(x).output)).toEqual(near(layer.forward(x, x.mul(1), x.mul(1)).output));
  });

  it("heeds masks, PyTorch's way round", () => {
    const [x, y] = [randn([N, L, E]), randn([N, S, E])];
    const padding = tensor([
      [false, false, true, true],
      [false, false, false, false],
    ]);
    const perHead = rand([N * H, L, S]).gt(0.7);
    const [p, m] = [matrices(padding)[0], matrices(perHead)];
    const hidden = (yes: number) => (yes ? Number.NEGATIVE_INFINITY : 0);
    for (const more of [{}, { addBiasKv: true, addZeroAttn: true }]) {
      const layer = stirred(new MultiheadAttention(E, H, { batchFirst: true, ...more }));
      const { output, weights } = layer.forward(x, y, y, {
        keyPaddingMask: padding,
        attnMask: perHead,
        isCausal: true,
      });
      const want = reference(layer, [x, y, y], (n, h, i, j) =>
        j >= S ? 0 : hidden(Number(j > i)) + hidden(p[n][j]) + hidden(m[n * H + h][i][j]),
      );
      expect(list(output)).toEqual(flat(want.output));
      expect(list(weights!)).toEqual(flat(want.weights.map(averaged)));
    }
    const layer = stirred(new MultiheadAttention(E, H, { batchFirst: true }));
    const added = randn([L, S]);
    const [a] = matrices(added);
    expect(list(layer.forward(x, y, y, { attnMask: added }).output)).toEqual(
      flat(reference(layer, [x, y, y], (_n, _h, i, j) => a[i][j]).output),
    );
    const alone = layer.forward(x.select(0, 0), y.select(0, 0), undefined, { keyPaddingMask: padding.select(0, 0) });
    const cut = layer.forward(
      x.select(0, 0),
      y
        .slice([
          [0, 1],
          [0, 2],
        ])
        .squeeze(0),
    );
    expect(list(alone.output)).toEqual(near(cut.output));
  });

  it("has gradients, of masked rows too, and drops only in training", async () => {
    const layer = stirred(new MultiheadAttention(4, 2, { addBiasKv: true, dropout: 0.5, batchFirst: true })).eval();
    const [x, y] = [randn([2, 3, 4]), randn([2, 2, 4])];
    const keyPaddingMask = tensor([
      [true, true],
      [false, true],
    ]);
    const f = (x: Tensor, y: Tensor) => layer.forward(x, y, y, { keyPaddingMask }).output;
    await checkGradients(f, [x, y, ...layer.parameters()]);
    expect(list(compile(f)(x, y))).toEqual(near(f(x, y)));
    const before = list(f(x, y));
    expect(list(f(x, y))).toEqual(before);
    layer.train();
    expect(list(f(x, y))).not.toEqual(before);
  });

  it("names the fault", () => {
    expect(() => new MultiheadAttention(6, 4)).toThrow(
      "MultiheadAttention: expected numHeads that divides embedDim 6, got 4",
    );
    const layer = new MultiheadAttention(6, 2);
    expect(() => layer.forward(zeros([3, 2, 5]))).toThrow(
      "expected query (L, N, 6), key (S, N, 6) and value (S, N, 6), got (3, 2, 5), (3, 2, 5), (3, 2, 5)",
    );
    expect(() => layer.forward(zeros([3, 2, 6]), zeros([4, 1, 6]))).toThrow(NNError);
    const x = zeros([3, 2, 6]);
    expect(() => layer.forward(x, x, x, { keyPaddingMask: zeros([3, 2]) })).toThrow(
      "keyPaddingMask (2, 3), got (3, 2)",
    );
    expect(() => layer.forward(x, x, x, { attnMask: zeros([2, 3, 3]) })).toThrow(
      "attnMask (4, 3, 3) or (3, 3), got (2, 3, 3)",
    );
  });
});

describe("attention of sequences", () => {
  const [N, L, S, Q, K] = [2, 3, 4, 5, 3];
  const make = () => [randn([N, L, Q]), randn([N, S, K]), randn([N, S, 2])] as const;
  const mask = tensor([
    [false, true, false, true],
    [false, false, false, false],
  ]);
  const hidden = matrices(mask)[0].map((row) => row.map((v) => (v ? Number.NEGATIVE_INFINITY : 0)));

  it("adds: v·tanh(W·q + U·k)", async () => {
    const layer = new AdditiveAttention(Q, K, 6);
    const [q, k, v] = make();
    const { output, weights } = layer.forward(q, k, v, { keyPaddingMask: mask });
    const state = layer.stateDict();
    const [w, u, score] = ["queryProj", "keyProj", "score"].map((name) => matrices(state[`${name}.weight`])[0]);
    const bias = list(state["keyProj.bias"]);
    const [qs, ks, vs] = [q, k, v].map(matrices);
    const want = qs.map((rows, n) =>
      naive(
        rows.map((a) =>
          ks[n].map(
            (b, j) =>
              dot(
                score[0],
                w.map((r, i) => Math.tanh(dot(r, a) + dot(u[i], b) + bias[i])),
              ) + hidden[n][j],
          ),
        ),
        vs[n],
      ),
    );
    expect(list(output)).toEqual(flat(want.map((s) => s.output)));
    expect(list(weights)).toEqual(flat(want.map((s) => s.weights)));
    const projectedKeys = layer.keyProj.forward(k);
    const one = layer.forward(q.select(1, 1), k, v, { keyPaddingMask: mask, projectedKeys });
    expect([one.output.shape, one.weights.shape]).toEqual([
      [N, 2],
      [N, S],
    ]);
    expect(list(one.output)).toEqual(near(output.select(1, 1)));
    await checkGradients(
      (q, k, v) => layer.forward(q, k, v, { keyPaddingMask: mask }).output,
      [q, k, v, ...layer.parameters()],
    );
  });

  it("multiplies: q·k or (W·q)·k", () => {
    const [q, k, v] = make();
    const general = new DotAttention(Q, K, { scale: 0.5 });
    const [w] = matrices(general.stateDict()["proj.weight"]);
    const [qs, ks, vs] = [q, k, v].map(matrices);
    const want = qs.map((rows, n) =>
      naive(
        rows.map((a) =>
          ks[n].map(
            (b, j) =>
              0.5 *
                dot(
                  w.map((r) => dot(r, a)),
                  b,
                ) +
              hidden[n][j],
          ),
        ),
        vs[n],
      ),
    );
    expect(list(general.forward(q, k, v, { keyPaddingMask: mask }).output)).toEqual(flat(want.map((s) => s.output)));
    const plain = new DotAttention();
    expect(plain.parameters()).toEqual([]);
    const state = randn([N, K]);
    const { output, weights } = plain.forward(state, k);
    const same = attention(state.unsqueeze(1), k, k, { scale: 1 });
    expect(list(output)).toEqual(near(same.squeeze(1)));
    expect(weights.shape).toEqual([N, S]);
    // Padded keys might as well not be there.
    const short = k.slice([null, [0, 2]]);
    const padded = plain.forward(state, k, k, { keyPaddingMask: arange(S).ge(2).expand([N, S]) });
    expect(list(padded.output)).toEqual(near(plain.forward(state, short).output));
  });

  it("names the fault", () => {
    expect(() => new AdditiveAttention(5, 0, 2)).toThrow(
      "AdditiveAttention: expected keySize to be a whole number ≥ 1",
    );
    expect(() => new AdditiveAttention(Q, K, 2).forward(zeros([N, K]), zeros([N, S, K]))).toThrow(
      "AdditiveAttention: expected query (N, 5) or (N, L, 5), keys (N, S, 3) and values (N, S, V), got (2, 3), (2, 4, 3), (2, 4, 3)",
    );
    expect(() => new DotAttention().forward(zeros([N, Q]), zeros([N, S, K]))).toThrow("query (N, K) or (N, L, K)");
    expect(() =>
      new DotAttention().forward(zeros([N, K]), zeros([N, S, K]), undefined, { keyPaddingMask: zeros([N, 1]) }),
    ).toThrow("keyPaddingMask (2, 4), got (2, 1)");
  });
});

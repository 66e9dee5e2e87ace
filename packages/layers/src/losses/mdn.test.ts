import { checkGradients, compile, grad, manualSeed, randn, type Tensor, tensor, zeros } from "@nn/tensor";
import { beforeEach, describe, expect, it } from "vitest";
import { MDNLoss, mdn, mixtureOf } from "./mdn.js";

beforeEach(() => manualSeed(1));
const list = (t: Tensor) => Array.from(t.readSync());
const near = (want: readonly number[]) => want.map((v) => expect.closeTo(v, 4));
const none = { reduction: "none" } as const;
const normal = (z: number) => Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI);

/** The density of a mixture as it is written, from a row of a network's output; ρ for two numbers. */
function density(row: readonly number[], target: readonly number[], K: number, correlated: boolean): number {
  const D = target.length;
  const logits = row.slice(0, K).map(Math.exp);
  const total = logits.reduce((a, b) => a + b);
  let sum = 0;
  for (let k = 0; k < K; k++) {
    const mean = row.slice(K + k * D, K + (k + 1) * D);
    const std = row.slice(K + K * D + k * D, K + K * D + (k + 1) * D).map(Math.exp);
    const z = target.map((t, d) => (t - mean[d]) / std[d]);
    const rho = correlated ? Math.tanh(row[K + 2 * K * D + k]) : 0;
    const joint = D === 2 && correlated;
    const Z = joint ? z[0] ** 2 + z[1] ** 2 - 2 * rho * z[0] * z[1] : 0;
    const p = joint
      ? Math.exp(-Z / (2 * (1 - rho * rho))) / (2 * Math.PI * std[0] * std[1] * Math.sqrt(1 - rho * rho))
      : z.reduce((p, v, d) => (p * normal(v)) / std[d], 1);
    sum += (logits[k] / total) * p;
  }
  return sum;
}

describe("mdn", () => {
  it.each([
    [3, 1, false],
    [4, 3, false],
    [1, 2, false],
    [3, 2, true],
  ])("is minus the logarithm of the density: %i components of %i numbers, correlated %s", async (K, D, correlated) => {
    const loss = new MDNLoss(K, D, { ...none, correlated });
    const [x, target] = [randn([2, 5, loss.outputSize]), randn([2, 5, D])];
    const [flat, t] = [list(x), list(target)];
    const want = Array.from(
      { length: 10 },
      (_, i) =>
        -Math.log(
          density(
            flat.slice(i * loss.outputSize, (i + 1) * loss.outputSize),
            t.slice(i * D, (i + 1) * D),
            K,
            correlated,
          ),
        ),
    );
    expect(loss.forward(x, target).shape).toEqual([2, 5]);
    expect(list(loss.forward(x, target))).toEqual(near(want));
    expect(list(compile((x: Tensor) => loss.forward(x, target))(x))).toEqual(near(want));
    const sum = want.reduce((a, b) => a + b);
    expect(list(mdn(mixtureOf(x, K, D, { correlated }), target))).toEqual(near([sum / 10]));
    expect(list(new MDNLoss(K, D, { reduction: "sum", correlated }).forward(x, target))[0]).toBeCloseTo(sum, 3);
    await checkGradients((x, t) => loss.forward(x, t), [x, target], { tolerance: 5e-3 });
  });

  it("integrates to 1", () => {
    const x = list(randn([6]).mul(0.5));
    const step = 0.01;
    const ts = Array.from({ length: 4001 }, (_, i) => -20 + i * step);
    const rows = tensor(x).expand([ts.length, 6]);
    const losses = list(new MDNLoss(2, 1, none).forward(rows, tensor(ts).unsqueeze(1)));
    expect(losses.reduce((sum, l) => sum + Math.exp(-l) * step, 0)).toBeCloseTo(1, 4);
  });

  it("keeps its head where densities are 0 in float32", () => {
    const mixture = { logits: zeros([1, 2]), means: tensor([[[0], [1e4]]]), logStds: zeros([1, 2, 1]) };
    const far = tensor([[-1e3]]);
    expect(list(mdn(mixture, far))[0]).toBeCloseTo(5e5 + Math.log(2) + 0.5 * Math.log(2 * Math.PI), -1);
    const [g] = grad(() => mdn(mixture, far), [mixture.means]);
    expect(list(g)).toEqual([1e3, 0].map((v) => expect.closeTo(v, 2)));
    const tied = { logits: zeros([1, 1]), means: zeros([1, 1, 2]), logStds: zeros([1, 1, 2]) };
    for (const r of [15, -15]) {
      // ρ = ±1 in float32: only what lies across the line is unlikely.
      const loss = list(mdn({ ...tied, correlations: tensor([[r]]) }, tensor([[1, Math.sign(r)]])))[0];
      expect(loss).toBeCloseTo(Math.log(2 * Math.PI) + Math.LN2 - 15 + 0.5, 3);
    }
  });

  it("names the fault", () => {
    expect(() => mixtureOf(zeros([2, 9]), 2, 2)).toThrow("mixtureOf: expected output (…, 10), got (2, 9)");
    expect(() => new MDNLoss(2, 3, { correlated: true })).toThrow(
      "MDNLoss: expected size 2, as there are correlations, got 3",
    );
    expect(() => mdn(mixtureOf(zeros([2, 10]), 2, 2), zeros([3, 2]))).toThrow(
      "got (2, 2), (2, 2, 2), (2, 2, 2), (3, 2)",
    );
    expect(() => new MDNLoss(0, 1)).toThrow("MDNLoss: expected components");
  });
});

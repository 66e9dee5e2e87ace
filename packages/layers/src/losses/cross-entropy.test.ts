import { checkGradients, compile, grad, manualSeed, randn, type Tensor, tensor, zeros } from "@nn/tensor";
import { beforeEach, describe, expect, it } from "vitest";
import { CrossEntropyLoss, crossEntropy, NLLLoss, nllLoss } from "./cross-entropy.js";

const ints = (...all: number[]) => tensor(new Int32Array(all));
const list = (t: Tensor) => Array.from(t.readSync());
const near = (want: readonly number[]) => want.map((v) => expect.closeTo(v, 5));

/** log softmax of the rows of 3, in double precision. */
function logSoftmax(x: Tensor): number[][] {
  const all = list(x);
  return Array.from({ length: all.length / 3 }, (_, n) => {
    const row = all.slice(3 * n, 3 * n + 3);
    const top = Math.max(...row);
    const total = top + Math.log(row.reduce((s, v) => s + Math.exp(v - top), 0));
    return row.map((v) => v - total);
  });
}

let x: Tensor;
let logp: number[][];
const labels = [2, 0, -100, 1];
const t = () => ints(...labels);
const weights = [1, 2, 4];
const weight = () => tensor(weights);
const counted = [0, 1, 3];

beforeEach(() => {
  manualSeed(10);
  x = randn([4, 3]);
  logp = logSoftmax(x);
});

describe("crossEntropy of class numbers", () => {
  it("divides by the number of targets that count", () => {
    const each = labels.map((c, n) => (c < 0 ? 0 : -logp[n][c]));
    const total = each.reduce((a, b) => a + b, 0);
    expect(list(crossEntropy(x, t()))).toEqual(near([total / 3]));
    expect(list(crossEntropy(x, t(), { reduction: "sum" }))).toEqual(near([total]));
    expect(list(crossEntropy(x, t(), { reduction: "none" }))).toEqual(near(each));
    expect(list(crossEntropy(x, t().cast("u32"), { ignoreIndex: 4294967196 }))).toEqual(near([total / 3]));
  });

  it("divides by the weights of the targets that count", () => {
    const total = counted.reduce((s, n) => s - weights[labels[n]] * logp[n][labels[n]], 0);
    expect(list(crossEntropy(x, t(), { weight: weight() }))).toEqual(near([total / (4 + 1 + 2)]));
    expect(list(crossEntropy(x, t(), { weight: weight(), reduction: "sum" }))).toEqual(near([total]));
  });

  it("smooths labels, the smooth part with every class's weight", () => {
    const each = counted.map((n) => {
      const smooth = logp[n].reduce((s, v, c) => s - weights[c] * v, 0);
      return 0.7 * -weights[labels[n]] * logp[n][labels[n]] + (0.3 / 3) * smooth;
    });
    const loss = crossEntropy(x, t(), { weight: weight(), labelSmoothing: 0.3 });
    expect(list(loss)).toEqual(near([(each[0] + each[1] + each[2]) / 7]));
  });

  it("takes classes from axis 1, whatever comes after, or one row alone", () => {
    const grid = randn([2, 3, 2, 2]);
    const target = ints(0, 1, 2, 0, 1, 2, 0, 1).reshape([2, 2, 2]);
    const rows = grid.permute([0, 2, 3, 1]).reshape([8, 3]);
    const want = list(crossEntropy(rows, target.reshape([8]), { reduction: "none" }));
    const got = crossEntropy(grid, target, { reduction: "none" });
    expect(got.shape).toEqual([2, 2, 2]);
    expect(list(got)).toEqual(near(want));
    expect(list(crossEntropy(x.select(0, 0), ints(2).reshape([])))).toEqual(near([-logp[0][2]]));
  });

  it("counts nothing for an ignored target, even before −∞, and is NaN if none counts", () => {
    const masked = tensor([
      [Number.NEGATIVE_INFINITY, 0, 0],
      [1, 2, 3],
    ]);
    const target = ints(-100, 2);
    const [g] = grad(() => crossEntropy(masked, target), [masked]);
    expect(list(crossEntropy(masked, target, { reduction: "sum" }))).toEqual(near([0.40760596]));
    expect(list(crossEntropy(masked, target, { reduction: "sum", weight: weight() }))).toEqual(near([4 * 0.40760596]));
    expect(list(g).slice(0, 3)).toEqual([0, 0, 0]);
    expect(list(crossEntropy(x, ints(5, 5, 5, 5), { ignoreIndex: 5 }))).toEqual([Number.NaN]);
  });

  it("does not overflow", () => {
    const far = tensor([
      [1e4, -1e4, 0],
      [-300, -300, -300],
    ]);
    expect(list(crossEntropy(far, ints(1, 0), { reduction: "none" }))).toEqual(near([20000, Math.log(3)]));
  });
});

describe("crossEntropy of probabilities", () => {
  it("divides by the number of targets, with or without weights", () => {
    const p = tensor([
      [0.2, 0.3, 0.5],
      [1, 0, 0],
      [0, 0.5, 0.5],
      [0.1, 0.1, 0.8],
    ]);
    const rows = Array.from({ length: 4 }, (_, n) => list(p).slice(3 * n, 3 * n + 3));
    const plain = rows.map((row, n) => row.reduce((s, v, c) => s - v * logp[n][c], 0));
    const smooth = rows.map((row, n) => row.reduce((s, v, c) => s - weights[c] * (0.9 * v + 0.1 / 3) * logp[n][c], 0));
    const sum = (all: number[]) => all.reduce((a, b) => a + b, 0);
    expect(list(crossEntropy(x, p))).toEqual(near([sum(plain) / 4]));
    expect(list(crossEntropy(x, p, { weight: weight(), labelSmoothing: 0.1 }))).toEqual(near([sum(smooth) / 4]));
    expect(list(crossEntropy(x, p, { reduction: "none" }))).toEqual(near(plain));
    expect(list(crossEntropy(x.select(0, 1), p.select(0, 1)))).toEqual(near([plain[1]]));
  });
});

describe("nllLoss", () => {
  it("is crossEntropy after logSoftmax", () => {
    for (const options of [{}, { weight: weight() }, { reduction: "none" as const }, { ignoreIndex: 0 }]) {
      const target = options.ignoreIndex === 0 ? ints(2, 0, 1, 1) : t();
      expect(list(nllLoss(x.logSoftmax(1), target, options))).toEqual(near(list(crossEntropy(x, target, options))));
    }
  });
});

describe("all of them", () => {
  it("have the gradients of finite differences, and are the same compiled", async () => {
    const p = tensor([
      [0.2, 0.3, 0.5],
      [1, 0, 0],
      [0, 0.5, 0.5],
      [0.1, 0.1, 0.8],
    ]);
    const losses = [
      (a: Tensor) => crossEntropy(a, t()),
      (a: Tensor) => crossEntropy(a, t(), { weight: weight(), labelSmoothing: 0.2, reduction: "none" }),
      (a: Tensor) => crossEntropy(a, p, { weight: weight(), labelSmoothing: 0.2 }),
      (a: Tensor) => nllLoss(a, t(), { weight: weight() }),
    ];
    for (const f of losses) {
      await checkGradients(f, [x]);
      expect(list(compile(f)(x))).toEqual(near(list(f(x))));
    }
    await checkGradients((a, b) => crossEntropy(a, b), [x, p]);
  });

  it("exist as modules, the weight being state", () => {
    const loss = new CrossEntropyLoss({ weight: weight(), labelSmoothing: 0.1, reduction: "sum" });
    const want = crossEntropy(x, t(), { weight: weight(), labelSmoothing: 0.1, reduction: "sum" });
    expect(list(loss.forward(x, t()))).toEqual(list(want));
    expect(Object.keys(loss.stateDict())).toEqual(["weight"]);
    expect(loss.parameters()).toEqual([]);
    expect(Object.keys(new CrossEntropyLoss().stateDict())).toEqual([]);
    expect(list(new NLLLoss({ ignoreIndex: 0 }).forward(x, ints(0, 1, 2, 0)))).toEqual(
      list(nllLoss(x, ints(0, 1, 2, 0), { ignoreIndex: 0 })),
    );
  });

  it("say what does not fit", () => {
    expect(() => crossEntropy(x, tensor([0, 1, 2, 0]))).toThrow(
      'crossEntropy: expected class numbers (4) of dtype i32, or probabilities (4, 3) of dtype f32, got f32 (4). Convert class numbers with .cast("i32").',
    );
    expect(() => crossEntropy(x, tensor([true, false, true, false]))).toThrow(
      "expected class numbers of dtype i32, got bool (4)",
    );
    expect(() => crossEntropy(x, ints(0, 1, 2))).toThrow(
      "crossEntropy: expected targets (4) for input (4, 3), got (3)",
    );
    expect(() => crossEntropy(x, ints(0, 1, 3, 0))).toThrow(
      "crossEntropy: expected class numbers from 0 to 2, got 3. Check the labels, or set ignoreIndex.",
    );
    expect(() => crossEntropy(x, ints(0, 1, -1, 0))).toThrow("expected class numbers from 0 to 2, got -1");
    expect(() => crossEntropy(x, t(), { weight: tensor([1, 2]) })).toThrow(
      "expected weight (3), one number per class, got (2)",
    );
    expect(() => crossEntropy(tensor(1), ints(0))).toThrow("expected input (C), (N, C) or (N, C, …), got a scalar");
    expect(() => crossEntropy(x, zeros([4, 3]), { ignoreIndex: 0 })).toThrow(
      "expected class numbers of dtype i32 with ignoreIndex",
    );
    expect(() => crossEntropy(x, t(), { labelSmoothing: 1.5 })).toThrow(
      "crossEntropy: expected labelSmoothing from 0 to 1, got 1.5",
    );
    expect(() => crossEntropy(x, t(), { reduction: "avg" as "mean" })).toThrow(
      'crossEntropy: expected reduction "none" or "mean" or "sum", got "avg"',
    );
    expect(() => nllLoss(x, tensor([0, 1, 2, 0]))).toThrow(
      'nllLoss: expected class numbers of dtype i32, got f32 (4). Convert them with .cast("i32").',
    );
    expect(() => new CrossEntropyLoss({ labelSmoothing: -1 })).toThrow("CrossEntropyLoss: expected labelSmoothing");
    expect(() => new NLLLoss({ reduction: "x" as "sum" })).toThrow("NLLLoss: expected reduction");
  });
});

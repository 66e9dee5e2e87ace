import { checkGradients, compile, grad, type Tensor, tensor, zeros } from "@nn/tensor";
import { describe, expect, it } from "vitest";
import { GaussianNLLLoss, gaussianNLL, PoissonNLLLoss, poissonNLL } from "./likelihood.js";

const list = (t: Tensor) => Array.from(t.readSync());
const near = (want: readonly number[]) => want.map((v) => expect.closeTo(v, 5));
const none = { reduction: "none" } as const;

describe("poissonNLL", () => {
  const [xs, ts] = [
    [0.5, -1, 2],
    [0, 1, 4],
  ];
  const [x, t] = [tensor(xs), tensor(ts, { dtype: "i32" })];
  const each = xs.map((v, i) => Math.exp(v) - ts[i] * v);

  it("is its formula, reduced as asked, the same compiled", async () => {
    expect(list(poissonNLL(x, t, none))).toEqual(near(each));
    expect(list(poissonNLL(x, t))).toEqual(near([(each[0] + each[1] + each[2]) / 3]));
    expect(list(compile((x: Tensor) => poissonNLL(x, t, none))(x))).toEqual(near(each));
    await checkGradients((x) => poissonNLL(x, t, none), [x]);
  });

  it("takes rates, and adds Stirling's approximation where counts are above 1", () => {
    const rates = tensor([0.5, 1, 2]);
    const plain = [0.5, 1, 2 - 4 * Math.log(2)];
    expect(list(poissonNLL(rates, t, { ...none, logInput: false }))).toEqual(near(plain));
    const stirling = 4 * Math.log(4) - 4 + 0.5 * Math.log(2 * Math.PI * 4);
    expect(list(poissonNLL(x, t, { ...none, full: true }))).toEqual(near([each[0], each[1], each[2] + stirling]));
    expect(list(new PoissonNLLLoss({ reduction: "sum" }).forward(x, t))).toEqual(near([each[0] + each[1] + each[2]]));
  });

  it("names the fault", () => {
    expect(() => poissonNLL(x, zeros([2]))).toThrow("poissonNLL: expected a target of the input's shape (3), got (2)");
    expect(() => new PoissonNLLLoss({ eps: 0 })).toThrow("PoissonNLLLoss: expected eps to be a number > 0, got 0");
  });
});

describe("gaussianNLL", () => {
  const x = tensor([
    [1, 2],
    [0, -1],
  ]);
  const t = tensor([
    [0, 2],
    [3, 1],
  ]);
  const formula = (d: number, v: number) => 0.5 * (Math.log(v) + (d * d) / v);

  it("is its formula, with a variance per element or per row, the same compiled", async () => {
    const v = tensor([
      [0.5, 1],
      [2, 4],
    ]);
    const want = [formula(1, 0.5), formula(0, 1), formula(3, 2), formula(2, 4)];
    expect(list(gaussianNLL(x, t, v, none))).toEqual(near(want));
    expect(list(compile((x: Tensor) => gaussianNLL(x, t, v, none))(x))).toEqual(near(want));
    expect(list(new GaussianNLLLoss({ reduction: "sum", full: true }).forward(x, t, v))).toEqual(
      near([want.reduce((a, b) => a + b) + 2 * Math.log(2 * Math.PI)]),
    );
    const rows = [formula(1, 0.5), formula(0, 0.5), formula(3, 2), formula(2, 2)];
    expect(list(gaussianNLL(x, t, tensor([0.5, 2]), none))).toEqual(near(rows));
    expect(list(gaussianNLL(x, t, tensor([[0.5], [2]]), none))).toEqual(near(rows));
    await checkGradients((x, t, v) => gaussianNLL(x, t, v, none), [x, t, v]);
  });

  it("uses no variance below eps, but has its gradient", () => {
    const v = tensor([
      [0, 1],
      [1, 1],
    ]);
    expect(list(gaussianNLL(x, t, v, { ...none, eps: 0.5 }))[0]).toBeCloseTo(formula(1, 0.5), 5);
    const [g] = grad(() => gaussianNLL(x, t, v, { reduction: "sum", eps: 0.5 }), [v]);
    expect(list(g)[0]).toBeCloseTo(0.5 * (1 / 0.5 - 1 / 0.25), 5);
  });

  it("names the fault", () => {
    expect(() => gaussianNLL(x, t, zeros([3]))).toThrow(
      "gaussianNLL: expected variance (2, 2) or (2) or (2, 1), got (3)",
    );
    expect(() => new GaussianNLLLoss({ eps: 0 })).toThrow("GaussianNLLLoss: expected eps");
  });
});

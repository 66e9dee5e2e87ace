import { checkGradients, compile, type Tensor, tensor, zeros } from "@nn/tensor";
import { describe, expect, it } from "vitest";
import { crossEntropy } from "./cross-entropy.js";
import { FocalLoss, focal, SigmoidFocalLoss, sigmoidFocal } from "./focal.js";

const list = (t: Tensor) => Array.from(t.readSync());
const near = (want: readonly number[]) => want.map((v) => expect.closeTo(v, 5));
const none = { reduction: "none" } as const;
const rows = [
  [0.1, 0.7, -0.4],
  [1.5, 0.2, 0.9],
];
const x = tensor(rows);

describe("focal", () => {
  const t = tensor([1, 2], { dtype: "i32" });
  const p = rows.map((r, n) => Math.exp(r[n + 1]) / r.reduce((s, v) => s + Math.exp(v), 0));

  it("is cross entropy times (1 − p)^gamma, the same compiled", async () => {
    const want = p.map((q) => -Math.log(q) * (1 - q) ** 2);
    expect(list(focal(x, t, none))).toEqual(near(want));
    expect(list(compile((x: Tensor) => focal(x, t, none))(x))).toEqual(near(want));
    expect(list(focal(x, t, { gamma: 0 }))).toEqual(near(list(crossEntropy(x, t))));
    const weighed = p.map((q, n) => (n + 2) * -Math.log(q) * (1 - q) ** 0.5);
    expect(list(focal(x, t, { ...none, gamma: 0.5, weight: tensor([1, 2, 3]) }))).toEqual(near(weighed));
    expect(list(new FocalLoss({ reduction: "sum" }).forward(x, t))).toEqual(near([want[0] + want[1]]));
    await checkGradients((x) => focal(x, t, none), [x]);
  });

  it("names the fault", () => {
    expect(() => focal(x, zeros([2, 3]))).toThrow(
      "focal: expected class numbers of dtype i32, got a target of dtype f32",
    );
    expect(() => new FocalLoss({ gamma: -1 })).toThrow("FocalLoss: expected gamma to be a number ≥ 0, got -1");
  });
});

describe("sigmoidFocal", () => {
  const ts = [
    [1, 0, 1],
    [0, 0, 1],
  ];
  const t = tensor(ts, { dtype: "i32" });
  const want = (alpha: number, gamma: number) =>
    rows.flatMap((r, n) =>
      r.map((v, i) => {
        const q = 1 / (1 + Math.exp(ts[n][i] ? -v : v));
        return (ts[n][i] ? alpha : 1 - alpha) * -Math.log(q) * (1 - q) ** gamma;
      }),
    );

  it("is torchvision's formula", async () => {
    expect(list(sigmoidFocal(x, t, none))).toEqual(near(want(0.25, 2)));
    expect(list(sigmoidFocal(x, t, { ...none, alpha: null, gamma: 1 }))).toEqual(near(want(0.5, 1).map((v) => 2 * v)));
    expect(list(new SigmoidFocalLoss({ alpha: 0.7, reduction: "none" }).forward(x, t))).toEqual(near(want(0.7, 2)));
    expect(list(sigmoidFocal(tensor([-300]), tensor([1]), { alpha: 1 }))).toEqual(near([300]));
    await checkGradients((x) => sigmoidFocal(x, t, none), [x]);
  });

  it("names the fault", () => {
    expect(() => sigmoidFocal(x, zeros([2]))).toThrow("sigmoidFocal: expected a target of the input's shape (2, 3)");
    expect(() => sigmoidFocal(x, t, { alpha: 2 })).toThrow("sigmoidFocal: expected alpha from 0 to 1, got 2");
  });
});

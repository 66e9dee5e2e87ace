import { type Tensor, tensor, Variable } from "@nn/tensor";
import { describe, expect, it } from "vitest";
import { Adam, type AdamOptions, AdamW } from "./adam.js";
import { oneMinusPower } from "./formulas.js";

const gradients = [
  [1, -2],
  [0.5, 0.25],
  [-1, 3],
  [2, 2],
  [0.01, -0.01],
  [0.01, 0.3],
];
const list = (t: Tensor) => Array.from(t.readSync());
const near = (want: readonly number[]) => want.map((v) => expect.closeTo(v, 5));

/** torch.optim.Adam and AdamW in double precision. */
function wanted(decoupled: boolean, options: AdamOptions): number[] {
  const {
    lr = 1e-3,
    betas: [b1, b2] = [0.9, 0.999],
    eps = 1e-8,
    weightDecay = decoupled ? 0.01 : 0,
    amsgrad = false,
    maximize = false,
  } = options;
  const p = [1, -1];
  const [m, v, greatest] = [
    [0, 0],
    [0, 0],
    [0, 0],
  ];
  gradients.forEach((given, step) => {
    for (const i of [0, 1]) {
      let g = maximize ? -given[i] : given[i];
      if (decoupled) p[i] *= 1 - lr * weightDecay;
      else g += weightDecay * p[i];
      m[i] = b1 * m[i] + (1 - b1) * g;
      v[i] = b2 * v[i] + (1 - b2) * g * g;
      greatest[i] = Math.max(greatest[i], v[i]);
      const second = (amsgrad ? greatest[i] : v[i]) / (1 - b2 ** (step + 1));
      p[i] -= (lr * (m[i] / (1 - b1 ** (step + 1)))) / (Math.sqrt(second) + eps);
    }
  });
  return p;
}

const variants: AdamOptions[] = [
  {},
  { lr: 0.1 },
  { lr: 0.1, betas: [0.8, 0.95], eps: 0.01 },
  { lr: 0.1, betas: [0, 0.5] },
  { lr: 0.1, betas: [0.5, 0] },
  { lr: 0.1, weightDecay: 0.3 },
  { lr: 0.1, weightDecay: 0 },
  { lr: 0.1, amsgrad: true, betas: [0.9, 0.5] },
  { lr: 0.1, maximize: true, weightDecay: 0.3 },
];

describe.each([Adam, AdamW])("%o", (Kind) => {
  it.each(variants)("updates as PyTorch: %o", (options) => {
    const p = new Variable(tensor([1, -1]));
    const optimizer = new Kind([p], options);
    for (const g of gradients) optimizer.step([tensor(g)]);
    expect(list(p.value)).toEqual(near(wanted(Kind === AdamW, options)));
  });

  it("refuses options that make no sense", () => {
    const { name } = Kind;
    const make = (options: AdamOptions) => () => new Kind([new Variable(tensor([1]))], options);
    expect(make({ lr: -1 })).toThrow(`${name}: expected lr ≥ 0, got -1`);
    expect(make({ lr: Number.POSITIVE_INFINITY })).toThrow(`${name}: expected lr ≥ 0, got Infinity`);
    expect(make({ eps: -1 })).toThrow(`${name}: expected eps ≥ 0, got -1`);
    expect(make({ betas: [0.9, 1] })).toThrow(`${name}: expected betas[1] ≥ 0 and < 1, got 1`);
    expect(make({ betas: [0.9] as unknown as [number, number] })).toThrow(
      `${name}: expected betas to be two numbers, got [0.9]`,
    );
    expect(make({ weightDecay: -1 })).toThrow(`${name}: expected weightDecay ≥ 0, got -1`);
  });
});

describe("bias correction", () => {
  it.each([0.9, 0.999, 0.99999, 0])("is exact in f32 for β = %s", (beta) => {
    for (const t of [1, 2, 10, 1000, 1_000_000]) {
      const want = 1 - beta ** t;
      expect(Math.abs(oneMinusPower(beta, tensor(t)).readSync()[0] / want - 1)).toBeLessThan(3e-7);
    }
  });
});

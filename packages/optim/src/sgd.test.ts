import { type Tensor, tensor, Variable } from "@nn/tensor";
import { describe, expect, it } from "vitest";
import { SGD, type SGDOptions } from "./sgd.js";

const gradients = [
  [1, -2],
  [0.5, 0.25],
  [-1, 3],
  [2, 2],
];
const list = (t: Tensor) => Array.from(t.readSync());
const near = (want: readonly number[]) => want.map((v) => expect.closeTo(v, 5));

/** torch.optim.SGD in double precision. */
function wanted({
  lr,
  momentum = 0,
  dampening = 0,
  weightDecay = 0,
  nesterov = false,
  maximize = false,
}: SGDOptions): number[] {
  const p = [1, -1];
  let buffer: number[] | null = null;
  for (const given of gradients) {
    let d = given.map((g, i) => (maximize ? -g : g) + weightDecay * p[i]);
    if (momentum !== 0) {
      const before: number[] | null = buffer;
      const b: number[] = d.map((g, i) => (before ? momentum * before[i] + (1 - dampening) * g : g));
      buffer = b;
      d = nesterov ? d.map((g, i) => g + momentum * b[i]) : b;
    }
    d.forEach((g, i) => {
      p[i] -= lr * g;
    });
  }
  return p;
}

describe("SGD", () => {
  it.each<SGDOptions>([
    { lr: 0.1 },
    { lr: 0.1, maximize: true },
    { lr: 0.1, weightDecay: 0.2 },
    { lr: 0.1, weightDecay: 0.2, maximize: true },
    { lr: 0.1, momentum: 0.9 },
    { lr: 0.1, momentum: 0.9, dampening: 0.4 },
    { lr: 0.1, momentum: 0.9, dampening: 1 },
    { lr: 0.1, momentum: 0.9, nesterov: true, weightDecay: 0.1 },
  ])("updates as PyTorch: %o", (options) => {
    const p = new Variable(tensor([1, -1]));
    const optimizer = new SGD([p], options);
    for (const g of gradients) optimizer.step([tensor(g)]);
    expect(list(p.value)).toEqual(near(wanted(options)));
  });

  it("refuses options that make no sense", () => {
    const make = (options: SGDOptions) => () => new SGD([new Variable(tensor([1]))], options);
    expect(make({} as SGDOptions)).toThrow("SGD: expected lr ≥ 0, got undefined");
    expect(make({ lr: -1 })).toThrow("SGD: expected lr ≥ 0, got -1");
    expect(make({ lr: 1, momentum: -0.1 })).toThrow("SGD: expected momentum ≥ 0, got -0.1");
    expect(make({ lr: 1, weightDecay: -1 })).toThrow("SGD: expected weightDecay ≥ 0, got -1");
    expect(make({ lr: 1, nesterov: true })).toThrow(
      "SGD: expected momentum > 0 and no dampening for nesterov, got momentum 0, dampening 0",
    );
    expect(make({ lr: 1, nesterov: true, momentum: 0.9, dampening: 0.1 })).toThrow("for nesterov");
  });
});

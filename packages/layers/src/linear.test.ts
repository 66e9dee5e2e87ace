import {
  checkGradients,
  compile,
  Module,
  manualSeed,
  memory,
  ones,
  randn,
  type Tensor,
  tensor,
  zeros,
} from "@nn/tensor";
import { beforeEach, describe, expect, it } from "vitest";
import { Linear } from "./linear.js";

beforeEach(() => manualSeed(1));

describe("Linear", () => {
  it("computes x·Wᵀ + b over the last axis, whatever the others", async () => {
    const layer = new Linear(2, 3);
    layer.loadStateDict({
      weight: tensor([
        [1, 2],
        [3, 4],
        [5, 6],
      ]),
      bias: tensor([0.5, 0, -0.5]),
    });
    expect(await layer.forward(tensor([1, -1])).toArray()).toEqual([-0.5, -1, -1.5]);
    expect(
      await layer
        .forward(
          tensor([
            [1, -1],
            [0, 1],
          ]),
        )
        .toArray(),
    ).toEqual([
      [-0.5, -1, -1.5],
      [2.5, 4, 5.5],
    ]);
    expect(layer.forward(ones([4, 5, 6, 2])).shape).toEqual([4, 5, 6, 3]);
    expect(layer.forward(ones([0, 2])).shape).toEqual([0, 3]);
  });

  it("has PyTorch's state and initial values", async () => {
    const layer = new Linear(100, 50);
    expect(Object.entries(layer.stateDict()).map(([k, t]) => [k, t.shape])).toEqual([
      ["weight", [50, 100]],
      ["bias", [50]],
    ]);
    for (const t of Object.values(layer.stateDict())) {
      const all = Array.from(await t.read(), Math.abs);
      expect(Math.max(...all)).toBeLessThanOrEqual(Math.fround(0.1));
      expect(Math.max(...all)).toBeGreaterThan(0.085);
    }
    expect(Object.keys(new Linear(2, 3, { bias: false }).stateDict())).toEqual(["weight"]);
    expect(layer.parameters()).toHaveLength(2);
  });

  it("has the gradients of finite differences", async () => {
    const layer = new Linear(3, 2);
    await checkGradients((x) => layer.forward(x), [randn([4, 3]), ...layer.parameters()]);
  });

  it("says what it expected and where", () => {
    class Net extends Module {
      fc1 = new Linear(784, 32);
      forward(x: Tensor) {
        return this.fc1.forward(x);
      }
    }
    expect(() => new Net().forward(ones([64, 100]))).toThrow(
      /^Linear "fc1": expected x \(…, 784\), got \(64, 100\): 100 ≠ inFeatures 784\./,
    );
    expect(() => new Linear(4, 2).forward(tensor(1))).toThrow("expected x (…, 4), got ().");
  });

  it.each([
    [0, 1],
    [1, 0],
    [2.5, 1],
    [Number.NaN, 1],
    [-3, 1],
    ["3" as unknown as number, 1],
  ])("refuses sizes %s and %s", (a, b) => {
    expect(() => new Linear(a, b)).toThrow(/Linear: expected (in|out)Features to be a whole number ≥ 1/);
  });

  it("leaves only its parameters and its result behind", () => {
    randn([1]).dispose(); // the generator's state, seeded anew, is no longer manualSeed's
    const before = memory().bytes;
    const layer = new Linear(10, 20);
    expect(memory().bytes - before).toBe(4 * (10 * 20 + 20));
    const x = zeros([5, 10]);
    const y = layer.forward(x);
    expect(memory().bytes - before).toBe(4 * (10 * 20 + 20 + 5 * 10 + 5 * 20));
    x.dispose();
    y.dispose();
  });

  it("gives the same compiled", async () => {
    const layer = new Linear(3, 2);
    const x = randn([4, 3]);
    const run = compile((t: Tensor) => layer.forward(t));
    expect(await run(x).toArray()).toEqual(await layer.forward(x).toArray());
  });
});

import { compile, eye, manualSeed, randn, type Tensor, tensor, Variable, zeros } from "@nn/tensor";
import { describe, expect, it } from "vitest";
import { Muon } from "./muon.js";

const list = (t: Tensor) => Array.from(t.readSync());

/** What one step without momentum and decay changes, at a learning rate of −1. */
function direction(gradient: Tensor, options: object = {}): Tensor {
  const p = new Variable(zeros(gradient.shape));
  new Muon([p], { lr: 1, momentum: 0, weightDecay: 0, nesterov: false, maximize: true, ...options }).step([gradient]);
  return p.value;
}

describe("Muon", () => {
  it("brings all singular values near 1, and keeps the singular vectors", () => {
    const [a, b] = list(
      direction(
        tensor([
          [3, 0],
          [0, 0.2],
        ]),
      ),
    ).filter((_, i) => i % 3 === 0);
    for (const v of [a, b]) {
      expect(v).toBeGreaterThan(0.6);
      expect(v).toBeLessThan(1.3);
    }
    expect(
      list(
        direction(
          tensor([
            [3, 0],
            [0, 0.2],
          ]),
        ),
      ).filter((_, i) => i % 3 !== 0),
    ).toEqual([0, 0]);
    manualSeed(4);
    for (const shape of [
      [4, 9],
      [9, 4],
    ]) {
      // With these coefficients Newton–Schulz converges, so the result is orthogonal (times √(9/4) where it is tall).
      const x = direction(randn(shape), { nsCoefficients: [1.5, -0.5, 0], nsSteps: 40 });
      const small =
        shape[0] < shape[1]
          ? x.matmul(x.transpose())
          : x
              .transpose()
              .matmul(x)
              .mul(4 / 9);
      expect(list(small)).toEqual(list(eye(4)).map((v) => expect.closeTo(v, 3)));
    }
  });

  it("takes filters as matrices, and may scale as AdamW would", () => {
    manualSeed(5);
    const g = randn([8, 2, 3, 1]);
    expect(list(direction(g))).toEqual(list(direction(g.reshape([8, 6]))));
    const ratio = (0.2 * Math.sqrt(8)) / Math.sqrt(8 / 6);
    const other = list(direction(g, { adjustLrFn: "match_rms_adamw" }));
    expect(other).toEqual(list(direction(g)).map((v) => expect.closeTo(v * ratio, 5)));
  });

  it("goes down, with momentum and decay, the same compiled", () => {
    const run = (compiled: boolean) => {
      manualSeed(6);
      const [w, x, y] = [new Variable(randn([4, 3])), randn([16, 4]), randn([16, 3])];
      const optimizer = new Muon([w], { lr: 0.05 });
      const body = () => optimizer.minimize(() => x.matmul(w.value).sub(y).square().mean());
      const step = compiled ? compile(body) : body;
      return Array.from({ length: 20 }, () => list(step())[0]);
    };
    const losses = run(false);
    expect(losses[19]).toBeLessThan(0.7 * losses[0]);
    expect(run(true)).toEqual(losses.map((v) => expect.closeTo(v, 4)));
  });

  it("names the fault", () => {
    expect(() => new Muon([new Variable(zeros([3]))])).toThrow(
      "Muon: expected parameters with two axes or more, got (3)",
    );
    const p = [new Variable(zeros([3, 3]))];
    expect(() => new Muon(p, { momentum: 1 })).toThrow("Muon: expected momentum ≥ 0 and < 1, got 1");
    expect(() => new Muon(p, { adjustLrFn: "x" as "original" })).toThrow('adjustLrFn "original" or "match_rms_adamw"');
  });
});

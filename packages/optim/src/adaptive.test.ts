// The optimisers with an adaptive step besides Adam, each against PyTorch's formula in double precision.

import { type Tensor, tensor, Variable } from "@nn/tensor";
import { describe, expect, it } from "vitest";
import { Adadelta, type AdadeltaOptions } from "./adadelta.js";
import { Adagrad, type AdagradOptions } from "./adagrad.js";
import { Adamax, type AdamaxOptions } from "./adamax.js";
import { NAdam, type NAdamOptions } from "./nadam.js";
import type { Optimizer } from "./optimizer.js";
import { lengthOfAverage, RAdam, type RAdamOptions } from "./radam.js";
import { RMSprop, type RMSpropOptions } from "./rmsprop.js";
import { Rprop, type RpropOptions } from "./rprop.js";

const gradients = [1, 0.5, -1, 2, -0.01, -0.3, 0, 0.7, 0.2, -1.1];
const list = (t: Tensor) => Array.from(t.readSync());

/** One parameter, from 1, updated by the gradients. */
function trained(make: (params: Variable[]) => Optimizer): number[] {
  const p = new Variable(tensor([1]));
  const optimizer = make([p]);
  return gradients.map((g) => {
    optimizer.step([tensor([g])]);
    return p.value.readSync()[0];
  });
}

/** The same in double precision: `update` gives what to subtract. */
function wanted(weightDecay: number, maximize: boolean, update: (g: number, t: number) => number): unknown[] {
  let p = 1;
  return gradients.map((g, i) => {
    p -= update((maximize ? -g : g) + weightDecay * p, i + 1);
    return expect.closeTo(p, 5);
  });
}

describe("RMSprop", () => {
  it.each<RMSpropOptions>([
    {},
    { lr: 0.1, alpha: 0.9, weightDecay: 0.1 },
    { lr: 0.05, alpha: 0.8, momentum: 0.9, eps: 0.01 },
    { lr: 0.05, alpha: 0.8, centered: true, momentum: 0.5, maximize: true },
  ])("updates as PyTorch: %o", (options) => {
    const {
      lr = 0.01,
      alpha = 0.99,
      eps = 1e-8,
      weightDecay = 0,
      momentum = 0,
      centered = false,
      maximize = false,
    } = options;
    let [v, mean, buffer] = [0, 0, 0];
    const want = wanted(weightDecay, maximize, (g) => {
      v = alpha * v + (1 - alpha) * g * g;
      mean = alpha * mean + (1 - alpha) * g;
      buffer = momentum * buffer + g / (Math.sqrt(centered ? v - mean * mean : v) + eps);
      return lr * buffer;
    });
    expect(trained((p) => new RMSprop(p, options))).toEqual(want);
  });

  it("centered, is never NaN where the variance rounds below 0", () => {
    const p = new Variable(tensor([1]));
    const optimizer = new RMSprop([p], { centered: true, alpha: 0.5, eps: 1 });
    for (let i = 0; i < 60; i++) optimizer.step([tensor([0.1])]);
    expect(list(p.value)[0]).not.toBeNaN();
  });
});

describe("Adagrad", () => {
  it.each<AdagradOptions>([
    {},
    { lr: 0.1, lrDecay: 0.1, weightDecay: 0.2 },
    { lr: 0.1, initialAccumulatorValue: 0.5, eps: 0.01, maximize: true },
  ])("updates as PyTorch: %o", (options) => {
    const {
      lr = 0.01,
      lrDecay = 0,
      weightDecay = 0,
      initialAccumulatorValue = 0,
      eps = 1e-10,
      maximize = false,
    } = options;
    let sum = initialAccumulatorValue;
    const want = wanted(weightDecay, maximize, (g, t) => {
      sum += g * g;
      return ((lr / (1 + (t - 1) * lrDecay)) * g) / (Math.sqrt(sum) + eps);
    });
    expect(trained((p) => new Adagrad(p, options))).toEqual(want);
  });
});

describe("Adadelta", () => {
  it.each<AdadeltaOptions>([{}, { lr: 0.5, rho: 0.8, eps: 1e-3, weightDecay: 0.1, maximize: true }])(
    "updates as PyTorch: %o",
    (options) => {
      const { lr = 1, rho = 0.9, eps = 1e-6, weightDecay = 0, maximize = false } = options;
      let [v, d] = [0, 0];
      const want = wanted(weightDecay, maximize, (g) => {
        v = rho * v + (1 - rho) * g * g;
        const delta = (Math.sqrt(d + eps) / Math.sqrt(v + eps)) * g;
        d = rho * d + (1 - rho) * delta * delta;
        return lr * delta;
      });
      expect(trained((p) => new Adadelta(p, options))).toEqual(want);
    },
  );
});

describe("Adamax", () => {
  it.each<AdamaxOptions>([{}, { lr: 0.1, betas: [0.8, 0.5], weightDecay: 0.1, eps: 0.1, maximize: true }])(
    "updates as PyTorch: %o",
    (options) => {
      const { lr = 2e-3, betas: [b1, b2] = [0.9, 0.999], eps = 1e-8, weightDecay = 0, maximize = false } = options;
      let [m, u] = [0, 0];
      const want = wanted(weightDecay, maximize, (g, t) => {
        m = b1 * m + (1 - b1) * g;
        u = Math.max(b2 * u, Math.abs(g) + eps);
        return ((lr / (1 - b1 ** t)) * m) / u;
      });
      expect(trained((p) => new Adamax(p, options))).toEqual(want);
    },
  );
});

describe("NAdam", () => {
  it.each<NAdamOptions>([
    {},
    { lr: 0.1, betas: [0.8, 0.9], weightDecay: 0.1, momentumDecay: 0.1, eps: 0.01, maximize: true },
  ])("updates as PyTorch 1.13: %o", (options) => {
    const {
      lr = 2e-3,
      betas: [b1, b2] = [0.9, 0.999],
      eps = 1e-8,
      weightDecay = 0,
      momentumDecay = 4e-3,
      maximize = false,
    } = options;
    let [m, v, product] = [0, 0, 1];
    const mu = (t: number) => b1 * (1 - 0.5 * 0.96 ** (t * momentumDecay));
    const want = wanted(weightDecay, maximize, (g, t) => {
      product *= mu(t);
      m = b1 * m + (1 - b1) * g;
      v = b2 * v + (1 - b2) * g * g;
      const step = ((1 - mu(t)) / (1 - product)) * g + (mu(t + 1) / (1 - product * mu(t) * mu(t + 1))) * m;
      return (lr * step) / (Math.sqrt(v / (1 - b2 ** t)) + eps);
    });
    expect(trained((p) => new NAdam(p, options))).toEqual(want);
  });
});

describe("RAdam", () => {
  const rho = (beta: number, t: number) => 2 / (1 - beta) - 1 - (2 * t * beta ** t) / (1 - beta ** t);

  it.each<RAdamOptions>([
    {},
    { lr: 0.1, betas: [0.8, 0.9], weightDecay: 0.1, eps: 0.01, maximize: true },
    { lr: 0.1, betas: [0.9, 0.5] },
  ])("updates as PyTorch: %o", (options) => {
    const { lr = 1e-3, betas: [b1, b2] = [0.9, 0.999], eps = 1e-8, weightDecay = 0, maximize = false } = options;
    let [m, v] = [0, 0];
    const want = wanted(weightDecay, maximize, (g, t) => {
      m = b1 * m + (1 - b1) * g;
      v = b2 * v + (1 - b2) * g * g;
      const mean = m / (1 - b1 ** t);
      const [r, limit] = [rho(b2, t), 2 / (1 - b2) - 1];
      if (r <= 5) return lr * mean;
      const rectified = Math.sqrt(((r - 4) * (r - 2) * limit) / ((limit - 4) * (limit - 2) * r));
      return (lr * mean * rectified * Math.sqrt(1 - b2 ** t)) / (Math.sqrt(v) + eps);
    });
    expect(trained((p) => new RAdam(p, options))).toEqual(want);
  });

  it.each([0.9, 0.99, 0.999])("knows how much it has averaged to all digits of f32, β = %s", (beta) => {
    for (const t of [1, 2, 5, 6, 7, 20, 300, 999, 1001, 5000]) {
      expect(Math.abs(lengthOfAverage(beta, tensor(t)).readSync()[0] / rho(beta, t) - 1)).toBeLessThan(1e-6);
    }
  });
});

describe("Rprop", () => {
  it.each<RpropOptions>([{}, { lr: 0.1, etas: [0.3, 2], stepSizes: [0.05, 0.15], maximize: true }])(
    "updates as PyTorch: %o",
    (options) => {
      const { lr = 0.01, etas = [0.5, 1.2], stepSizes = [1e-6, 50], maximize = false } = options;
      let [prev, size] = [0, lr];
      const want = wanted(0, maximize, (g) => {
        const agree = Math.sign(g * prev);
        size = Math.min(stepSizes[1], Math.max(stepSizes[0], size * (agree > 0 ? etas[1] : agree < 0 ? etas[0] : 1)));
        prev = agree < 0 ? 0 : g;
        return Math.sign(prev) * size;
      });
      expect(trained((p) => new Rprop(p, options))).toEqual(want);
    },
  );
});

describe("state and options", () => {
  const p = () => [new Variable(tensor([1, 2]))];
  it.each<[Optimizer, string[]]>([
    [new RMSprop(p()), ["square_avg"]],
    [new RMSprop(p(), { momentum: 0.9, centered: true }), ["square_avg", "momentum_buffer", "grad_avg"]],
    [new Adagrad(p()), ["sum"]],
    [new Adadelta(p()), ["square_avg", "acc_delta"]],
    [new Adamax(p()), ["exp_avg", "exp_inf"]],
    [new NAdam(p()), ["exp_avg", "exp_avg_sq", "mu_product"]],
    [new RAdam(p()), ["exp_avg", "exp_avg_sq"]],
    [new Rprop(p()), ["prev", "step_size"]],
  ])("%o has PyTorch's names", (optimizer, names) => {
    expect(Object.keys(optimizer.stateDict())).toEqual(
      [...names, "step"].map((n) => `state.0.${n}`).concat("param_groups.0.lr"),
    );
  });

  it("options that make no sense are refused", () => {
    expect(() => new RMSprop(p(), { alpha: -1 })).toThrow("RMSprop: expected alpha ≥ 0, got -1");
    expect(() => new Adagrad(p(), { lrDecay: -1 })).toThrow("Adagrad: expected lrDecay ≥ 0, got -1");
    expect(() => new Adadelta(p(), { rho: 1 })).toThrow("Adadelta: expected rho ≥ 0 and < 1, got 1");
    expect(() => new Adamax(p(), { betas: [0.9, 2] })).toThrow("Adamax: expected betas[1] ≥ 0 and < 1, got 2");
    expect(() => new NAdam(p(), { momentumDecay: -1 })).toThrow("NAdam: expected momentumDecay ≥ 0, got -1");
    expect(() => new RAdam(p(), { eps: -1 })).toThrow("RAdam: expected eps ≥ 0, got -1");
    expect(() => new Rprop(p(), { etas: [1.2, 0.5] })).toThrow(
      "Rprop: expected etas with 0 < etas[0] < 1 < etas[1], got [1.2,0.5]",
    );
    expect(() => new Rprop(p(), { stepSizes: [1, 0.5] })).toThrow("Rprop: expected stepSizes[1] ≥ 1, got 0.5");
  });
});

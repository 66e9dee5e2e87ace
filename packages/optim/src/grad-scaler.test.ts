import { compile, memory, scope, type Tensor, tensor, Variable, valueAndGrad } from "@nn/tensor";
import { describe, expect, it } from "vitest";
import { Adam } from "./adam.js";
import { clipGradNorm } from "./clip.js";
import { GradScaler } from "./grad-scaler.js";
import { SGD } from "./sgd.js";

const list = (t: Tensor) => Array.from(t.readSync());
const scaleOf = (s: GradScaler) => scope(() => list(s.getScale())[0]);

function problem(options = {}) {
  const w = new Variable(tensor([0.5, -2]));
  const optimizer = new Adam([w], { lr: 0.1, ...options });
  /** A factor that is not finite makes gradients that are not. */
  const loss = (factor: Tensor) => w.value.square().mul(factor).sum();
  return { w, optimizer, loss };
}

describe("GradScaler", () => {
  it.each([false, true])("trains with the same bits as without it, compiled: %s", (compiled) => {
    // Powers of two change no digit.
    const [plain, scaled] = [problem(), problem()];
    const scaler = new GradScaler();
    const transform = (g: readonly Tensor[]) => clipGradNorm(g, 0.5).gradients;
    const body = (f: Tensor) => scaler.minimize(scaled.optimizer, () => scaled.loss(f), { transform });
    const step = compiled ? compile(body) : body;
    for (const factor of [1, 0.3, 2]) {
      const f = tensor(factor);
      const want = plain.optimizer.minimize(() => plain.loss(f), { transform });
      expect(list(step(f))).toEqual(list(want));
      expect(list(scaled.w.value)).toEqual(list(plain.w.value));
    }
    expect(list(scaled.optimizer.stateDict()["state.0.exp_avg"]!)).toEqual(
      list(plain.optimizer.stateDict()["state.0.exp_avg"]!),
    );
  });

  it.each([false, true])("passes over a step that overflows, and follows with its scale, compiled: %s", (compiled) => {
    const { w, optimizer, loss } = problem();
    const scaler = new GradScaler({ initScale: 16, growthInterval: 2 });
    const body = (f: Tensor) => scaler.minimize(optimizer, () => loss(f));
    const step = compiled ? compile(body) : body;
    const state = () => Object.fromEntries(Object.entries(optimizer.stateDict()).map(([k, t]) => [k, list(t)]));
    const scales: (number | undefined)[] = [];
    for (const factor of [1, Number.NaN, 1, 1, 1, Number.POSITIVE_INFINITY, 1, 1]) {
      const before = [list(w.value), state()];
      step(tensor(factor)).dispose();
      scales.push(scaleOf(scaler));
      if (Number.isFinite(factor)) expect(list(w.value)).not.toEqual(before[0]);
      else expect([list(w.value), state()]).toEqual(before);
    }
    // PyTorch's: halved by a bad step, which also begins the count of good ones anew; doubled after two in a row.
    expect(scales).toEqual([16, 8, 8, 16, 16, 8, 8, 16]);
    expect(state()["state.0.step"]).toEqual([6]);
  });

  it("finds what overflows only when scaled, and comes down to where it fits", () => {
    const { w, optimizer, loss } = problem();
    const scaler = new GradScaler({ initScale: 2 ** 120, backoffFactor: 2 ** -10 });
    const big = tensor(2 ** 20);
    let steps = 0;
    while (list(w.value)[0] === 0.5) {
      scaler.minimize(optimizer, () => loss(big)).dispose();
      if (++steps > 5) break;
    }
    expect([steps, scaleOf(scaler)]).toEqual([3, 2 ** 100]);
  });

  it("returns the loss that it was, also where the scaled one is infinite", () => {
    const { optimizer, loss } = problem();
    const scaler = new GradScaler({ initScale: 2 ** 127 });
    const factor = tensor(3);
    const once = () => scope(() => list(scaler.minimize(optimizer, () => loss(factor))));
    expect([once(), scaleOf(scaler)]).toEqual([[12.75], 2 ** 126]);
    const before = memory().bytes;
    expect(once()).toEqual([12.75]);
    expect(memory().bytes).toBe(before);
  });

  it("never grows to infinity", () => {
    const { optimizer, loss } = problem();
    const scaler = new GradScaler({ initScale: 2 ** 127, growthInterval: 1 });
    scaler.minimize(optimizer, () => loss(tensor(2 ** -20))).dispose();
    expect(scaleOf(scaler)).toBe(2 ** 127);
  });

  it("works in parts, and keeps memory flat", () => {
    const w = new Variable(tensor([1, 2]));
    const optimizer = new SGD([w], { lr: 0.5, momentum: 0.9 });
    const scaler = new GradScaler();
    const once = () => {
      const [loss, gradients] = valueAndGrad(() => scaler.scale(w.value.square().sum()), [w]);
      scaler.step(optimizer, gradients);
      for (const t of [loss, ...gradients]) t.dispose();
    };
    once();
    expect(scope(() => list(w.value))).toEqual([0, 0]);
    const before = memory().bytes;
    for (let i = 0; i < 5; i++) once();
    expect(memory().bytes).toBe(before);
  });

  it("saves and loads its state", () => {
    const { optimizer, loss } = problem();
    const scaler = new GradScaler({ initScale: 4 });
    for (const factor of [1, 1, 1]) scaler.minimize(optimizer, () => loss(tensor(factor))).dispose();
    const other = new GradScaler();
    other.loadStateDict(scaler.stateDict());
    expect(Object.entries(other.stateDict()).map(([key, t]) => [key, ...list(t)])).toEqual([
      ["scale", 4],
      ["_growth_tracker", 3],
    ]);
    expect(() => other.loadStateDict({ scale: tensor(1) })).toThrow(/GradScaler.loadStateDict: expected scale and/);
    expect(() => other.loadStateDict({ scale: tensor([1]), _growth_tracker: tensor(1) })).toThrow(/scalars/);
  });

  it.each([
    [{ initScale: 0 }, /initScale/],
    [{ growthFactor: 1 }, /growthFactor/],
    [{ backoffFactor: 1 }, /backoffFactor/],
    [{ growthInterval: 0.5 }, /growthInterval/],
  ])("refuses %j", (options, message) => {
    expect(() => new GradScaler(options)).toThrow(message);
  });
});

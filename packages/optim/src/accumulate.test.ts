import { compile, manualSeed, memory, randn, type Tensor, tensor, Variable } from "@nn/tensor";
import { beforeEach, describe, expect, it } from "vitest";
import { GradientAccumulator } from "./accumulate.js";
import { Adam } from "./adam.js";
import { clipGradNorm } from "./clip.js";

const list = (t: Tensor) => Array.from(t.readSync());
beforeEach(() => manualSeed(7));

function problem() {
  const w = new Variable(tensor([[0.5], [-0.5]]));
  const optimizer = new Adam([w], { lr: 0.1 });
  const loss = (x: Tensor) => x.matmul(w.value).sub(1).square().mean();
  return { w, optimizer, loss, accumulator: new GradientAccumulator(optimizer) };
}

describe("GradientAccumulator", () => {
  it.each([false, true])("updates as one batch of all would, compiled: %s", (compiled) => {
    const [one, parts] = [problem(), problem()];
    const transform = (g: readonly Tensor[]) => clipGradNorm(g, 0.5).gradients;
    const body = (x: Tensor, update: boolean) => parts.accumulator.minimize(() => parts.loss(x), { update, transform });
    const step = compiled ? compile(body) : body;
    for (let round = 0; round < 3; round++) {
      const x = randn([12, 2]);
      one.optimizer.minimize(() => one.loss(x), { transform });
      for (let i = 0; i < 3; i++) step(x.slice([[4 * i, 4 * i + 4]]), i === 2).dispose();
      expect(list(parts.w.value)).toEqual(list(one.w.value).map((v) => expect.closeTo(v, 5)));
    }
    expect(list(parts.optimizer.stateDict()["state.0.step"])).toEqual([3]);
  });

  it("changes nothing without update, and keeps memory flat", () => {
    const { w, loss, accumulator } = problem();
    const x = randn([4, 2]);
    accumulator.minimize(() => loss(x), { update: false }).dispose();
    expect(list(w.value)).toEqual([0.5, -0.5]);
    accumulator.minimize(() => loss(x)).dispose();
    const before = memory().bytes;
    for (let i = 0; i < 10; i++) accumulator.minimize(() => loss(x), { update: i % 2 === 0 }).dispose();
    expect(memory().bytes).toBe(before);
  });
});

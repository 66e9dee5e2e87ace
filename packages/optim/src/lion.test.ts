import { type Tensor, tensor, Variable } from "@nn/tensor";
import { expect, it } from "vitest";
import { Lion } from "./lion.js";

const list = (t: Tensor) => Array.from(t.readSync());

it("Lion moves every element by the learning rate, towards the sign of the mean", () => {
  const p = new Variable(tensor([1, -2, 3]));
  const optimizer = new Lion([p], { lr: 0.1, betas: [0.5, 0.75], weightDecay: 0.2 });
  let [want, mean] = [
    [1, -2, 3],
    [0, 0, 0],
  ];
  for (const g of [
    [0.3, -5, 0],
    [-0.2, 1, 2],
    [-0.2, 1, -9],
  ]) {
    optimizer.step([tensor(g)]);
    want = want.map((v, i) => v * (1 - 0.1 * 0.2) - 0.1 * Math.sign(0.5 * mean[i] + 0.5 * g[i]));
    mean = mean.map((m, i) => 0.75 * m + 0.25 * g[i]);
    expect(list(p.value)).toEqual(want.map((v) => expect.closeTo(v, 5)));
  }
  expect(list(optimizer.stateDict()["state.0.exp_avg"])).toEqual(mean.map((v) => expect.closeTo(v, 5)));
  expect(() => new Lion([p], { betas: [1, 0.9] })).toThrow("Lion: expected betas[0] ≥ 0 and < 1, got 1");
});

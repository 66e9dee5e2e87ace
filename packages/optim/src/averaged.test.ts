import { compile, freeze, Module, memory, type Tensor, tensor, Variable } from "@nn/tensor";
import { describe, expect, it } from "vitest";
import { AveragedModel, ExponentialMovingAverage } from "./averaged.js";

const list = (t: Tensor) => Array.from(t.readSync());
const near = (want: readonly number[]) => want.map((v) => expect.closeTo(v, 6));

class Net extends Module {
  weight = new Variable(tensor([1, 2]));
  running = new Variable(tensor([5]), { trainable: false });
  override forward(x: Tensor): Tensor {
    return x.mul(this.weight.value).add(this.running.value);
  }
}
const values = [
  [1, 2],
  [3, -2],
  [8, 0],
];

describe.each([false, true])("compiled: %s", (compiled) => {
  const after = (net: Net, averaged: AveragedModel<Net>) => {
    const body = (w: Tensor) => {
      net.weight.value = w;
      net.running.value = w.sum().reshape([1]);
      averaged.updateParameters();
    };
    const step = compiled ? compile(body) : body;
    for (const v of values) step(tensor(v));
  };

  it("AveragedModel has the mean, and ExponentialMovingAverage forgets", () => {
    const net = new Net();
    const averaged = new AveragedModel(net);
    after(net, averaged);
    expect(list(averaged.stateDict()["module.weight"])).toEqual(near([4, 0]));
    expect(list(averaged.stateDict()["n_averaged"])).toEqual([3]);
    const ema = new ExponentialMovingAverage(new Net(), { decay: 0.75 });
    expect(Object.keys(ema.stateDict())).toEqual(["n_averaged", "module.weight"]);
    const other = new Net();
    const forgetful = new ExponentialMovingAverage(other, { decay: 0.75, useBuffers: true });
    after(other, forgetful);
    expect(list(forgetful.stateDict()["module.weight"])).toEqual(
      near([0.75 * (0.75 * 1 + 0.25 * 3) + 2, 0.75 * (1.5 - 0.5)]),
    );
    expect(list(forgetful.stateDict()["module.running"])).toEqual(near([0.75 * (0.75 * 3 + 0.25 * 1) + 2]));
  });

  it("computes with the averages, and gives the model its own weights back", () => {
    const net = new Net();
    const averaged = new AveragedModel(net);
    after(net, averaged);
    const forward = (x: Tensor): Tensor => averaged.forward(x);
    const f = compiled ? compile(forward) : forward;
    f(tensor([1, 1])).dispose();
    const before = memory().bytes;
    for (let i = 0; i < 3; i++) f(tensor([1, 1])).dispose();
    expect(memory().bytes - before).toBeLessThanOrEqual(3 * 8); // the arguments
    expect(list(f(tensor([1, 1])))).toEqual(near([12, 8])); // the statistic is the model's, 8
    expect(list(net.weight.value)).toEqual([8, 0]);
    expect(() => averaged.use(() => expect(list(net.weight.value)).toEqual(near([0, 0])))).toThrow();
    expect(list(net.weight.value)).toEqual([8, 0]);
    averaged.copyTo();
    expect(list(net.weight.value)).toEqual(near([4, 0]));
  });
});

describe("frozen weights", () => {
  it("have averages, too", () => {
    const averaged = new AveragedModel(freeze(new Net()));
    expect(Object.keys(averaged.stateDict())).toEqual(["n_averaged", "module.weight"]);
  });
});

describe("state", () => {
  it("goes on from what was saved", () => {
    const [a, b] = [new Net(), new Net()];
    const [one, other] = [new AveragedModel(a), new AveragedModel(b)];
    const go = (net: Net, averaged: AveragedModel<Net>, v: number[]) => {
      net.weight.value = tensor(v);
      averaged.updateParameters();
    };
    go(a, one, values[0]);
    go(a, one, values[1]);
    other.loadStateDict(one.stateDict());
    go(a, one, values[2]);
    go(b, other, values[2]);
    expect(list(other.stateDict()["module.weight"])).toEqual(list(one.stateDict()["module.weight"]));
  });

  it("names the fault", () => {
    class Empty extends Module {
      override forward(): void {}
    }
    expect(() => new AveragedModel(new Empty())).toThrow(
      "AveragedModel: expected a model with parameters, got one without",
    );
    expect(() => new ExponentialMovingAverage(new Net(), { decay: 2 })).toThrow("expected decay");
  });
});

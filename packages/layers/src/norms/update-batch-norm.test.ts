import { compile, Module, manualSeed, memory, randn, type Tensor, tensor } from "@nn/tensor";
import { beforeEach, describe, expect, it } from "vitest";
import { Dropout } from "../dropout.js";
import { Linear } from "../linear.js";
import { BatchNorm1d } from "./batch-norm.js";
import { updateBatchNorm } from "./update-batch-norm.js";

beforeEach(() => manualSeed(3));
const list = (t: Tensor) => Array.from(t.readSync());
const near = (want: readonly number[]) => want.map((v) => expect.closeTo(v, 5));

class Net extends Module {
  bn = new BatchNorm1d(1, { momentum: 0.3 });
  second = new BatchNorm1d(1);
  fc = new Linear(1, 2);
  override forward(x: Tensor): Tensor {
    return this.fc.forward(this.second.forward(this.bn.forward(x)));
  }
}
const column = (...values: number[]) => tensor(values).reshape([-1, 1]);

describe("updateBatchNorm", () => {
  it("gives the means of all batches, whatever was there before, and puts modes and momenta back", async () => {
    const net = new Net();
    for (let i = 0; i < 3; i++) net.forward(randn([4, 1]).mul(100));
    net.eval();
    net.fc.train();
    const weights = list(net.fc.weight.value);
    // Means 2, 5, 0; unbiased variances 2, 1, 18.
    await updateBatchNorm(net, [column(1, 3), [column(4, 5, 6), "labels"], [column(-3, 3)]]);
    expect(list(net.bn.running_mean!.value)).toEqual(near([7 / 3]));
    expect(list(net.bn.running_var!.value)).toEqual(near([21 / 3]));
    expect(list(net.bn.num_batches_tracked!.value)).toEqual([3]);
    expect(list(net.second.running_mean!.value)).toEqual(near([0]));
    expect([net.bn.momentum, net.second.momentum]).toEqual([0.3, 0.1]);
    expect([net, net.bn, net.fc].map((m) => m.training)).toEqual([false, false, true]);
    expect(list(net.fc.weight.value)).toEqual(weights);
  });

  it("takes async batches and a compiled forward, and leaves no memory behind", async () => {
    const net = new Net();
    const x = [column(1, 3), column(4, 6)];
    async function* batches() {
      for (const t of x) yield t;
    }
    const forward = compile((t: Tensor) => net.forward(t));
    await updateBatchNorm(net, batches(), { forward });
    const { bytes } = memory();
    await updateBatchNorm(net, batches(), { forward });
    await updateBatchNorm(net, x);
    expect(memory().bytes).toBe(bytes);
    expect(list(net.bn.running_mean!.value)).toEqual(near([3.5]));
    expect(list(net.bn.running_var!.value)).toEqual(near([2]));
  });

  it("puts all back after an error, and does nothing without BatchNorm", async () => {
    const net = new Net().eval();
    await expect(updateBatchNorm(net, [column(1, 3), randn([2, 5])])).rejects.toThrow("expected x (N, 1)");
    expect([net.training, net.bn.training, net.bn.momentum]).toEqual([false, false, 0.3]);
    let ran = false;
    await updateBatchNorm(new Dropout(0.5), [column(1)], { forward: () => (ran = true) });
    expect(ran).toBe(false);
  });
});

import { beforeEach, expect, it } from "vitest";
import { countParameters, freeze, isFrozen, unfreeze } from "./freeze.js";
import { compile, Module, reference, setBackend, type Tensor, tensor, Variable, valueAndGrad, zeros } from "./index.js";

beforeEach(() => setBackend(reference()));

class Part extends Module {
  w = new Variable(tensor([1, 1]));
  mean = new Variable(zeros([3]), { trainable: false });
  override forward(x: Tensor): Tensor {
    return x.mul(this.w.value);
  }
}
class Net extends Module {
  a = new Part();
  b = new Part();
  again = this.a;
  override forward(x: Tensor): Tensor {
    return this.b.forward(this.a.forward(x));
  }
}

it("takes parameters out of training, and back in; buffers stay what they are", () => {
  const net = new Net();
  expect(freeze(net.a)).toBe(net.a);
  expect(net.parameters()).toEqual([net.b.w]);
  expect([net.a.w, net.a.mean, net.b.w].map(isFrozen)).toEqual([true, false, false]);
  freeze(net);
  expect(net.parameters()).toEqual([]);
  unfreeze(net.a);
  expect(net.parameters()).toEqual([net.a.w]);
  expect(unfreeze(net)).toBe(net);
  expect(net.parameters()).toEqual([net.a.w, net.b.w]);
  expect([net.a.mean.trainable, net.b.mean.trainable]).toEqual([false, false]);
});

it("counts parameters: shared ones once, and no buffers", () => {
  const net = new Net();
  freeze(net.b);
  net.b.w.trainable = true; // by hand: not frozen any more
  expect(countParameters(net, { trainable: false })).toBe(0);
  freeze(net.b);
  expect(countParameters(net)).toBe(4);
  expect(countParameters(net, { trainable: true })).toBe(2);
  expect(countParameters(net, { trainable: false })).toBe(2);
});

it("is followed by compiled steps", () => {
  const net = new Net();
  const step = compile((x: Tensor) => {
    const parameters = net.parameters();
    const [loss, gradients] = valueAndGrad(() => net.forward(x).sum(), parameters);
    for (const [i, p] of parameters.entries()) p.value = p.value.sub(gradients[i]!);
    return loss;
  });
  const x = tensor([1, 1]);
  const values = () => [net.a.w, net.b.w].map((v) => v.value.readSync()[0]);
  step(x);
  expect(values()).toEqual([0, 0]);
  for (const v of [net.a.w, net.b.w]) v.value = tensor([2, 2]);
  freeze(net.a);
  step(x);
  expect(values()).toEqual([2, 0]);
  net.b.w.value = tensor([3, 3]);
  unfreeze(net);
  step(x);
  expect(values()).toEqual([-1, 1]);
});

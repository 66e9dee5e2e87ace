import { beforeEach, describe, expect, it } from "vitest";
import { onGradient, registerForwardHook, registerForwardPreHook, registerFullBackwardPreHook } from "./hooks.js";
import { compile, grad, Module, memory, reference, scope, setBackend, Tensor, tensor, Variable } from "./index.js";

beforeEach(() => setBackend(reference()));

const list = (t: Tensor) => Array.from(t.readSync());

/** x · w. */
class Times extends Module {
  readonly w: Variable;
  constructor(w: number) {
    super();
    this.w = new Variable(tensor([w]));
  }
  override forward(x: Tensor): Tensor {
    return x.mul(this.w.value);
  }
}

/** Twice, one after the other: x · 2 · 5. */
class Net extends Module {
  first = new Times(2);
  second = new Times(5);
  override forward(x: Tensor): Tensor {
    return this.second.forward(this.first.forward(x));
  }
}

describe("forward hooks", () => {
  it("see and replace inputs and outputs, in the order in which they were registered", () => {
    const net = new Net();
    const seen: unknown[] = [];
    registerForwardPreHook(net.first, (m, [x]) => void seen.push(["before", m === net.first, list(x)]));
    registerForwardPreHook(net.first, (_, [x]) => x.add(1)); // the only argument
    registerForwardPreHook(net.first, (_, [x]) => [x.mul(10)]); // all arguments
    registerForwardHook(net.first, (_, [x], y) => void seen.push(["after", list(x), list(y)]));
    registerForwardHook(net.first, (_, __, y) => y.add(0.5));
    registerForwardHook(net.first, () => null); // as None: changes nothing
    registerForwardHook(net.first, (_, __, y) => y.mul(2));
    expect(list(net.forward(tensor([3])))).toEqual([((3 + 1) * 10 * 2 + 0.5) * 2 * 5]);
    expect(seen).toEqual([
      ["before", true, [3]],
      ["after", [40], [80]],
    ]);
  });

  it("can be taken away, one by one, even the same function twice", () => {
    const net = new Net();
    const double = (_: Module, __: unknown, y: Tensor) => y.mul(2);
    const [a, b] = [registerForwardHook(net.first, double), registerForwardHook(net.first, double)];
    const run = () => list(net.forward(tensor([1])))[0];
    expect(run()).toBe(40);
    a.remove();
    a.remove();
    expect(run()).toBe(20);
    b.remove();
    expect(run()).toBe(10);
  });

  it("are part of compiled steps, which follow when hooks come and go", () => {
    const net = new Net();
    let [calls, traces] = [0, 0];
    const step = compile((x: Tensor) => {
      traces++;
      return net.forward(x);
    });
    const run = () => list(step(tensor([1])))[0];
    expect(run()).toBe(10);
    const handle = registerForwardHook(net.second, (_, __, y) => {
      calls++;
      return y.add(1);
    });
    expect([run(), run(), run()]).toEqual([11, 11, 11]);
    expect(calls).toBe(1); // while it was traced
    handle.remove();
    expect(run()).toBe(10);
    expect(traces).toBe(2); // the first holds again
    registerForwardPreHook(net, (_, [x]) => x.neg());
    expect(run()).toBe(-10);
  });

  it("carry gradients, and their errors name the module", () => {
    const net = new Net();
    registerForwardHook(net.first, (_, __, y) => y.square());
    const [g] = grad(() => net.forward(tensor([3])).sum(), [net.first.w]);
    expect(list(g!)).toEqual([2 * 3 * 3 * 2 * 5]); // d/dw of 5 · (3w)² at w = 2
    registerForwardHook(net.second, (_, __, y) => y.matmul(tensor([[1], [2]])));
    expect(() => net.forward(tensor([3]))).toThrow('Times "second": matmul: expected');
  });

  it("leave no memory behind inside a scope", () => {
    const net = new Net();
    registerForwardHook(net.first, (_, __, y) => y.mul(2));
    const x = tensor([1]);
    const run = () => scope(() => void net.forward(x));
    run();
    const { bytes } = memory();
    for (let i = 0; i < 5; i++) run();
    expect(memory().bytes).toBe(bytes);
  });
});

describe("hooks on gradients", () => {
  it("onGradient sees and replaces the gradient of a tensor, eager and compiled", () => {
    const w = new Variable(tensor([3]));
    const seen: number[][] = [];
    const gradients = (x: Tensor) =>
      grad(() => {
        const h = onGradient(w.value.mul(x), (g) => {
          if (!g.symbol) seen.push(list(g));
          return g.mul(10);
        });
        return h.square().sum();
      }, [w]);
    expect(list(gradients(tensor([2]))[0]!)).toEqual([10 * 2 * 6 * 2]);
    expect(seen).toEqual([[12]]);
    expect(list(compile(gradients)(tensor([2]))[0]!)).toEqual([240]);
    const looked = grad(
      () =>
        onGradient(w.value, () => undefined)
          .square()
          .sum(),
      [w],
    );
    expect(list(looked[0]!)).toEqual([6]);
  });

  it("registerFullBackwardPreHook gives the gradient of the output to what is inside", () => {
    const net = new Net();
    const seen: number[][] = [];
    const handle = registerFullBackwardPreHook(net.first, (m, g) => {
      expect(m).toBe(net.first);
      seen.push(list(g));
      return g.clamp(-1, 1);
    });
    const gradients = () => grad(() => net.forward(tensor([3])).sum(), [net.first.w, net.second.w]).map(list);
    expect(gradients()).toEqual([[3], [6]]); // clamped from 15
    expect(seen).toEqual([[5]]);
    handle.remove();
    expect(gradients()).toEqual([[15], [6]]);
  });

  it("is called for each tensor of an output, and refuses other shapes", () => {
    class Pair extends Module {
      override forward(x: Tensor): [Tensor, { twice: Tensor }] {
        return [x, { twice: x.mul(2) }];
      }
    }
    const pair = new Pair();
    const seen: number[][] = [];
    registerFullBackwardPreHook(pair, (_, g) => void seen.push(list(g)));
    const x = tensor([1, 2]);
    grad(() => {
      const [a, { twice }] = pair.forward(x);
      return a.sum().add(twice.mul(3).sum());
    }, [x]);
    expect(seen).toEqual([
      [3, 3],
      [1, 1],
    ]);
    expect(() => grad(() => onGradient(x, (g) => g.sum()).sum(), [x])).toThrow("expected a gradient (2), got ()");
  });

  it("has gradients of gradients", () => {
    const x = tensor([3]);
    const first = () =>
      grad(
        () =>
          onGradient(x, (g) => g.mul(2))
            .square()
            .sum(),
        [x],
      )[0]!;
    expect(list(grad(() => first().sum(), [x])[0]!)).toEqual([8]); // d/dx of 4x, hooked again: ×2
    expect(x).toBeInstanceOf(Tensor);
  });
});

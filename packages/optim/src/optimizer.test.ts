// What all optimisers share, shown on a few of them.

import {
  type Backend,
  compile,
  freeze,
  Module,
  manualSeed,
  memory,
  randn,
  reference,
  scope,
  setBackend,
  type Tensor,
  tensor,
  Variable,
  valueAndGrad,
  zeros,
} from "@nn/tensor";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { GradientAccumulator } from "./accumulate.js";
import { Adadelta } from "./adadelta.js";
import { Adagrad } from "./adagrad.js";
import { Adam, AdamW } from "./adam.js";
import { Adamax } from "./adamax.js";
import { clipGradNorm } from "./clip.js";
import { Lion } from "./lion.js";
import { NAdam } from "./nadam.js";
import type { Optimizer } from "./optimizer.js";
import { RAdam } from "./radam.js";
import { RMSprop } from "./rmsprop.js";
import { Rprop } from "./rprop.js";
import { SGD } from "./sgd.js";

const list = (t: Tensor) => Array.from(t.readSync());
const near = (want: readonly number[]) => want.map((v) => expect.closeTo(v, 5));

/** A line to fit, from fixed beginnings. */
function line() {
  const [w, b] = [new Variable(tensor([[0.5], [-0.5]])), new Variable(tensor([0.1]))];
  const loss = (x: Tensor, y: Tensor) => x.matmul(w.value).add(b.value).sub(y).square().mean();
  return { w, b, params: [w, b], loss, values: () => [...list(w.value), ...list(b.value)] };
}

const kinds: [string, (params: Variable[]) => Optimizer][] = [
  ["SGD", (p) => new SGD(p, { lr: 0.05 })],
  ["SGD with momentum", (p) => new SGD(p, { lr: 0.05, momentum: 0.9, dampening: 0.3, weightDecay: 0.01 })],
  ["SGD with Nesterov", (p) => new SGD(p, { lr: 0.05, momentum: 0.9, nesterov: true })],
  ["Adam", (p) => new Adam(p, { lr: 0.05, weightDecay: 0.01 })],
  ["Adam with amsgrad", (p) => new Adam(p, { lr: 0.05, amsgrad: true, betas: [0, 0.9] })],
  ["AdamW", (p) => new AdamW(p, { lr: 0.05, weightDecay: 0.1 })],
  ["RMSprop", (p) => new RMSprop(p, { lr: 0.05 })],
  ["RMSprop, centered, with momentum", (p) => new RMSprop(p, { lr: 0.01, alpha: 0.9, centered: true, momentum: 0.5 })],
  ["Adagrad", (p) => new Adagrad(p, { lr: 0.2, lrDecay: 0.01 })],
  ["Adadelta", (p) => new Adadelta(p, { lr: 1, eps: 1e-3 })],
  ["Adamax", (p) => new Adamax(p, { lr: 0.05 })],
  ["NAdam", (p) => new NAdam(p, { lr: 0.05 })],
  ["RAdam", (p) => new RAdam(p, { lr: 0.1 })],
  ["Rprop", (p) => new Rprop(p)],
  ["Lion", (p) => new Lion(p, { lr: 0.05, weightDecay: 0.01 })],
];

let x: Tensor;
let y: Tensor;
beforeEach(() => {
  setBackend(reference());
  manualSeed(11);
  x = randn([8, 2]);
  y = x.matmul(tensor([[2], [-3]])).add(1);
});

describe.each(kinds)("%s", (_, make) => {
  it("goes down", () => {
    const model = line();
    const optimizer = make(model.params);
    const first = optimizer.minimize(() => model.loss(x, y)).readSync()[0];
    for (let i = 0; i < 30; i++) optimizer.minimize(() => model.loss(x, y));
    expect(model.loss(x, y).readSync()[0]).toBeLessThan(0.7 * first);
  });

  it("does the same compiled, and follows a learning rate that changes", () => {
    const [a, b] = [line(), line()];
    const [eager, compiled] = [make(a.params), make(b.params)];
    const step = compile((x: Tensor, y: Tensor) => compiled.minimize(() => b.loss(x, y)));
    for (let i = 0; i < 6; i++) {
      if (i === 3) eager.lr = compiled.lr = 0.01;
      expect(list(step(x, y))).toEqual(near(list(eager.minimize(() => a.loss(x, y)))));
    }
    expect(b.values()).toEqual(near(a.values()));
  });

  it("goes on from its state dict as if nothing had happened", () => {
    const [a, b] = [line(), line()];
    const one = make(a.params);
    for (let i = 0; i < 4; i++) one.minimize(() => a.loss(x, y));
    one.lr = 0.02;
    a.params.forEach((p, i) => {
      b.params[i].value = p.value;
    });
    const other = make(b.params);
    other.loadStateDict(one.stateDict());
    expect(other.lr).toBe(Math.fround(0.02));
    for (let i = 0; i < 4; i++) {
      one.minimize(() => a.loss(x, y));
      other.minimize(() => b.loss(x, y));
    }
    expect(b.values()).toEqual(a.values());
  });

  it("keeps memory flat, eager and compiled", () => {
    const model = line();
    const optimizer = make(model.params);
    const eager = () => optimizer.minimize(() => model.loss(x, y));
    for (const step of [eager, compile(eager)]) {
      for (let i = 0; i < 2; i++) step().dispose();
      const before = memory().bytes;
      for (let i = 0; i < 20; i++) step().dispose();
      expect(memory().bytes).toBe(before);
    }
  });
});

describe("freezing", () => {
  class Line extends Module {
    w = new Variable(tensor([[0.5], [-0.5]]));
    b = new Variable(tensor([0.1]));
    loss(x: Tensor, y: Tensor) {
      return this.forward(x).sub(y).square().mean();
    }
    override forward(x: Tensor) {
      return x.matmul(this.w.value).add(this.b.value);
    }
  }

  it.each(kinds)("%s passes frozen parameters over, their state and decay too, eager and compiled", (_, make) => {
    const models = [new Line(), new Line()] as const;
    const [eager, compiled] = models.map((m) => make([m.w, m.b])) as [Optimizer, Optimizer];
    const step = compile((x: Tensor, y: Tensor) => compiled.minimize(() => models[1].loss(x, y)));
    const run = () => {
      eager.minimize(() => models[0].loss(x, y));
      step(x, y);
    };
    const look = () => [eager, compiled].map((o, i) => ({ model: models[i]!.stateDict(), state: o.stateDict() }));
    const state = (of: Record<string, Tensor>, i: number) =>
      Object.entries(of).flatMap(([k, t]) => (k.startsWith(`state.${i}.`) && !k.endsWith("step") ? list(t) : []));
    run();
    const before = look();
    for (const m of models) m.w.trainable = false;
    expect(eager.parameters).toEqual([models[0].b]);
    run();
    const frozen = look();
    for (const m of models) m.w.trainable = true;
    run();
    const after = look();
    for (const i of [0, 1]) {
      expect(list(frozen[i]!.model["w"]!)).toEqual(list(before[i]!.model["w"]!));
      expect(list(frozen[i]!.model["b"]!)).not.toEqual(list(before[i]!.model["b"]!));
      expect(state(frozen[i]!.state, 0)).toEqual(state(before[i]!.state, 0));
      expect(list(after[i]!.model["w"]!)).not.toEqual(list(frozen[i]!.model["w"]!));
    }
    expect(list(after[1]!.model["w"]!)).toEqual(near(list(after[0]!.model["w"]!)));
    expect(list(after[1]!.model["b"]!)).toEqual(near(list(after[0]!.model["b"]!)));
  });

  it("keeps gradients in the order of what is trained, and accumulates them so", () => {
    const model = new Line();
    const optimizer = new SGD([model.w, model.b], { lr: 1 });
    const accumulator = new GradientAccumulator(optimizer);
    freeze(model);
    expect(optimizer.parameters).toEqual([]);
    model.b.trainable = true;
    accumulator.add([tensor([1])]);
    accumulator.add([tensor([3])]);
    accumulator.step();
    expect(list(model.b.value)).toEqual(near([0.1 - 2]));
    expect(list(model.w.value)).toEqual([0.5, -0.5]);
    expect(() => optimizer.step([zeros([2, 1]), zeros([1])])).toThrow("expected 1 gradients");
    expect(() => new SGD([model.w], { lr: 1 })).toThrow("make the optimiser first");
  });
});

describe("minimize and step", () => {
  it("return the loss of before, and pass gradients through the transform", () => {
    const [model, plain] = [line(), line()];
    const want = list(model.loss(x, y));
    let norm = 0;
    const optimizer = new SGD(model.params, { lr: 1 });
    const loss = optimizer.minimize(() => model.loss(x, y), {
      transform: (g) => {
        const { gradients, totalNorm } = clipGradNorm(g, 0.5);
        norm = totalNorm.readSync()[0];
        return gradients;
      },
    });
    expect(list(loss)).toEqual(near(want));
    expect(norm).toBeGreaterThan(0.5);
    const moved = Math.hypot(...model.values().map((v, i) => v - plain.values()[i]));
    expect(moved).toBeCloseTo(0.5, 5);
  });

  it("step takes gradients from anywhere, in the order of the parameters", () => {
    const [a, b] = [line(), line()];
    const [one, other] = [new Adam(a.params), new Adam(b.params)];
    one.minimize(() => a.loss(x, y));
    other.step(valueAndGrad(() => b.loss(x, y), other.parameters)[1]);
    expect(b.values()).toEqual(a.values());
  });

  it("refuse gradients that do not fit, and losses that are no scalar", () => {
    const model = line();
    const optimizer = new Adam(model.params);
    expect(() => optimizer.step([zeros([2, 1])])).toThrow(
      "Adam.step: expected 2 gradients, in the order of the parameters, got 1. Differentiate in optimizer.parameters.",
    );
    expect(() => optimizer.step([zeros([2, 1]), zeros([2])])).toThrow("Adam.step: expected gradient 1 (1), got (2)");
    expect(() => optimizer.minimize(() => x.matmul(model.w.value))).toThrow(
      "expected a function that returns a scalar f32 tensor",
    );
    expect(() => compile(() => new Adam(model.params))()).toThrow("expected to be made outside compile()");
  });
});

describe("groups", () => {
  it("have their own options, and share the others", () => {
    const [a, b] = [new Variable(tensor([1])), new Variable(tensor([1]))];
    const optimizer = new SGD([{ params: [a] }, { params: [b], lr: 0.5, weightDecay: 0.1 }], {
      lr: 0.1,
      momentum: 0.9,
    });
    optimizer.step([tensor([1]), tensor([1])]);
    expect(list(a.value)).toEqual(near([0.9]));
    expect(list(b.value)).toEqual(near([1 - 0.5 * 1.1]));
    expect(optimizer.groups.map((g) => [g.lr, g.options.momentum, g.options.weightDecay])).toEqual([
      [0.1, 0.9, 0],
      [0.5, 0.9, 0.1],
    ]);
    expect(optimizer.parameters).toEqual([a, b]);
    optimizer.groups[1].lr = 0.25;
    expect(optimizer.lr).toBe(0.1);
    optimizer.lr = 0.3;
    expect(optimizer.groups.map((g) => g.lr)).toEqual([0.3, 0.3]);
  });

  it("take undefined as not given", () => {
    const optimizer = new Adam([{ params: [new Variable(zeros([1]))], eps: undefined }], { lr: undefined });
    expect(optimizer.groups[0].options).toEqual({
      lr: 1e-3,
      betas: [0.9, 0.999],
      eps: 1e-8,
      weightDecay: 0,
      amsgrad: false,
      maximize: false,
    });
  });

  it("refuse what is no parameter", () => {
    const v = new Variable(zeros([2]));
    const make = (params: unknown) => () => new SGD(params as Variable[], { lr: 0.1 });
    expect(make([])).toThrow("SGD: expected at least one parameter, got none. Pass model.parameters()");
    expect(make([{ params: [] }])).toThrow("expected at least one parameter");
    expect(make([v, v])).toThrow("SGD: expected each parameter once, got one of them twice");
    expect(make([{ params: [v] }, { params: [v] }])).toThrow("expected each parameter once");
    expect(make(v)).toThrow(
      "expected an array of Variables, or of groups { params: Variable[], …options }, got object",
    );
    expect(make([v, zeros([2])])).toThrow("got something else among them. Pass model.parameters().");
    expect(make([{ lr: 1 }])).toThrow("expected an array of Variables");
    expect(make([new Variable(zeros([2], { dtype: "i32" }))])).toThrow("expected f32 parameters, got i32 (2)");
    expect(make([new Variable(zeros([2]), { trainable: false })])).toThrow(
      "expected trainable parameters, got a Variable (2) with trainable = false",
    );
  });
});

describe("the learning rate", () => {
  it("reads as the number that was set, though the device has 24 bits of it", () => {
    const optimizer = new Adam([new Variable(zeros([1]))]);
    expect(optimizer.lr).toBe(1e-3);
    optimizer.lr = 0.1;
    expect(optimizer.lr).toBe(0.1);
    expect(list(optimizer.groups[0].rate.value)).toEqual([Math.fround(0.1)]);
    expect(() => (optimizer.lr = -1)).toThrow("Adam: expected lr ≥ 0, got -1");
    expect(optimizer.lr).toBe(0.1);
  });

  it("may be changed inside a compiled step through its Variable", () => {
    const optimizer = new SGD([new Variable(zeros([1]))], { lr: 1 });
    const [{ rate }] = optimizer.groups;
    compile(() => {
      rate.value = rate.value.mul(0.5);
    })();
    expect(optimizer.lr).toBe(0.5);
  });

  describe("on a backend that cannot be read at once", () => {
    afterEach(() => setBackend(reference()));

    it("is known until it comes from a state dict", async () => {
      const { readSync: _, ...later } = reference() as Backend & { readSync: unknown };
      setBackend({ ...later, read: async (b) => reference().read(b) } as Backend);
      const optimizer = new SGD([new Variable(zeros([1]))], { lr: 0.1 });
      expect(optimizer.lr).toBe(0.1);
      optimizer.loadStateDict(optimizer.stateDict());
      expect(() => optimizer.lr).toThrow(
        "SGD.lr: expected a learning rate that was set as a number, got one from loadStateDict",
      );
      optimizer.lr = 0.2;
      expect(optimizer.lr).toBe(0.2);
    });
  });
});

describe("the state dict", () => {
  const keysOf = (optimizer: Optimizer) =>
    Object.entries(optimizer.stateDict()).map(([k, t]) => `${k} ${t.dtype}(${t.shape})`);

  it("has PyTorch's names", () => {
    const params = line().params;
    expect(keysOf(new Adam(params, { amsgrad: true }))).toEqual([
      "state.0.exp_avg f32(2,1)",
      "state.0.exp_avg_sq f32(2,1)",
      "state.0.max_exp_avg_sq f32(2,1)",
      "state.0.step f32()",
      "state.1.exp_avg f32(1)",
      "state.1.exp_avg_sq f32(1)",
      "state.1.max_exp_avg_sq f32(1)",
      "state.1.step f32()",
      "param_groups.0.lr f32()",
    ]);
    const groups = params.map((p) => ({ params: [p] }));
    expect(keysOf(new SGD(groups, { lr: 1, momentum: 0.9 }))).toEqual([
      "state.0.momentum_buffer f32(2,1)",
      "state.0.step f32()",
      "param_groups.0.lr f32()",
      "state.1.momentum_buffer f32(1)",
      "state.1.step f32()",
      "param_groups.1.lr f32()",
    ]);
    expect(keysOf(new SGD(params, { lr: 1 }))).toEqual([
      "state.0.step f32()",
      "state.1.step f32()",
      "param_groups.0.lr f32()",
    ]);
  });

  it("counts steps, and takes a step of another dtype", () => {
    const model = line();
    const optimizer = new Adam(model.params);
    for (let i = 0; i < 3; i++) optimizer.minimize(() => model.loss(x, y));
    const state = optimizer.stateDict();
    expect(list(state["state.1.step"])).toEqual([3]);
    for (const i of [0, 1]) state[`state.${i}.step`] = tensor(new Int32Array([7]), { shape: [] });
    optimizer.loadStateDict(state);
    expect(list(optimizer.stateDict()["state.0.step"])).toEqual([7]);
  });

  it("that does not fit is refused as a whole, with every reason", () => {
    const model = line();
    const optimizer = new Adam(model.params);
    const state: Record<string, Tensor> = {
      ...optimizer.stateDict(),
      "state.0.exp_avg": zeros([3]),
      "state.2.exp_avg": zeros([1]),
    };
    state["state.1.exp_avg"] = tensor([5]);
    delete state["param_groups.0.lr"];
    expect(() => optimizer.loadStateDict(state)).toThrow(
      "Adam.loadStateDict: expected the 7 keys of this optimizer, got missing keys: param_groups.0.lr | unexpected keys: state.2.exp_avg | " +
        "wrong shapes: state.0.exp_avg: expected (2, 1), got (3). Make it with the same parameters and options.",
    );
    expect(list(optimizer.stateDict()["state.1.exp_avg"])).toEqual([0]);
  });
});

it("what is made in the constructor is only what is kept", () => {
  const params = line().params;
  const before = memory().bytes;
  scope(() => new Adam(params));
  expect(memory().bytes - before).toBe(4 * (2 * 3 + 1 + 1)); // two moments of 3 numbers, the step, the rate
});

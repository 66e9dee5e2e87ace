import { describe, expect, it } from "vitest";
import {
  apply1,
  arange,
  assemble,
  compile,
  customGradient,
  detectAnomalies,
  getBackend,
  indexSelect,
  insideModules,
  keep,
  Module,
  manualSeed,
  memory,
  modulePath,
  ones,
  type Plan,
  rand,
  randn,
  reference,
  scope,
  setBackend,
  stopGradient,
  type Tensor,
  tensor,
  Variable,
  valueAndGrad,
  zeros,
} from "../index.js";

describe("compile", () => {
  it("gives what the function gives", async () => {
    const f = (x: Tensor, y: Tensor) => x.matmul(y).add(1).relu().softmax(-1).sum(0);
    const compiled = compile(f);
    const [x, y] = [randn([3, 4]), randn([4, 5])];
    const want = await f(x, y).read();
    const got = await compiled(x, y).read();
    got.forEach((v, i) => {
      expect(v).toBeCloseTo(want[i]!, 6);
    });
  });

  it("hands a plan's steps over with the modules that they are of", () => {
    class Inner extends Module {
      weight = new Variable(ones([3, 3]));
      forward(x: Tensor) {
        return x.matmul(this.weight.value);
      }
    }
    class Net extends Module {
      inner = [new Inner()];
      forward(x: Tensor) {
        return this.inner[0]!.forward(x).softmax(-1);
      }
    }
    const plans: Plan<unknown>[] = [];
    const before = getBackend();
    const backend = reference();
    const load = (plan: Plan<never>) => {
      plans.push(plan);
      return backend.load(plan);
    };
    setBackend({ ...backend, load });
    try {
      const net = new Net();
      const f = compile((x: Tensor) => valueAndGrad(() => net.forward(x).mul(2).mean(), [net.inner[0]!.weight])[1]);
      f(ones([2, 3]));
    } finally {
      setBackend(before);
    }
    const names = plans.at(-1)!.steps.map(({ modules }) => insideModules(modules!, modulePath));
    expect(names).toMatchInlineSnapshot(`
      [
        "Inner "inner.0"",
        "Net",
        "Net",
        "Net",
        "Net",
        "Net",
        "Net",
        "Inner "inner.0"",
      ]
    `);
  });

  it("traces once per signature, not per call", () => {
    let runs = 0;
    const f = compile((x: Tensor, n: number) => {
      runs++;
      return x.mul(n);
    });
    f(ones([2]), 3);
    f(zeros([2]), 3);
    expect(runs).toBe(1);
    f(ones([3]), 3);
    f(ones([2]), 4);
    f(ones([2], { dtype: "i32" }), 3);
    expect(runs).toBe(4);
  });

  it("keeps a bounded number of traces, the most recently used", () => {
    let runs = 0;
    const f = compile(
      (x: Tensor) => {
        runs++;
        return x.add(1);
      },
      { maxTraces: 2 },
    );
    for (const n of [1, 2, 1, 3, 1]) f(ones([n]));
    expect(runs).toBe(3);
    f(ones([2]));
    expect(runs).toBe(4);
    const { plans } = memory();
    f.dispose();
    expect(memory().plans).toBeLessThanOrEqual(plans);
  });

  it("reads and writes Variables, in place", async () => {
    const w = new Variable(zeros([3]));
    const step = compile((x: Tensor) => {
      w.value = w.value.add(x);
      return w.value.sum();
    });
    expect(await step(ones([3])).item()).toBe(3);
    expect(await step(ones([3])).item()).toBe(6);
    expect(await w.value.toArray()).toEqual([2, 2, 2]);
    expect(step.explain()).toContain("updated in place");
  });

  it("leaves a Variable alone that is only read, and writes one that is never read", async () => {
    const [a, b] = [new Variable(ones([2])), new Variable(zeros([2]))];
    const step = compile(() => {
      b.value = a.value.mul(5);
    });
    step();
    expect(await a.value.toArray()).toEqual([1, 1]);
    expect(await b.value.toArray()).toEqual([5, 5]);
  });

  it("swaps two Variables", async () => {
    const [a, b] = [new Variable(tensor([1, 2])), new Variable(tensor([3, 4]))];
    const swap = compile(() => {
      [a.value, b.value] = [b.value, a.value];
    });
    swap();
    expect([await a.value.toArray(), await b.value.toArray()]).toEqual([
      [3, 4],
      [1, 2],
    ]);
    swap();
    expect([await a.value.toArray(), await b.value.toArray()]).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  it("writes a Variable that a later op still needs the old value of", async () => {
    const a = new Variable(tensor([1, 2, 3]));
    const step = compile(() => {
      const old = a.value;
      a.value = old.flip(0);
      return old.sum();
    });
    expect(await step().item()).toBe(6);
    expect(await a.value.toArray()).toEqual([3, 2, 1]);
  });

  it("does not turn a Variable's value over itself", async () => {
    const v = new Variable(tensor([1, 2, 3, 4]));
    const turn = compile(() => {
      v.value = apply1(assemble, [v.value], { shape: [4], regions: [{ shape: [4], offset: 3, strides: [-1] }] });
    });
    turn();
    expect(await v.value.toArray()).toEqual([4, 3, 2, 1]);
  });

  it("does not touch a handle taken before, nor an argument that shares the buffer", async () => {
    const w = new Variable(ones([2]));
    const before = w.value;
    const step = compile((x: Tensor) => {
      w.value = w.value.add(x);
    });
    step(before);
    expect(await before.toArray()).toEqual([1, 1]);
    expect(await w.value.toArray()).toEqual([2, 2]);
  });

  it("takes views, nested arguments and returns structures", async () => {
    const f = compile(({ a, list }: { a: Tensor; list: readonly Tensor[] }, name: string) => ({
      sum: a.add(list[0]!),
      same: a,
      rest: [list[1]!, name, 7] as const,
    }));
    const x = arange(6).reshape([2, 3]).transpose();
    const { sum, same, rest } = f({ a: x, list: [x, ones([1])] }, "n");
    expect(await sum.toArray()).toEqual([
      [0, 6],
      [2, 8],
      [4, 10],
    ]);
    expect(await same.toArray()).toEqual([
      [0, 3],
      [1, 4],
      [2, 5],
    ]);
    expect([await rest[0].toArray(), rest[1], rest[2]]).toEqual([[1], "n", 7]);
  });

  it("closes over tensors as constants", async () => {
    const c = tensor([1, 2]);
    const f = compile((x: Tensor) => x.add(c).add(tensor([10, 20])));
    expect(await f(zeros([2])).toArray()).toEqual([11, 22]);
    expect(await f(ones([2])).toArray()).toEqual([12, 23]);
  });

  it("traces anew when a module's mode changes", async () => {
    class Net extends Module {
      forward(x: Tensor) {
        return this.training ? x.mul(2) : x;
      }
    }
    const net = new Net();
    const f = compile((x: Tensor) => net.forward(x));
    expect(await f(ones([1])).item()).toBe(2);
    net.eval();
    expect(await f(ones([1])).item()).toBe(1);
    net.train();
    expect(await f(ones([1])).item()).toBe(2);
  });

  it("advances random numbers, the same as eager", async () => {
    const draw = () => [rand([3]), randn([2, 2])];
    const f = compile(draw);
    manualSeed(5);
    const want = [...draw(), ...draw()];
    manualSeed(5);
    const got = [...f(), ...f()];
    for (const [i, t] of got.entries()) expect(await t.toArray()).toEqual(await want[i]!.toArray());
  });

  it("runs inside another compiled function and inside gradients", async () => {
    const inner = compile((x: Tensor) => x.square());
    const outer = compile((x: Tensor) => inner(x).sum());
    expect(await outer(tensor([1, 2])).item()).toBe(5);
    const x = tensor([3]);
    const [, [g]] = valueAndGrad(() => inner(x).sum(), [x]);
    expect(await g!.item()).toBe(6);
  });

  it("says what it does", () => {
    const f = compile((x: Tensor) => x.mul(2).add(1).relu().sum());
    expect(f.explain()).toContain("Not traced yet");
    const text = f.explain(ones([4, 5]));
    expect(text).toContain("compiled for reference");
    expect(text).toContain("1 kernels"); // all in one reduction
    expect(text).toContain("memory:");
  });

  it("explains itself when it cannot be traced", () => {
    expect(() => compile((x: Tensor) => (x.readSync()[0]! > 0 ? x : x.neg()))(ones([1]))).toThrow(
      /where\(\) instead of if/,
    );
    expect(() => compile(() => new Variable(zeros([1])))()).toThrow(/outside compile/);
    expect(() => compile((f: () => void) => f())(() => {})).toThrow(/Close over modules/);
    let escaped: Tensor | null = null;
    compile((x: Tensor) => {
      escaped = x.mul(2);
      return x;
    })(ones([1]));
    expect(() => escaped!.readSync()).toThrow(/inside compile/);
    expect(() => compile(() => escaped!.add(1))()).toThrow(/another compile/);
  });

  it("changes nothing when the function throws", async () => {
    const w = new Variable(ones([2]));
    const f = compile((x: Tensor) => {
      w.value = w.value.mul(9);
      return x.matmul(zeros([3, 3]));
    });
    expect(() => f(ones([2, 2]))).toThrow(/matmul/);
    expect(await w.value.toArray()).toEqual([1, 1]);
  });
});

describe("memory", () => {
  const x = randn([16, 8]);
  const y = randn([16, 4]);
  const train = () => {
    const [w1, w2] = [new Variable(randn([8, 32])), new Variable(randn([32, 4]))];
    const moment = new Variable(zeros([8, 32]));
    return (): Tensor =>
      scope(() => {
        const [loss, [g1, g2]] = valueAndGrad(
          () => x.matmul(w1.value).relu().matmul(w2.value).sub(y).square().mean(),
          [w1, w2],
        );
        moment.value = moment.value.mul(0.9).add(g1!);
        w1.value = w1.value.sub(moment.value.mul(0.01));
        w2.value = w2.value.sub(g2!.mul(0.01));
        return loss;
      });
  };

  it.each(["eager", "compiled"])("1,000 steps of training end with the bytes of the second: %s", (mode) => {
    const step = mode === "eager" ? train() : compile(train());
    step().dispose();
    step().dispose();
    const after2 = memory();
    for (let i = 2; i < 1000; i++) step().dispose();
    expect(memory()).toEqual(after2);
  });

  it("gets back what a run that fails had made", () => {
    const [x, wrong] = [rand([3, 4]), tensor([3], { dtype: "i32" })];
    const pick = (i: Tensor) => indexSelect(x, 0, i.slice([null]));
    const compiled = compile((i: Tensor) => [pick(i), i.add(1)]);
    expect(() => compiled(wrong)).toThrow("0…2");
    const before = memory();
    expect(() => scope(() => void pick(wrong))).toThrow("0…2");
    expect(() => compiled(wrong)).toThrow("0…2");
    expect(memory()).toEqual(before);
  });

  it("frees what a scope made, but not what it returns or keeps", () => {
    const before = memory();
    let kept: Tensor | null = null;
    const [a, { b }] = scope(() => {
      const t = ones([100]);
      kept = keep(t.add(1));
      return [t.mul(2), { b: t.mul(3) }] as const;
    });
    expect(memory().bytes - before.bytes).toBe(3 * 400);
    for (const t of [a, b, kept!]) (t as Tensor).dispose();
    expect(memory()).toEqual(before);
  });

  it("gets back what traces and custom gradients hold of the outside", () => {
    const [c, x] = [ones([3]), ones([3])];
    const before = memory();
    const f = compile((t: Tensor) => t.add(c).mul(tensor([1, 2, 3])));
    f(x).dispose();
    f.dispose();
    const custom = customGradient({ name: "offset", forward: (t) => t.add(c), backward: (ct) => [ct] });
    custom(x).dispose();
    scope(() => {
      valueAndGrad(() => custom(x).sum(), [x]);
    });
    expect(memory().bytes - before.bytes).toBeLessThanOrEqual(12); // the literal, until the collector finds it
  });

  it("counts views once and frees with the last of them", () => {
    const before = memory().bytes;
    const t = ones([10]);
    const v = t.reshape([2, 5]).transpose();
    t.dispose();
    expect(memory().bytes).toBeGreaterThan(before);
    expect(v.readSync()).toHaveLength(10);
    v.dispose();
  });

  it("disposes at the end of a using block", () => {
    const before = memory();
    {
      using t = ones([4]);
      expect(t.disposed).toBe(false);
    }
    expect(memory()).toEqual(before);
  });

  it("says what happened when a freed tensor is used", () => {
    let lost: Tensor | null = null;
    scope(() => {
      lost = ones([2]);
    });
    expect(() => lost!.add(1)).toThrow(/freed.*keep\(tensor\)/);
    expect(() => scope(async () => {})).toThrow(/Await outside/);
  });

  it("frees what is forgotten when the collector runs", async ({ skip }) => {
    const { gc } = globalThis as { gc?: () => void };
    if (!gc) return skip("node runs without --expose-gc");
    const before = memory().bytes;
    for (let i = 0; i < 50; i++) ones([1000]);
    expect(memory().bytes).toBe(before + 50 * 4000);
    for (let i = 0; i < 20 && memory().bytes > before + 4000; i++) {
      gc();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(memory().bytes).toBeLessThanOrEqual(before + 4000);
  });

  it("frees the rest when the body throws", () => {
    const before = memory();
    expect(() => scope(() => ones([2]).matmul(ones([3])))).toThrow();
    expect(memory()).toEqual(before);
  });
});

describe("detectAnomalies", () => {
  it("names op and module of the first NaN, also in compiled functions", () => {
    class Bad extends Module {
      forward(x: Tensor) {
        return stopGradient(x).log().mul(2);
      }
    }
    class Net extends Module {
      inner = new Bad();
      forward(x: Tensor) {
        return this.inner.forward(x);
      }
    }
    const net = new Net();
    const f = compile((x: Tensor) => net.forward(x));
    f(tensor([-1]));
    detectAnomalies();
    try {
      expect(() => f(tensor([-1]))).toThrow('Bad "inner": log: expected no NaN');
      expect(() => f(tensor([Number.NaN]))).toThrow(/stopGradient.*had NaN already/);
    } finally {
      detectAnomalies(false);
    }
  });
});

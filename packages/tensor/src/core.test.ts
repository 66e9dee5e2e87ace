// Errors, modules, Variables, random numbers: what a user meets first.

import { describe, expect, it, vi } from "vitest";
import {
  apply1,
  arange,
  bernoulli,
  cat,
  compile,
  defineOp,
  einsum,
  expr,
  fail,
  Generator,
  gather,
  getBackend,
  grad,
  Module,
  manualSeed,
  map,
  matmul,
  NNError,
  norm,
  ones,
  pad,
  promote,
  rand,
  randint,
  randn,
  reference,
  scatterAdd,
  setBackend,
  slidingWindow,
  std,
  type Tensor,
  tensor,
  topK,
  Variable,
  where,
  zeros,
} from "./index.js";
import { threefry } from "./ops/random.js";

describe("errors", () => {
  it("carry op, expected, got and what to do", () => {
    try {
      matmul(zeros([2, 3]), zeros([4, 5]));
      expect.unreachable();
    } catch (e) {
      expect(e).toBeInstanceOf(NNError);
      expect(e).toMatchObject({ op: "matmul", got: "(2, 3) and (4, 5): 3 ≠ 4" });
      expect((e as NNError).hint).toMatch(/transpose/);
    }
  });

  it("name the module, by its path", () => {
    class Inner extends Module {
      forward(x: Tensor) {
        return x.matmul(zeros([7, 7]));
      }
    }
    class Block extends Module {
      layers = [new Inner(), new Inner()];
      forward(x: Tensor) {
        return this.layers[1]!.forward(x);
      }
    }
    class Net extends Module {
      block = new Block();
      forward(x: Tensor) {
        return this.block.forward(x);
      }
    }
    expect(() => new Net().forward(zeros([2, 2]))).toThrow('Inner "block.layers.1": matmul: expected');
    expect(() => new Inner().forward(zeros([2, 2]))).toThrow("Inner: matmul: expected");
    expect(() => matmul(zeros([2, 2]), zeros([7, 7]))).toThrow(/^matmul/);
  });

  const x = zeros([2, 3]);
  it.each<[string, () => unknown, RegExp]>([
    ["broadcast", () => x.add(zeros([4])), /add: expected shapes that broadcast.*\(2, 3\) and \(4\)/],
    ["axis", () => x.sum(2), /sum: expected an axis from -2 to 1, got 2/],
    ["repeated axis", () => x.sum([0, -2]), /each axis once/],
    ["reshape", () => x.reshape([4, -1]), /6 elements of \(2, 3\)/],
    ["permute", () => x.permute([0, 0]), /each of the 2 axes/],
    ["cat", () => cat([x, zeros([2, 4, 1])]), /cat: expected shapes equal to \(2, 3\) except on axis 0/],
    ["gather dtype", () => gather(x, 0, x), /dtype i32.*cast\("i32"\)/],
    [
      "gather range",
      () => gather(x, 1, tensor(new Int32Array([3, 0]), { shape: [2, 1] })),
      /indices 0…2 on axis 1, got 3/,
    ],
    ["topK", () => topK(x, 4), /topK: expected k from 0 to 3/],
    ["einsum", () => einsum("ij,jk->ik", x, x), /axis "j" of sizes 3 and 2/],
    ["window", () => slidingWindow(x, 1, 4), /one window of 4/],
    ["pad", () => pad(x, [[3, 0]], { mode: "reflect" }), /padding from 0 to 2/],
    ["ragged", () => tensor([[1, 2], [3]]), /rows of one shape \(2\), got \(1\) at position 1/],
    ["not a tensor", () => x.add([1, 2] as unknown as Tensor), /add: expected a Tensor as input 1, got Array/],
    [
      "item",
      () =>
        x
          .max(0)
          .reshape([3])
          .slice([[0, 0]])
          .max(),
      /at least one element/,
    ],
    ["seed", () => manualSeed(-1), /whole number/],
  ])("explain %s", (_, f, message) => {
    expect(f).toThrow(message);
  });

  it("notice a tensor of another backend", () => {
    const before = getBackend();
    setBackend(reference());
    try {
      expect(() => x.add(1)).toThrow(/current backend.*setBackend\(\) before/);
    } finally {
      setBackend(before);
    }
    expect(() => fail({ op: "o", expected: "e", got: "g" })).toThrow("o: expected e, got g.");
  });

  it("say how to choose a backend where none was chosen", async () => {
    vi.resetModules();
    const fresh = await import("./index.js");
    expect(() => fresh.tensor([1])).toThrow(/getBackend: expected a backend.*Call setBackend\(reference\(\)\) or/);
    fresh.setBackend(fresh.reference());
    expect(fresh.tensor([1]).readSync()).toEqual(new Float32Array([1]));
  });
});

describe("einsum", () => {
  it("takes diagonals, traces, dots and implicit results", async () => {
    const x = tensor([
      [1, 2],
      [3, 4],
    ]);
    expect(await einsum("ii->i", x).toArray()).toEqual([1, 4]);
    expect(await einsum("ii", x).toArray()).toBe(5);
    expect(await einsum("ij,jk", x, x).toArray()).toEqual(await matmul(x, x).toArray());
    expect(await einsum("...ij->...ji", x).toArray()).toEqual(await x.transpose().toArray());
    expect(await einsum("i,i->", x.select(0, 0), x.select(0, 1)).item()).toBe(11);
    const wide = ones([5, 2, 3]);
    expect(einsum("b...j,jk->b...k", wide, ones([3, 7])).shape).toEqual([5, 2, 7]);
    expect(() => einsum("ij->ik", x)).toThrow(/only on the right/);
  });
});

describe("ops of one name", () => {
  it("are told apart, eager and compiled", async () => {
    const make = (factor: number) =>
      defineOp<object>({
        name: "test/same",
        infer: ([x]) => [x!],
        expr: ([x]) => expr.call("mul", x!, expr.num(factor)),
      });
    const [twice, thrice] = [make(2), make(3)];
    const both = (x: Tensor) => apply1(twice, [x], {}).add(apply1(thrice, [x], {}));
    expect(await both(ones([2])).toArray()).toEqual([5, 5]);
    expect(await compile(both)(ones([2])).toArray()).toEqual([5, 5]);
  });
});

describe("what PyTorch says at the edges", () => {
  it("takes the gradient of a norm or deviation of nothing as 0", async () => {
    const x = zeros([3]);
    for (const f of [() => norm(x), () => norm(x, null, { p: 3 }), () => std(ones([3]).mul(x))]) {
      expect(await grad(f, [x])[0]!.toArray()).toEqual([0, 0, 0]);
    }
  });

  it("adds at an index that is shorter than x", async () => {
    const index = tensor(new Int32Array([1, 0]), { shape: [1, 2] });
    const y = scatterAdd(zeros([2, 3]), 0, index, ones([2, 3]));
    expect(await y.toArray()).toEqual([
      [0, 1, 0],
      [1, 0, 0],
    ]);
  });

  it("compares integers with numbers out of their range", async () => {
    expect(
      await tensor(new Uint32Array([5]))
        .lt(-1)
        .toArray(),
    ).toEqual([false]);
    expect(
      await tensor(new Int32Array([5]))
        .lt(3e9)
        .toArray(),
    ).toEqual([true]);
  });

  it("raises 1 to anything", async () => {
    const x = tensor([1, -1, -1]);
    expect(await x.pow(tensor([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])).toArray()).toEqual([
      1, 1, 1,
    ]);
  });
});

describe("dtypes", () => {
  it("are promoted bool < i32 < u32 < f32, numbers weakly", () => {
    expect(promote("bool", "i32")).toBe("i32");
    expect(promote("u32", "i32")).toBe("u32");
    expect(promote("bool", "f32")).toBe("f32");
    const i = arange(3);
    expect(i.dtype).toBe("i32");
    expect(i.add(1).dtype).toBe("i32");
    expect(i.add(0.5).dtype).toBe("f32");
    expect(i.div(2).dtype).toBe("f32");
    expect(i.gt(1).dtype).toBe("bool");
    expect(i.gt(1).add(1).dtype).toBe("i32");
    expect(i.gt(1).sum().dtype).toBe("i32");
    expect(i.mean().dtype).toBe("f32");
    expect(where(i.gt(1), i, 0.5).dtype).toBe("f32");
  });

  it("wrap and saturate as stated", async () => {
    const big = tensor(new Int32Array([0x7fffffff]));
    expect(await big.add(1).toArray()).toEqual([-0x80000000]);
    expect(await tensor([3e9, -1.7, Number.NaN]).cast("i32").toArray()).toEqual([0x7fffffff, -1, 0]);
    expect(await tensor([-1.5, 5e9]).cast("u32").toArray()).toEqual([0, 0xffffffff]);
    expect(await tensor([0, Number.NaN, -2]).cast("bool").toArray()).toEqual([false, true, true]);
    expect(await tensor([-7, 7]).cast("i32").mod(3).toArray()).toEqual([2, 1]);
  });
});

describe("Module", () => {
  class Part extends Module {
    weight = new Variable(ones([2]));
    running = new Variable(zeros([1]), { trainable: false });
    forward(x: Tensor) {
      return x;
    }
  }
  class Net extends Module {
    a = new Part();
    list = [new Part(), new Part()];
    shared = this.a;
    size = 3;
    forward(x: Tensor) {
      return x;
    }
  }

  it("finds its parts by their fields", () => {
    const net = new Net();
    expect([...net.namedVariables().keys()]).toEqual([
      "a.weight",
      "a.running",
      "list.0.weight",
      "list.0.running",
      "list.1.weight",
      "list.1.running",
      "shared.weight",
      "shared.running",
    ]);
    expect(net.parameters()).toHaveLength(3);
    net.eval();
    expect(net.list[1]!.training).toBe(false);
    expect(net.train().a.training).toBe(true);
  });

  it("loads all or nothing, and names every fault", async () => {
    const part = new Part();
    const load = (state: Record<string, Tensor>) => () => part.loadStateDict(state);
    expect(load({ weight: zeros([3]), extra: zeros([1]) })).toThrow(
      /missing keys: running \| unexpected keys: extra \| wrong shapes: weight: expected \(2\), got \(3\)/,
    );
    expect(load({ weight: zeros([2]) })).toThrow(/missing keys: running/);
    expect(await part.weight.value.toArray()).toEqual([1, 1]);
    expect(part.loadStateDict({ weight: zeros([2]), extra: zeros([1]) }, { strict: false })).toEqual({
      missing: ["running"],
      unexpected: ["extra"],
    });
    expect(await part.weight.value.toArray()).toEqual([0, 0]);
    part.loadStateDict({ weight: tensor([4, 5]), running: tensor([6]) });
    expect(await part.stateDict()["running"]!.toArray()).toEqual([6]);
  });
});

describe("Variable", () => {
  it("keeps shape and dtype", () => {
    const v = new Variable(zeros([2]));
    expect(() => {
      v.value = zeros([3]);
    }).toThrow(/a value \(2\) f32, got \(3\) f32/);
    expect(() => {
      v.value = zeros([2], { dtype: "i32" });
    }).toThrow(/i32/);
  });

  it("is not changed through the tensor it was made from, nor the other way round", async () => {
    const t = ones([2]);
    const v = new Variable(t);
    t.dispose();
    const seen = v.value;
    v.value = zeros([2]);
    expect(await seen.toArray()).toEqual([1, 1]);
  });
});

describe("random", () => {
  it("is Threefry-2x32-20, as published", async () => {
    // Known answers of the Random123 distribution: counter, key → result.
    const known: [number[], number[], number[]][] = [
      [
        [0, 0],
        [0, 0],
        [0x6b200159, 0x99ba4efe],
      ],
      [
        [0xffffffff, 0xffffffff],
        [0xffffffff, 0xffffffff],
        [0x1cb996fc, 0xbb002be7],
      ],
      [
        [0x243f6a88, 0x85a308d3],
        [0x13198a2e, 0x03707344],
        [0xc4923a9c, 0x483df7a0],
      ],
    ];
    const u = (i: number) => expr.input(i, "u32");
    for (const [counter, key, want] of known) {
      const ins = [...key, ...counter].map((v) => tensor(new Uint32Array([v])));
      const words = threefry([u(0), u(1)], [u(2), u(3)]).map((e) => apply1(map, ins, { expr: e, shape: [1] }));
      expect(await Promise.all(words.map((w) => w.item()))).toEqual(want);
    }
  });

  it("repeats with the seed, and does not depend on how it is cut", async () => {
    const one = new Generator(9);
    const two = new Generator(9);
    const whole = await rand([10], { generator: one }).toArray();
    const parts = [
      ...((await rand([4], { generator: two }).toArray()) as number[]),
      ...((await rand([2, 3], { generator: two }).reshape([6]).toArray()) as number[]),
    ];
    expect(parts).toEqual(whole);
    one.manualSeed(10);
    expect(await rand([10], { generator: one }).toArray()).not.toEqual(whole);
  });

  it("has the moments it should", async () => {
    manualSeed(1);
    const n = randn([20000]);
    expect(await n.mean().item()).toBeCloseTo(0, 1);
    expect(await std(n).item()).toBeCloseTo(1, 1);
    const u = rand([20000]);
    expect(await u.mean().item()).toBeCloseTo(0.5, 1);
    expect(await u.max().item()).toBeLessThan(1);
    expect(await bernoulli(0.25, [20000]).mean().item()).toBeCloseTo(0.25, 1);
    const dice = randint(1, 7, [2000]);
    expect([await dice.min().item(), await dice.max().item(), dice.dtype]).toEqual([1, 6, "i32"]);
  });
});

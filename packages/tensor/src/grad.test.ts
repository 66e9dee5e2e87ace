import { describe, expect, it } from "vitest";
import {
  apply1,
  checkGradients,
  cumsum,
  customGradient,
  defineOp,
  expr,
  grad,
  matmul,
  maxWithIndex,
  ones,
  prod,
  randn,
  slidingWindow,
  stopGradient,
  type Tensor,
  tensor,
  Variable,
  valueAndGrad,
} from "./index.js";

describe("grad", () => {
  it("gives value and gradients, zeros for what does not matter", async () => {
    const [a, b, c] = [tensor([1, 2]), tensor([3, 4]), tensor([5])];
    const [value, [ga, gb, gc]] = valueAndGrad(() => a.mul(b).sum(), [a, b, c]);
    expect(await value.item()).toBe(11);
    expect([await ga!.toArray(), await gb!.toArray(), await gc!.toArray()]).toEqual([[3, 4], [1, 2], [0]]);
  });

  it("adds up a leaf that is used several times", async () => {
    await checkGradients((x) => x.mul(x.exp()).add(x.sum(0).div(x.abs().add(1))), [randn([3, 4])]);
  });

  it("takes the gradient in a Variable where it was read before it was written", async () => {
    const w = new Variable(tensor([3]));
    const [, [g]] = valueAndGrad(() => {
      const before = w.value;
      w.value = before.mul(2);
      return before.mul(w.value).sum(); // w · 2w
    }, [w]);
    expect(await g!.item()).toBe(12);
    expect(await w.value.item()).toBe(6);
  });

  it.each<[string, (x: Tensor) => Tensor]>([
    ["pointwise", (x) => x.tanh().mul(x.exp())],
    ["reduce", (x) => x.square().mean(0).sqrt()],
    ["matmul", (x) => matmul(x, x.transpose()).sigmoid()],
    ["softmax", (x) => x.softmax(-1).square()],
    ["views", (x) => prod(slidingWindow(x.slice([[null, null, -1], [1]]).square(), 0, 2), -1)],
  ])("differentiates twice: %s", async (_, f) => {
    const x = randn([3, 4]).mul(0.5).add(1);
    await checkGradients((y) => grad(() => f(y).square().sum(), [y])[0]!, [x], { tolerance: 5e-3 });
  });

  it("has the right gradient of a product with zeros", async () => {
    const x = tensor([
      [0, 2, 3],
      [0, 0, 4],
      [1, 2, 3],
    ]);
    expect(await grad(() => prod(x, 1).sum(), [x])[0]!.toArray()).toEqual([
      [6, 0, 0],
      [0, 0, 0],
      [6, 3, 2],
    ]);
    await checkGradients((y) => prod(y, [0, 1]), [randn([3, 4])]);
  });

  it("passes through an op that has nothing to do", async () => {
    const x = tensor([[1, 2]]);
    const [g] = grad(() => cumsum(x, 0).square().sum().add(x.sum()), [x]);
    expect(await g!.toArray()).toEqual([[3, 5]]);
  });

  it("shares the gradient of ties", async () => {
    const x = tensor([1, 3, 3, 2]);
    expect(await grad(() => x.max(), [x])[0]!.toArray()).toEqual([0, 0.5, 0.5, 0]);
    expect(await grad(() => maxWithIndex(x, 0).values, [x])[0]!.toArray()).toEqual([0, 1, 0, 0]);
    expect(await grad(() => x.maximum(3).sum(), [x])[0]!.toArray()).toEqual([0, 0.5, 0.5, 0]);
  });

  it("stops at stopGradient", async () => {
    const x = tensor([2]);
    expect(await grad(() => x.mul(stopGradient(x)).sum(), [x])[0]!.item()).toBe(2);
  });

  it("lets no NaN out of a branch that where() did not take", async () => {
    const x = tensor([-1, 4]);
    const g = grad(() => x.gt(0).cast("bool") && tensorWhere(x).sum(), [x])[0]!;
    expect(await g.toArray()).toEqual([0, 0.25]);
    function tensorWhere(t: Tensor): Tensor {
      const safe = t.clamp(1, null);
      return safe.sqrt().mul(t.gt(0));
    }
  });

  it("uses a custom gradient, under a second derivative, too", async () => {
    const cube = customGradient({
      name: "cube",
      forward: (x) => x.mul(x).mul(x),
      backward: (ct, [x]) => [ct.mul(x!.square()).mul(30)], // ten times too much, on purpose
    });
    const x = tensor([2]);
    expect(await grad(() => cube(x).sum(), [x])[0]!.item()).toBe(120);
    expect(await grad(() => grad(() => cube(x).sum(), [x])[0]!.sum(), [x])[0]!.item()).toBe(120);
  });

  it("differentiates the lowering of an op without a rule", async () => {
    const sinTwice = defineOp<object>({
      name: "test/sinTwice",
      infer: ([x]) => [x!],
      lower: ([x]) => [x!.sin().sin()],
    });
    await checkGradients((x) => apply1(sinTwice, [x], {}), [randn([5])]);
  });

  it("refuses what has no gradient, and explains", () => {
    const i = ones([2], { dtype: "i32" });
    expect(() => grad(() => ones([2]), [ones([2])])).toThrow(/scalar.*mean\(\)/);
    expect(() => grad(() => i.sum().cast("f32"), [i])).toThrow(/f32 to differentiate/);
    const opaque = defineOp<object>({ name: "test/opaque", infer: ([x]) => [x!] });
    const x = ones([1]);
    expect(() => grad(() => apply1(opaque, [x], {}).sum(), [x])).toThrow(/test\/opaque.*without vjp/);
  });

  it("finds a wrong gradient", async () => {
    const wrong = customGradient({ name: "wrong", forward: (x) => x.square(), backward: (ct, [x]) => [ct.mul(x!)] });
    await expect(checkGradients(wrong, [tensor([1, 2])])).rejects.toThrow(
      /gradient 2\.\d+ for input 0 \(2\), element 0, got 1\./,
    );
  });
});

describe("formulas", () => {
  const { call, differentiate, exprKey, input, linearize, num, showExpr } = expr;

  it("computes shared parts once", () => {
    const x = call("exp", input(0));
    expect(linearize(call("mul", x, call("add", x, call("exp", input(0))))).map((s) => s.k)).toEqual([
      "in",
      "call",
      "call",
      "call",
    ]);
  });

  it("tells formulas apart, and writes them", () => {
    expect(exprKey(num(0))).not.toBe(exprKey(num(-0)));
    expect(exprKey(call("add", input(0), num(1)))).not.toBe(exprKey(call("add", input(1), num(1))));
    expect(showExpr(call("mul", input(0), num(3)))).toBe("mul(x0, 3)");
  });

  it("differentiates symbolically, and folds what is trivial", () => {
    expect(showExpr(differentiate(call("mul", input(0), num(3)), 0)!)).toBe("3");
    expect(differentiate(call("floor", input(0)), 0)).toBeNull();
    expect(differentiate(input(1), 0)).toBeNull();
  });
});

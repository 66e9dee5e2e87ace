import { compile, Generator, grad, manualSeed, ones, randn, type Tensor } from "@nn/tensor";
import { beforeEach, describe, expect, it } from "vitest";
import { Dropout, dropout } from "./dropout.js";

beforeEach(() => manualSeed(3));

describe("Dropout", () => {
  it("zeros with probability p, and scales the rest", async () => {
    const y = await new Dropout(0.2).forward(ones([100, 100])).read();
    expect(new Set(y)).toEqual(new Set([0, Math.fround(1.25)]));
    const zeros = y.filter((v) => v === 0).length;
    expect(zeros).toBeGreaterThan(1850);
    expect(zeros).toBeLessThan(2150);
  });

  it("is the identity in evaluation, and at p = 0", () => {
    const x = randn([3]);
    expect(new Dropout(0.5).eval().forward(x)).toBe(x);
    expect(new Dropout(0).forward(x)).toBe(x);
  });

  it("drops all at p = 1", async () => {
    const x = randn([4]);
    expect(Array.from(await new Dropout(1).forward(x).read(), Math.abs)).toEqual([0, 0, 0, 0]);
    expect(Array.from(await grad(() => dropout(x, 1).sum(), [x])[0].read(), Math.abs)).toEqual([0, 0, 0, 0]);
  });

  it("lets the gradient through where it lets the value through", async () => {
    const x = ones([50]);
    let y: number[] = [];
    const [g] = grad(() => {
      const out = dropout(x, 0.4);
      y = Array.from(out.readSync());
      return out.sum();
    }, [x]);
    expect(Array.from(await g.read())).toEqual(y);
  });

  it("follows manualSeed or its own generator, and changes from call to call", async () => {
    const layer = new Dropout(0.5);
    const x = ones([64]);
    const draw = async () => (await layer.forward(x).read()).join();
    manualSeed(9);
    const [a, b] = [await draw(), await draw()];
    expect(a).not.toBe(b);
    manualSeed(9);
    expect(await draw()).toBe(a);
    const own = async () => (await new Dropout(0.5, new Generator(4)).forward(x).read()).join();
    expect(await own()).toBe(await own());
  });

  it("draws anew at every compiled step, as eager does; eval compiles to the identity", async () => {
    const layer = new Dropout(0.5);
    const run = compile((t: Tensor) => layer.forward(t));
    const x = ones([64]);
    manualSeed(5);
    const eager = [await layer.forward(x).toArray(), await layer.forward(x).toArray()];
    manualSeed(5);
    expect([await run(x).toArray(), await run(x).toArray()]).toEqual(eager);
    layer.eval();
    expect(await run(x).toArray()).toEqual(await x.toArray());
  });

  it.each([-0.1, 1.1, Number.NaN])("refuses p = %s", (p) => {
    expect(() => new Dropout(p)).toThrow(`Dropout: expected p from 0 to 1, got ${p}`);
    expect(() => dropout(ones([1]), p)).toThrow("dropout: expected p from 0 to 1");
  });
});

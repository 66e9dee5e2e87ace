// Buffers, plans of several steps, compiled programs and memory.

import { Linear, mse } from "@nn/layers";
import { SGD } from "@nn/optim";
import {
  type Buffer,
  compile,
  contiguousView,
  expr as ex,
  findKernel,
  getBackend,
  Module,
  manualSeed,
  memory,
  ones,
  type Plan,
  type PlanStep,
  scope,
  type Tensor,
  tensor,
  Variable,
  zeros,
} from "@nn/tensor";
import { type Bench, describe, expect, expectSame } from "./harness.js";

const { call, input, num } = ex;

export function plans({ backend, test }: Bench): void {
  const put = (values: readonly number[]): Buffer => {
    const buffer = backend().alloc(values.length * 4);
    backend().write(buffer, new Uint8Array(Float32Array.from(values).buffer));
    return buffer;
  };
  const get = async (buffer: Buffer, n: number) =>
    new Float32Array((await backend().read(buffer)).slice(0, n * 4).buffer);

  describe("buffers", () => {
    test("write and read", async () => {
      const [a, b] = [put([1, 2, 3, 4]), put([5, 6, 7, 8])];
      expect(a.bytes).toBeGreaterThanOrEqual(16);
      backend().write(a, new Uint8Array(Float32Array.of(-1, -2).buffer), 4);
      expectSame(await get(a, 4), [1, -1, -2, 4], "a part written");
      expectSame(await get(b, 4), [5, 6, 7, 8], "another buffer");
      backend().free(a);
      const c = put([9, 9, 9, 9]);
      expectSame(await get(b, 4), [5, 6, 7, 8], "a buffer beside one that was freed");
      for (const buffer of [b, c]) backend().free(buffer);
    });
    test("what is read is a copy", async () => {
      const x = tensor([1, 2, 3]);
      const first = await x.read();
      first.fill(9);
      expectSame(await x.read(), [1, 2, 3], "read again");
    });
    test("dtypes", async () => {
      expect(await tensor([1.5, -2]).read()).toEqual(Float32Array.of(1.5, -2));
      expect(await tensor([1, -2], { dtype: "i32" }).read()).toEqual(Int32Array.of(1, -2));
      expect(await tensor([1, 2 ** 32 - 1], { dtype: "u32" }).read()).toEqual(Uint32Array.of(1, 2 ** 32 - 1));
      expect(await tensor([true, false]).toArray()).toEqual([true, false]);
      expect(await tensor(7).item()).toBe(7);
      expect(await zeros([2, 0, 3]).toArray()).toEqual([[], []]);
    });
    test("views are read in their order", async () => {
      const x = tensor([
        [1, 2, 3],
        [4, 5, 6],
      ]);
      expect(await x.transpose().toArray()).toEqual([
        [1, 4],
        [2, 5],
        [3, 6],
      ]);
      expect(await x.slice([null, [null, null, -2]]).toArray()).toEqual([
        [3, 1],
        [6, 4],
      ]);
      expect(await x.select(0, 1).unsqueeze(0).expand([2, 3]).toArray()).toEqual([
        [4, 5, 6],
        [4, 5, 6],
      ]);
    });
  });

  describe("plans", () => {
    const view = contiguousView({ shape: [4], dtype: "f32" });
    const step = (
      formula: ReturnType<typeof call>,
      ins: PlanStep<unknown>["ins"],
      out: PlanStep<unknown>["outs"][number],
    ): PlanStep<unknown> => {
      const signature = { ins: ins.map(() => view), outs: [view], attrs: { expr: formula } };
      return { code: findKernel(backend(), "map", signature)!.emit(signature), ins, outs: [out] };
    };
    /** result = (2x + 1)·(2x) − (2x + 1), through three slots, two of which may share memory. */
    const plan = (): Plan<unknown> => ({
      steps: [
        step(call("mul", input(0), num(2)), [{ input: 0 }], { slot: 0 }),
        step(call("add", input(0), num(1)), [{ slot: 0 }], { slot: 1 }),
        step(call("mul", input(0), input(1)), [{ slot: 1 }, { slot: 0 }], { slot: 2 }),
        step(call("sub", input(0), input(1)), [{ slot: 2 }, { slot: 1 }], { result: 0 }),
      ],
      slots: [
        { bytes: 16, from: 0, to: 2 },
        { bytes: 16, from: 1, to: 3 },
        { bytes: 16, from: 2, to: 3 },
      ],
    });
    const want = (values: readonly number[]) => values.map((x) => (2 * x + 1) * 2 * x - (2 * x + 1));

    test("slots", async () => {
      const executable = backend().load(plan());
      await executable.ready;
      const out = put([0, 0, 0, 0]);
      for (const values of [
        [1, 2, 3, 4],
        [-1, 0.5, 0, 10],
      ]) {
        const x = put(values);
        executable.run([x], [out]);
        expectSame(await get(out, 4), want(values), "replayed");
        expectSame(await get(x, 4), values, "the input");
        backend().free(x);
      }
      executable.dispose();
      backend().free(out);
    });
    test("a result in place of an input", async () => {
      const executable = backend().load({
        steps: [step(call("mul", input(0), input(1)), [{ input: 0 }, { input: 1 }], { result: 0 })],
        slots: [],
      });
      await executable.ready;
      const [x, y] = [put([1, 2, 3, 4]), put([2, 3, 4, 5])];
      executable.run([x, y], [x]);
      executable.run([x, y], [x]);
      expectSame(await get(x, 4), [4, 18, 48, 100], "x · y · y");
      executable.dispose();
    });
    test("two executables at once", async () => {
      const [a, b] = [backend().load(plan()), backend().load(plan())];
      await Promise.all([a.ready, b.ready]);
      const [x, y, p, q] = [put([1, 2, 3, 4]), put([5, 6, 7, 8]), put([0, 0, 0, 0]), put([0, 0, 0, 0])];
      a.run([x], [p]);
      b.run([y], [q]);
      a.dispose();
      expectSame(await get(p, 4), want([1, 2, 3, 4]), "one");
      expectSame(await get(q, 4), want([5, 6, 7, 8]), "the other");
      b.dispose();
    });
  });

  describe("compile", () => {
    test("replays", async () => {
      const f = compile((x: Tensor, y: Tensor) => {
        const z = x.matmul(y).exp().sum(0);
        return { z, w: z.mul(2).add(x.sum()), x };
      });
      await f.ready(ones([2, 3]), ones([3, 2]));
      const results = [];
      for (const v of [0.1, 0.2, -0.3]) results.push(f(ones([2, 3]).mul(v), ones([3, 2])));
      for (const [i, v] of [0.1, 0.2, -0.3].entries()) {
        const z = 2 * Math.exp(3 * v);
        expectSame(await results[i]!.z.read(), [z, z], "z", 1e-6); // not overwritten by the later calls
        expectSame(await results[i]!.w.read(), [2 * z + 6 * v, 2 * z + 6 * v], "w", 1e-6);
        expectSame(await results[i]!.x.read(), new Array(6).fill(v), "x", 1e-6);
      }
      const other = f(ones([4, 3]), ones([3, 1]));
      expectSame(await other.z.read(), [4 * Math.exp(3)], "another shape", 1e-6);
    });
    test("Variables are updated in place", async () => {
      const [count, trail] = [new Variable(zeros([2])), new Variable(zeros([2]))];
      const f = compile((x: Tensor) => {
        trail.value = trail.value.add(count.value); // the value before
        count.value = count.value.add(x);
        return count.value.mul(10);
      });
      for (let i = 1; i <= 5; i++) expectSame(await f(tensor([1, 2])).read(), [10 * i, 20 * i], "result");
      expectSame(await count.value.read(), [5, 10], "count");
      expectSame(await trail.value.read(), [10, 20], "trail");
    });
    test("training", async () => {
      const losses = [];
      for (const compiled of [false, true]) {
        manualSeed(1);
        const model = new Net();
        const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
        const x = tensor(
          Array.from({ length: 24 }, (_, i) => Math.sin(i)),
          { shape: [8, 3] },
        );
        const y = x.sum(1, { keepDims: true }).sin();
        const plain = (): Tensor => optimizer.minimize(() => mse(model.forward(x), y));
        const step = compiled ? compile(plain) : plain;
        const all = [];
        for (let i = 0; i < 30; i++) all.push(await step().item());
        expect(all[29]!).toBeLessThan(all[0]! / 4);
        losses.push(all);
      }
      expectSame(losses[1]!, losses[0]!, "losses, compiled and eager", 1e-4);
    });
  });

  describe("memory", () => {
    test("eager work in a scope leaves nothing", async () => {
      const x = ones([8, 8]);
      const before = memory().bytes;
      for (let i = 0; i < 20; i++) scope(() => void x.matmul(x).transpose().reshape([-1]).softmax().sum().add(x.max()));
      expect(memory().bytes).toBe(before);
    });
    test("compiled steps end with the bytes they began with", async () => {
      manualSeed(2);
      const model = new Net();
      const optimizer = new SGD(model.parameters(), { lr: 0.01 });
      const step = compile((x: Tensor) => optimizer.minimize(() => model.forward(x).square().mean()));
      const x = ones([4, 3]);
      let after2 = memory();
      for (let i = 0; i < 50; i++) {
        step(x).dispose();
        if (i === 1) after2 = memory();
      }
      expect(memory()).toEqual(after2);
      step.dispose();
      expect(memory().plans).toBeLessThanOrEqual(after2.plans);
      expect(getBackend()).toBe(backend());
    });
  });
}

class Net extends Module {
  readonly first = new Linear(3, 8);
  readonly second = new Linear(8, 1);
  override forward(x: Tensor): Tensor {
    return this.second.forward(this.first.forward(x).tanh());
  }
}

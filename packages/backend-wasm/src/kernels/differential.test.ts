// Fast paths against their lowerings: the same program on wasm as it is, and on a wasm backend whose matmul is left to the
// lowering, over random shapes, strides, batches and epilogues; with proof that the fast path is what ran.

import { Linear, mse } from "@nn/layers";
import { SGD } from "@nn/optim";
import {
  type Backend,
  compile,
  Module,
  manualSeed,
  matmul,
  permute,
  rand,
  reference,
  setBackend,
  type Tensor,
  tensor,
  tril,
} from "@nn/tensor";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import type { WasmKernel } from "../code.js";
import { wasm } from "../wasm.js";

let fast: Backend;
let slow: Backend;
/** Names of the kernels that were emitted for products. */
const ran: string[] = [];

beforeAll(async () => {
  const spy = (kernel: WasmKernel): WasmKernel => ({
    ...kernel,
    emit(signature) {
      const code = kernel.emit(signature);
      ran.push(`${code.name}${signature.layouts ? " packed" : ""}`);
      return code;
    },
  });
  const isProduct = ({ op }: WasmKernel) => op === "matmul";
  const backend = await wasm({ threads: 1 });
  const kernels = backend.kernels as readonly WasmKernel[];
  fast = { ...backend, kernels: kernels.map((k) => (isProduct(k) ? spy(k) : k)) };
  slow = { ...(await wasm({ threads: 1 })), kernels: kernels.filter((k) => !isProduct(k)) };
});

/** Numbers that depend on nothing but their place. */
const numbers = (n: number, seed: number) => Float32Array.from({ length: n }, (_, i) => Math.sin(seed + i * 1.7));

function close(got: ArrayLike<number>, want: ArrayLike<number>, within: number): void {
  expect(got.length).toBe(want.length);
  let worst = 0;
  for (let i = 0; i < want.length; i++)
    worst = Math.max(worst, Math.abs(got[i]! - want[i]!) / (1 + Math.abs(want[i]!)));
  expect(worst).toBeLessThan(within);
}

const size = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constantFrom(31, 64, 97, 100, 193));
const depth = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constantFrom(64, 385, 500));
/** How a matrix lies in memory: as it is, turned, reversed, or with gaps. */
const lie = fc.constantFrom("rows", "columns", "reversed", "gaps");

/** A matrix (…batch, m, n) that lies so. */
function matrix(batch: readonly number[], m: number, n: number, how: string, seed: number): Tensor {
  const make = (...shape: number[]) => {
    const whole = [...batch, ...shape];
    return tensor(
      numbers(
        whole.reduce((a, b) => a * b, 1),
        seed,
      ),
      { shape: whole },
    );
  };
  const all = batch.map(() => null);
  if (how === "columns") return make(n, m).transpose();
  if (how === "reversed") return make(m, n).slice([...all, [null, null, -1], null]);
  if (how === "gaps") return make(m, 2 * n).slice([...all, null, [null, null, 2]]);
  return make(m, n);
}

describe("matmul", () => {
  it.each([false, true])("is its lowering, compiled: %s", { timeout: 120_000 }, async (compiled) => {
    const before = ran.length;
    const property = fc.asyncProperty(
      fc.record({
        m: size,
        k: depth,
        n: size,
        a: lie,
        b: lie,
        batch: fc.constantFrom([], [], [3], [2, 2]),
        shared: fc.boolean(),
        after: fc.boolean(),
      }),
      async ({ m, k, n, a, b, batch, shared, after }) => {
        const results: (Float32Array | Int32Array | Uint32Array)[] = [];
        for (const backend of [fast, slow]) {
          setBackend(backend);
          const x = matrix(batch, m, k, a, 1);
          const y = matrix(shared ? [] : batch, k, n, b, 2);
          const bias = tensor(numbers(n, 3), { shape: [n] });
          const f = (p: Tensor, q: Tensor) => (after ? matmul(p, q).add(bias).relu() : matmul(p, q));
          results.push(await (compiled ? compile(f) : f)(x, y).read());
        }
        close(results[0]!, results[1]!, 2e-5);
      },
    );
    await fc.assert(property, { numRuns: 250, seed: 11 });
    const names = ran.slice(before);
    expect(names.length).toBeGreaterThanOrEqual(200);
    expect(names.some((name) => name.startsWith("gemm"))).toBe(true);
    expect(names.some((name) => name.startsWith("gemv"))).toBe(true);
  });

  it("is its lowering with weights, gradients and updates in panels", { timeout: 60_000 }, async () => {
    class Net extends Module {
      readonly first: Linear;
      readonly second: Linear;
      constructor(i: number, h: number, o: number) {
        super();
        this.first = new Linear(i, h);
        this.second = new Linear(h, o);
      }
      override forward(x: Tensor): Tensor {
        return this.second.forward(this.first.forward(x).relu());
      }
    }
    const before = ran.length;
    const sizes = fc.record({ batch: fc.integer({ min: 4, max: 40 }), i: size, h: size, o: size });
    const property = fc.asyncProperty(sizes, async ({ batch, i, h, o }) => {
      const all: (Float32Array | Int32Array | Uint32Array)[][] = [];
      for (const backend of [fast, slow]) {
        setBackend(backend);
        manualSeed(5);
        const net = new Net(i, h, o);
        const optimizer = new SGD(net.parameters(), { lr: 0.05, momentum: 0.9 });
        const step = compile((x: Tensor, y: Tensor) => optimizer.minimize(() => mse(net.forward(x), y)));
        const [x, y] = [
          tensor(numbers(batch * i, 1), { shape: [batch, i] }),
          tensor(numbers(batch * o, 2), { shape: [batch, o] }),
        ];
        for (let t = 0; t < 4; t++) step(x, y).dispose();
        all.push(await Promise.all(net.parameters().map((p) => p.value.read())));
        step.dispose();
      }
      all[0]!.forEach((got, p) => {
        close(got, all[1]![p]!, 1e-4);
      });
    });
    await fc.assert(property, { numRuns: 40, seed: 12 });
    expect(ran.slice(before).filter((name) => name.endsWith("packed")).length).toBeGreaterThan(40);
  });
});

describe("formulas that ask for coordinates", () => {
  it.each<[string, (x: Tensor) => Tensor]>([
    ["a product of several blocks", (x) => tril(matmul(x, x.transpose()))],
    ["a product with few rows", (x) => tril(matmul(x.slice([[0, 2]]), x.transpose()), 70)],
    ["a sum along rows", (x) => tril(x.reshape([10, 10, 13]).sum(2))],
    ["a sum along columns", (x) => tril(x.reshape([13, 10, 10]).sum(0))],
  ])("follow %s", async (_, f) => {
    setBackend(fast);
    const x = tensor(numbers(1300, 6), { shape: [100, 13] });
    close(await compile(f)(x).read(), await f(x).read(), 1e-6);
  });
});

describe("maps that turn, and sums that are cut", () => {
  it("are what the reference backend says", { timeout: 60_000 }, async () => {
    const plain = reference();
    const shape = fc.array(fc.integer({ min: 1, max: 11 }), { minLength: 2, maxLength: 4 });
    const property = fc.asyncProperty(shape, fc.integer({ min: 0, max: 1000 }), async (shape, pick) => {
      const order = shape.map((_, i) => i).sort((a, b) => ((a * 7919 + pick) % 13) - ((b * 7919 + pick) % 13));
      const results: (Float32Array | Int32Array | Uint32Array)[] = [];
      for (const backend of [fast, plain]) {
        setBackend(backend);
        const x = tensor(
          numbers(
            shape.reduce((a, b) => a * b, 1),
            4,
          ),
          { shape },
        );
        results.push(await permute(x, order).mul(2).add(permute(x.abs(), order)).read());
      }
      close(results[0]!, results[1]!, 1e-6);
    });
    await fc.assert(property, { numRuns: 200, seed: 13 });
    for (const [whole, axes] of [
      [[70_001], [0]],
      [[3, 70_001], [1]],
      [[9000, 11], [0]],
      [
        [50, 3, 1000],
        [0, 2],
      ],
    ] as const) {
      const results: (Float32Array | Int32Array | Uint32Array)[] = [];
      for (const backend of [fast, plain]) {
        setBackend(backend);
        manualSeed(1);
        results.push(
          await rand([...whole])
            .sum([...axes])
            .sqrt()
            .read(),
        );
      }
      close(results[0]!, results[1]!, 1e-5);
    }
  });
});

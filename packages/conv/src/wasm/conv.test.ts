// Every kernel of the pack against its lowering and against the reference backend, over random shapes and options,
// with and without fused multiply-add; and proof that the kernels ran.

import { type WasmBackend, type WasmKernel, wasm } from "@nn/backend-wasm";
import {
  add,
  apply1,
  type Backend,
  compile,
  flip,
  getBackend,
  grad,
  manualSeed,
  mul,
  randn,
  reference,
  relu,
  setBackend,
  sizeOf,
  type Tensor,
  tensor,
  Variable,
  zeros,
} from "@nn/tensor";
import { chance, expectClose, type Random, randomness, watched } from "@nn/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type ConvAttrs, conv, convAttrs, convInputGradOp, convWeightGradOp } from "../conv/conv.js";
import { type MaxPoolOptions, maxPool, maxPoolGradOp } from "../pool/max-pool.js";
import { poolAttrs } from "../pool/windows.js";
import * as pack from "./index.js";
import { convKernels, directConvKernels } from "./index.js";

const before = getBackend();
let ran: string[] = [];
/** What the pack calls a kernel. */
const nameOf = (kernel: WasmKernel) => Object.entries(pack).find(([, k]) => k === kernel)![0];
const kernels = watched(convKernels, (k) => ran.push(nameOf(k)));
const others: Record<string, Backend> = { reference: reference() };
const packs: Record<string, WasmBackend> = {};

beforeAll(async () => {
  packs["fused multiply-add"] = await wasm({ kernels, threads: 1 });
  packs.plain = await wasm({ kernels, threads: 1, relaxed: false });
  others.lowering = await wasm({ threads: 1 });
});
beforeEach(() => {
  ran = [];
});
afterAll(() => setBackend(before));

describe.each(["fused multiply-add", "plain"])("convolution, %s", (name) => {
  it("is what its lowering is, and so are its gradients, in random cases", { timeout: 600_000 }, () => {
    const random = randomness(1);
    const cases = name === "plain" ? 250 : 1000; // the same code but for one instruction
    let unlike = 0;
    let winograd = 0;
    for (let i = 0; i < cases; i++) {
      const wide = chance(random, 20);
      const c = wide ? winogradCase(random) : convCase(random);
      if (wide) winograd++;
      if (c.attrs.stride.some((s) => s > 1)) unlike++;
      const run = () => {
        manualSeed(i);
        const x = c.turned
          ? flip(turned(randn([c.batch, ...c.size.toReversed(), c.channels])), [1, 2])
          : randn([c.batch, c.channels, ...c.size]);
        const weight = randn(c.weight);
        const y = conv(x, weight, c.bias ? randn([c.weight[0]!]) : null, c.options);
        const ct = randn(y.shape);
        return [
          y,
          apply1(convInputGradOp, [ct, weight], { ...c.attrs, inputSize: c.size }),
          apply1(convWeightGradOp, [x, c.turned ? flip(ct, [1]) : ct], { ...c.attrs, kernelSize: c.weight.slice(2) }),
        ];
      };
      compare(packs[name]!, run, JSON.stringify(c), i % 10 === 0);
    }
    const times = (name: string) => ran.filter((r) => r === name).length;
    expect(times("conv") + times("winogradConv")).toBeGreaterThan(0.7 * cases);
    expect(times("convWeightGrad") + times("winogradWeightGrad")).toBeGreaterThan(0.5 * cases);
    expect(times("convInputGrad") + times("winogradInputGrad")).toBeGreaterThan(0.7 * (cases - unlike));
    for (const kernel of ["winogradConv", "winogradInputGrad", "winogradWeightGrad"])
      expect(times(kernel)).toBeGreaterThan(0.7 * winograd);
  });

  it.each([
    { x: [1, 6, 41, 40], weight: [48, 6, 3, 3], options: { padding: 1 } },
    { x: [2, 3, 70, 67], weight: [32, 3, 5, 5], options: { padding: 2, stride: 2 } },
    { x: [1, 60, 31, 30], weight: [130, 60, 3, 3], options: { padding: [[2, 1], 2] as const, dilation: [1, 2] } },
    { x: [1, 12, 60, 38], weight: [12, 1, 3, 3], options: { padding: 1, groups: 12 } },
    { x: [9, 20, 13, 21], weight: [26, 20, 3, 3], options: { padding: [[0, 2], 1] as const } },
  ])("is so where it is cut into bands and blocks: $x, $weight", ({ x: shape, weight: kernel, options }) => {
    const attrs = convAttrs("test", kernel.slice(2), options);
    const run = () => {
      manualSeed(1);
      const [x, weight] = [randn(shape), randn(kernel)];
      const y = conv(x, weight, randn([kernel[0]!]), options);
      const ct = randn(y.shape);
      return [
        y,
        apply1(convInputGradOp, [ct, weight], { ...attrs, inputSize: shape.slice(2) }),
        apply1(convWeightGradOp, [x, ct], { ...attrs, kernelSize: kernel.slice(2) }),
      ];
    };
    compare(packs[name]!, run, JSON.stringify({ shape, kernel, options }));
    expect(ran.filter((r) => /onv$/.test(r))).toHaveLength(1);
    expect(ran.filter((r) => /eightGrad$/.test(r))).toHaveLength(1);
  });

  it("takes a formula of the result along, with inputs of any strides", () => {
    const random = randomness(2);
    for (let i = 0; i < 24; i++) {
      const c = i % 3 === 0 ? winogradCase(random) : convCase(random);
      const run = () => {
        manualSeed(i);
        const [x, weight] = [randn([c.batch, c.channels, ...c.size]), randn(c.weight)];
        const bias = c.bias ? randn([c.weight[0]!]) : null;
        const { shape } = conv(x, weight, bias, c.options);
        const [scale, other] = [randn([shape[1]!, ...c.size.map(() => 1)]), turned(randn(shape.toReversed()))];
        const wide = turned(randn([shape[0]!, ...shape.slice(2).toReversed(), shape[1]!]));
        if (i % 4 === 0) return [compile((a: Tensor, w: Tensor) => relu(conv(a, w, bias, c.options)))(x, weight)];
        return [
          compile((a: Tensor, w: Tensor, s: Tensor, o: Tensor) => relu(add(mul(conv(a, w, bias, c.options), s), o)))(
            x,
            weight,
            scale,
            other.rank === shape.length && String(other.shape) === String(shape) ? other : wide,
          ),
        ];
      };
      compare(packs[name]!, run, JSON.stringify(c));
    }
  });
});

describe.each(["fused multiply-add", "plain"])("max-pooling, %s", (name) => {
  it("is what its lowering is, with ties, NaN and infinities, and so is its gradient", () => {
    const random = randomness(3);
    const cases = 60;
    for (let i = 0; i < cases; i++) {
      const { size, kernel, options, kind } = poolCase(random);
      const run = () => {
        manualSeed(i);
        let x = randn([2, 3, ...size]);
        if (kind === 1) x = x.mul(2).round();
        if (kind === 2) {
          const odd = x
            .readSync()
            .map((v, k) => (k % 7 === 0 ? Number.NaN : k % 5 === 0 ? Number.NEGATIVE_INFINITY : v));
          x = tensor(Array.from(odd)).reshape(x.shape);
        }
        if (kind === 0 && i % 8 === 0) x = flip(x, [1, 2]);
        if (kind === 3) x = x.mul(0).sub(Number.POSITIVE_INFINITY);
        const attrs = poolAttrs("test", size, kernel, options);
        const y = maxPool(x, kernel, options);
        const ct = randn(y.shape);
        const masked = compile((c: Tensor, a: Tensor, b: Tensor) =>
          mul(apply1(maxPoolGradOp, [c, a, b], attrs), ct.mean()),
        );
        return [y, apply1(maxPoolGradOp, [ct, x, y], attrs), masked(ct, x, y)];
      };
      compare(packs[name]!, run, JSON.stringify({ size, kernel, options, kind }));
    }
    expect(ran.filter((r) => r === "maxPool").length).toBeGreaterThan(0.3 * cases);
    expect(ran.filter((r) => r === "maxPoolGrad").length).toBeGreaterThan(0.6 * cases);
  });
});

describe("the pack", () => {
  it("trains a small network eagerly as compiled", () => {
    setBackend(packs["fused multiply-add"]!);
    manualSeed(1);
    const x = randn([9, 2, 22, 22]);
    const weights = [randn([6, 2, 3, 3]), randn([6]), randn([4, 3, 3, 3]), randn([4])];
    const step = (...w: Tensor[]): Tensor[] => {
      const [w1, b1, w2, b2] = w as [Tensor, Tensor, Tensor, Tensor];
      const loss = () => {
        const h = maxPool(relu(conv(x, w1, b1, { padding: 1 })), 2);
        return maxPool(relu(conv(h, w2, b2, { padding: [[1, 0], 1], groups: 2 })), 2)
          .square()
          .mean();
      };
      return grad(loss, w);
    };
    const eager = step(...weights);
    expect(new Set(ran)).toEqual(new Set(directConvKernels.map(nameOf)));
    ran = [];
    const compiled = compile((...w: Tensor[]) => step(...w))(...weights);
    expect(new Set(ran)).toEqual(new Set(directConvKernels.map(nameOf)));
    for (const [i, g] of eager.entries()) expectClose(compiled[i]!.readSync(), g.readSync(), `gradient ${i}`);
  });

  it("gives the same bits with any number of threads", async () => {
    const random = randomness(4);
    const backends = [packs["fused multiply-add"]!, await wasm({ kernels, threads: 2, parallelFrom: 0 })];
    for (let i = 0; i < 12; i++) {
      const c = i % 2 === 0 ? winogradCase(random) : convCase(random);
      const [one, two] = backends.map((b) => {
        setBackend(b);
        manualSeed(i);
        const [x, weight] = [randn([3 * c.batch, c.channels, ...c.size]), randn(c.weight)];
        const f = compile((a: Tensor, w: Tensor) =>
          grad(
            () =>
              maxPool(conv(a, w, null, c.options), 1)
                .square()
                .sum(),
            [a, w],
          ),
        );
        return f(x, weight).map((t) => t.readSync().slice());
      });
      expect(two).toEqual(one);
    }
    backends[1]!.dispose();
  });

  it("sees when weights change, however they do", async () => {
    const threaded = await wasm({ kernels, threads: 2, parallelFrom: 0 });
    for (const backend of [packs["fused multiply-add"]!, threaded]) {
      setBackend(backend);
      manualSeed(1);
      const [x, w] = [randn([2, 12, 12, 12]), new Variable(randn([12, 12, 3, 3]))];
      const f = compile((x: Tensor) => conv(x, w.value, null, { padding: 1 }));
      const update = compile(() => {
        w.value = w.value.mul(0.5);
      });
      const step = compile((x: Tensor) => {
        const y = conv(x, w.value, null, { padding: 1 });
        w.value = w.value.add(1);
        return y;
      });
      const same = () =>
        expectClose(f(x).readSync(), conv(x, w.value.mul(1), null, { padding: 1 }).readSync(), "weights");
      for (const change of [
        () => {},
        () => {},
        update,
        () => (w.value = randn(w.shape)),
        () => step(x),
        () => step(x),
        update,
      ]) {
        change();
        same();
        same();
      }
      const want = conv(x, w.value.mul(1), null, { padding: 1 });
      expectClose(step(x).readSync(), want.readSync(), "a step reads before it writes");
    }
    threaded.dispose();
    expect(ran).toContain("winogradConv");
  });

  it("does nothing for a batch of nothing", async () => {
    const threaded = await wasm({ kernels, threads: 2, parallelFrom: 0 });
    for (const backend of [packs.plain!, threaded]) {
      setBackend(backend);
      expect(maxPool(zeros([0, 2, 8, 8]), 2).shape).toEqual([0, 2, 4, 4]);
    }
    threaded.dispose();
  });

  it("leaves to the lowering what it has no code for", () => {
    setBackend(packs.plain!);
    conv(randn([1, 2, 4, 4, 4]), randn([2, 2, 3, 3, 3]));
    conv(randn([1, 2, 4, 4]), randn([2, 2, 1, 1]));
    conv(randn([1, 2, 40]), randn([2, 2, 3]));
    conv(randn([1, 2, 400]), randn([2, 2, 1]));
    conv(randn([2, 2, 40, 3]), randn([2, 2, 3, 1]));
    conv(randn([1, 2, 16, 16]), randn([2, 2, 3, 3]), null, { padding: 5 });
    maxPool(randn([1, 2, 4, 4, 4]), 2);
    maxPool(randn([1, 2, 9, 9]), 3);
    maxPool(randn([1, 2, 9, 9]), 2, { ceilMode: true });
    expect(ran).toEqual([]);
  });
});

// ── cases ──────────────────────────────────────────────────────────────────────────────────────────

function convCase(random: Random) {
  const axes = chance(random, 15) ? [0] : [0, 1];
  const depthwise = chance(random, 15);
  const groups = depthwise ? random(1, 6) : [1, 1, 1, 2, 3][random(0, 4)]!;
  const perGroup = depthwise ? 1 : random(1, chance(random, 10) ? 50 : 6);
  const out = depthwise ? random(1, 2) : random(1, chance(random, 10) ? 140 : 14);
  const kernel = axes.map(() => random(1, 4));
  if (sizeOf(kernel) === 1) kernel[0] = 2;
  const dilation = axes.map(() => (chance(random, 70) ? 1 : random(2, 3)));
  const stride = axes.map(() => (chance(random, 65) ? 1 : random(2, 3)));
  const reach = axes.map((i) => dilation[i]! * (kernel[i]! - 1));
  const padding = axes.map((i) => [random(0, reach[i]!), random(0, reach[i]!)] as const);
  const size = axes.map((i) => Math.max(1, reach[i]! + 1 - padding[i]![0] - padding[i]![1] + random(3, 26)));
  const options = { stride, padding, dilation, groups };
  const attrs: ConvAttrs = convAttrs("test", kernel, options);
  const weight = [groups * out, perGroup, ...kernel];
  return {
    batch: random(1, 4),
    channels: groups * perGroup,
    size,
    weight,
    options,
    attrs,
    bias: chance(random, 50),
    turned: chance(random, 25),
  };
}

/** 3 × 3 kernels of stride 1, and channels enough for Winograd. */
function winogradCase(random: Random) {
  const padding = [0, 1].map(() => [random(0, 2), random(0, 2)] as const);
  const size = padding.map(([a, b]) => random(Math.max(6, 10 - a - b), 33));
  const [channels, out] = [random(6, 40), random(6, 40)];
  const options = { padding };
  return {
    batch: random(1, 5),
    channels,
    size,
    weight: [out, channels, 3, 3],
    options,
    attrs: convAttrs("test", [3, 3], options),
    bias: chance(random, 50),
    turned: false,
  };
}

function poolCase(random: Random) {
  const axes = chance(random, 10) ? [0] : [0, 1];
  const quads = chance(random, 70);
  const kernel = axes.map(() => (quads ? 2 : random(1, 4)));
  const dilation = axes.map(() => (quads || chance(random, 70) ? 1 : random(2, 3)));
  const stride = axes.map((i) => (quads ? 2 : chance(random, 50) ? kernel[i]! : random(1, 3)));
  const extent = axes.map((i) => dilation[i]! * (kernel[i]! - 1) + 1);
  const padding = extent.map((e) => (quads ? 0 : random(0, e >> 1)));
  // Every window has an element: at least a dilation of them.
  const size = axes.map((i) => Math.max(dilation[i]!, extent[i]! - 2 * padding[i]!) + random(3, 23));
  const options: MaxPoolOptions = { stride, padding, dilation, ceilMode: chance(random, 30) };
  return { size, kernel, options, kind: random(0, 3) };
}

/** The same elements as (N, …, C), seen with its channels first. */
function turned(x: Tensor): Tensor {
  return x.permute([0, x.rank - 1, ...Array.from({ length: x.rank - 2 }, (_, i) => x.rank - 2 - i)]);
}

function compare(pack: Backend, run: () => readonly Tensor[], what: string, lowering = true): void {
  const results = [pack, others.reference!, ...(lowering ? [others.lowering!] : [])].map((backend) => {
    setBackend(backend);
    return run().map((t) => t.readSync().slice());
  });
  for (const want of results.slice(1))
    for (const [i, w] of want.entries()) expectClose(results[0]![i]!, w, `${i} of ${what}`);
}

// Every kernel of the pack against the ops' lowerings on the reference backend, over random sizes and options; and proof
// that the kernels ran. NN_CASES=2000 tries so many cases of each.

import type { WebgpuBackend, WgslKernel } from "@nn/backend-webgpu";
import {
  add,
  apply1,
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
  zeros,
} from "@nn/tensor";
import { casesOf, chance, expectSame, type Random, randomness, watched, webgpuHere, whyNoWebgpu } from "@nn/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type ConvAttrs, conv, convAttrs, convInputGradOp, convWeightGradOp } from "../conv/conv.js";
import { avgPool } from "../pool/avg-pool.js";
import { type MaxPoolOptions, maxPool, maxPoolGradOp, maxPoolWithIndices } from "../pool/max-pool.js";
import { poolAttrs } from "../pool/windows.js";
import * as pack from "./index.js";

const before = getBackend();
const known = reference();
let ran: string[] = [];
const nameOf = (kernel: WgslKernel) => Object.entries(pack).find(([, k]) => k === kernel)![0];
const times = (name: string) => ran.filter((r) => r === name).length;

const missing = await whyNoWebgpu();
describe.skipIf(missing)(`convolution and pooling on webgpu${missing ? ` (${missing})` : ""}`, () => {
  let backend: WebgpuBackend;
  beforeAll(async () => {
    backend = await webgpuHere({ kernels: watched(pack.convKernels, (k) => ran.push(nameOf(k))) });
  });
  beforeEach(() => {
    ran = [];
  });
  afterAll(() => {
    setBackend(before);
    backend.dispose();
  });

  it("convolution and its gradients in random cases", { timeout: 3_600_000 }, async () => {
    const random = randomness(1);
    const cases = casesOf(30);
    for (let i = 0; i < cases; i++) {
      const c = convCase(random);
      await expectSame(JSON.stringify(c), [backend, known], () => {
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
      });
    }
    for (const name of ["onv", "onvInputGrad", "onvWeightGrad"]) {
      expect(times(`c${name}`) + times(`directC${name}`)).toBeGreaterThan(0.9 * cases);
      expect(times(`directC${name}`)).toBeGreaterThan(0.05 * cases);
    }
  });

  it.each([
    { x: [2, 40, 20, 20], weight: [70, 40, 3, 3], options: { padding: 1 } },
    { x: [3, 3, 40, 37], weight: [32, 3, 5, 5], options: { padding: 2, stride: 2 } },
    { x: [1, 130, 9, 8], weight: [140, 130, 1, 1], options: {} },
    { x: [2, 6, 12, 12], weight: [16, 6, 5, 5], options: {} },
    { x: [2, 32, 30], weight: [32, 1, 3], options: { groups: 32, padding: 1 } },
  ])(
    "in tiles of several shapes, in eager and compiled steps: $x, $weight",
    async ({ x: shape, weight: kernel, options }) => {
      const { length } = kernel;
      const step = (x: Tensor, w: Tensor, b: Tensor): Tensor[] =>
        grad(
          () =>
            relu(conv(x, w, b, options))
              .square()
              .mean(),
          [x, w, b],
        );
      await expectSame(JSON.stringify({ shape, kernel }), [backend, known], () => {
        manualSeed(1);
        const ins = [
          randn(shape),
          randn(kernel).mul(length / Math.sqrt(sizeOf(kernel.slice(1)))),
          randn([kernel[0]!]),
        ] as const;
        return [...step(...ins), ...compile(step)(...ins)];
      });
    },
  );

  it("takes a formula of the result along, with inputs of any strides", async () => {
    const random = randomness(2);
    for (let i = 0; i < casesOf(8); i++) {
      const c = convCase(random);
      await expectSame(JSON.stringify(c), [backend, known], () => {
        manualSeed(i);
        const [x, weight] = [randn([c.batch, c.channels, ...c.size]), randn(c.weight)];
        const bias = c.bias ? randn([c.weight[0]!]) : null;
        const { shape } = conv(x, weight, bias, c.options);
        const [scale, other] = [randn([shape[1]!, ...c.size.map(() => 1)]), turned(randn(turned(zeros(shape)).shape))];
        const added = String(other.shape) === String(shape) ? other : randn(shape);
        const f = (a: Tensor, w: Tensor, s: Tensor, o: Tensor) => relu(add(mul(conv(a, w, bias, c.options), s), o));
        const g = (o: Tensor, w: Tensor, a: Tensor) =>
          mul(apply1(convInputGradOp, [o, w], { ...c.attrs, inputSize: c.size }), a).neg();
        return [compile(f)(x, weight, scale, added), compile(g)(added, weight, x)];
      });
    }
  });

  it("pooling with ties, NaN and infinities, and its gradients", { timeout: 3_600_000 }, async () => {
    const random = randomness(3);
    const cases = casesOf(16);
    for (let i = 0; i < cases; i++) {
      const { size, kernel, options, kind } = poolCase(random);
      await expectSame(JSON.stringify({ size, kernel, options, kind }), [backend, known], () => {
        manualSeed(i);
        const values = randomness(i + 1);
        const one = () => {
          const v = (values(0, 4000) - 2000) / 1000;
          if (kind === 1) return Math.round(v);
          if (kind === 3) return Number.NEGATIVE_INFINITY;
          return kind === 2 && values(0, 6) === 0 ? [Number.NaN, Number.NEGATIVE_INFINITY][values(0, 1)]! : v;
        };
        const shape = [2, 3, ...size];
        let x = tensor(Float32Array.from({ length: sizeOf(shape) }, one), { shape });
        if (kind === 0 && i % 2 === 0) x = flip(x, [1, 2]);
        const attrs = poolAttrs("test", size, kernel, options);
        const { values: y, indices } = maxPoolWithIndices(x, kernel, options);
        const ct = randn(y.shape);
        const masked = compile((ct: Tensor, x: Tensor, y: Tensor) =>
          mul(apply1(maxPoolGradOp, [ct, x, y], attrs), x.exp()),
        );
        const { dilation: _, ...rest } = options;
        const around = { ...rest, padding: kernel.map((k, a) => Math.min(k >> 1, (options.padding as number[])[a]!)) };
        const mean = (x: Tensor) => avgPool(x, kernel, { ...around, countIncludePad: i % 2 === 0 });
        const means = compile((x: Tensor) => [mean(x).mul(2), ...grad(() => mean(x).square().sum(), [x])]);
        const gradients = [
          apply1(maxPoolGradOp, [ct, x, y], attrs),
          ...(kind < 2 ? [masked(ct, x, y), ...means(x)] : []),
        ];
        return [y, indices, ...gradients];
      });
    }
    for (const name of ["maxPool", "maxPoolGrad", "maxPoolIndices"]) expect(times(name)).toBeGreaterThan(0.8 * cases);
    for (const name of ["avgPool", "avgPoolGrad"]) expect(times(name)).toBeGreaterThan(0.3 * cases);
  });

  it("does nothing for a batch of nothing", async () => {
    setBackend(backend);
    expect((await maxPool(zeros([0, 2, 8, 8]), 2).read()).length).toBe(0);
    expect((await conv(zeros([0, 2, 8, 8]), zeros([4, 2, 3, 3])).read()).length).toBe(0);
  });
});

// ── cases ──────────────────────────────────────────────────────────────────────────────────────────

function convCase(random: Random) {
  const axes = [...Array([1, 2, 2, 2, 2, 3][random(0, 5)]!).keys()];
  const depthwise = chance(random, 25);
  const groups = depthwise ? random(2, 6) : [1, 1, 1, 2, 3][random(0, 4)]!;
  const perGroup = depthwise ? random(1, 2) : random(1, chance(random, 10) ? 50 : 6);
  const out = depthwise ? random(1, 2) : random(1, chance(random, 10) ? 140 : 14);
  const kernel = axes.map(() => random(1, 4));
  const dilation = axes.map(() => (chance(random, 70) ? 1 : random(2, 3)));
  const stride = axes.map(() => (chance(random, 60) ? 1 : random(2, 3)));
  const reach = axes.map((i) => dilation[i]! * (kernel[i]! - 1));
  const padding = axes.map((i) => [random(0, reach[i]! + 1), random(0, reach[i]!)] as const);
  const most = [0, 60, 17, 6][axes.length]!;
  const size = axes.map((i) => Math.max(1, reach[i]! + 1 - padding[i]![0] - padding[i]![1] + random(1, most)));
  const options = { stride, padding, dilation, groups };
  const attrs: ConvAttrs = convAttrs("test", kernel, options);
  const weight = [groups * out, perGroup, ...kernel];
  const [bias, flipped] = [chance(random, 50), chance(random, 25)];
  return { batch: random(1, 4), channels: groups * perGroup, size, weight, options, attrs, bias, turned: flipped };
}

function poolCase(random: Random) {
  const axes = [...Array([1, 2, 2, 2, 3][random(0, 4)]!).keys()];
  const kernel = axes.map(() => random(1, 4));
  const dilation = axes.map(() => (chance(random, 70) ? 1 : random(2, 3)));
  const stride = axes.map((i) => (chance(random, 50) ? kernel[i]! : random(1, 3)));
  const extent = axes.map((i) => dilation[i]! * (kernel[i]! - 1) + 1);
  const padding = extent.map((e) => random(0, e >> 1));
  // Every window has an element: at least a dilation of them.
  const size = axes.map((i) => Math.max(dilation[i]!, extent[i]! - 2 * padding[i]!) + random(3, 9));
  const options: MaxPoolOptions = { stride, padding, dilation, ceilMode: chance(random, 30) };
  return { size, kernel, options, kind: random(0, 3) };
}

/** The same elements as (N, …, C), seen with its channels first. */
function turned(x: Tensor): Tensor {
  return x.permute([0, x.rank - 1, ...Array.from({ length: x.rank - 2 }, (_, i) => x.rank - 2 - i)]);
}

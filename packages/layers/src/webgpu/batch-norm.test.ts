// batchNorm and its gradient against their lowerings on the reference backend, over random sizes and strides; and proof that
// the kernels ran. NN_CASES=2000 tries so many cases.

import type { WebgpuBackend } from "@nn/backend-webgpu";
import {
  apply,
  compile,
  flip,
  getBackend,
  manualSeed,
  rand,
  randn,
  reference,
  setBackend,
  type Tensor,
  transpose,
} from "@nn/tensor";
import { casesOf, randomness, watched, webgpuHere, whyNoWebgpu } from "@nn/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { batchNormGradOp, batchNormOp } from "../norms/batch-norm-op.js";
import { layerKernels } from "./index.js";

const before = getBackend();
const known = reference();
let ran: string[] = [];

const missing = await whyNoWebgpu();
describe.skipIf(missing)(`batchNorm on webgpu${missing ? ` (${missing})` : ""}`, () => {
  let backend: WebgpuBackend;
  beforeAll(async () => {
    backend = await webgpuHere({ kernels: watched(layerKernels, ({ op }) => ran.push(op)) });
  });
  beforeEach(() => {
    ran = [];
  });
  afterAll(() => {
    setBackend(before);
    backend.dispose();
  });

  const check = async (shape: readonly number[], i: number, mean = 0) => {
    const run = (compiled: boolean) => {
      manualSeed(i);
      let x = randn(shape).add(mean);
      if (i % 3 === 1 && shape.length > 2)
        x = flip(transpose(randn([...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!]), -2, -1), 0);
      const c = shape[1]!;
      const [weight, bias, ct] = [rand([c]), randn([c]), i % 2 ? randn(shape) : flip(randn(shape), 1)];
      const f = (x: Tensor, weight: Tensor, bias: Tensor, ct: Tensor) => {
        const [y, mean, variance] = apply(batchNormOp, [x, weight, bias], { eps: 1e-5 });
        return [y!, mean!, variance!, ...apply(batchNormGradOp, [ct, x, mean!, variance!, weight], { eps: 1e-5 })];
      };
      return (compiled ? compile(f) : f)(x, weight, bias, ct);
    };
    const [want, got] = [[] as ArrayLike<number>[], [] as ArrayLike<number>[]];
    setBackend(known);
    for (const t of run(false)) want.push(await t.read());
    setBackend(backend);
    for (const t of run(i % 2 === 0)) got.push(await t.read());
    want.forEach((w, k) => {
      let [scale, worst] = [k < 4 ? 1e-3 : 1, 0]; // the last are sums, in which much may cancel
      for (let j = 0; j < w.length; j++) {
        scale = Math.max(scale, Math.abs(w[j]!));
        worst = Math.max(worst, Math.abs(got[k]![j]! - w[j]!));
      }
      expect(worst / scale, `${k} of (${shape}), case ${i}`).toBeLessThan(2e-5);
    });
  };

  it("is what its lowering is, and so is its gradient", { timeout: 3_600_000 }, async () => {
    const random = randomness(1);
    const cases = casesOf(10);
    for (let i = 0; i < cases; i++)
      await check([random(8, 12), random(1, 9), ...Array.from({ length: random(0, 3) }, () => random(2, 9))], i);
    expect(ran.filter((op) => op === "layers/batchNorm").length).toBeGreaterThan(0.5 * cases);
    expect(ran.filter((op) => op === "layers/batchNormGrad").length).toBeGreaterThan(0.5 * cases);
  });

  it("in pieces, and far from 0", async () => {
    await check([3, 2, 40, 41], 0, 100);
    await check([1, 70, 9000], 2);
    await check([1, 300, 64], 4);
    expect(ran).toHaveLength(6);
  });

  it("without subgroups", async () => {
    const withThem = backend;
    backend = await webgpuHere({ kernels: layerKernels, subgroups: false });
    await check([3, 2, 40, 41], 1);
    backend.dispose();
    backend = withThem;
  });
});

// crossEntropy of class numbers and its gradient against their lowerings on the reference backend, over random shapes, strides and
// options; and proof that the kernels ran. NN_CASES=2000 tries so many cases.

import { moduleText, type WebgpuBackend } from "@nn/backend-webgpu";
import {
  compile,
  contiguousView,
  flip,
  getBackend,
  grad,
  manualSeed,
  permute,
  randint,
  randn,
  reference,
  setBackend,
  type Tensor,
  tensor,
} from "@nn/tensor";
import { casesOf, chance, expectSame, overLimits, randomness, watched, webgpuHere, whyNoWebgpu } from "@nn/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { crossEntropy } from "../losses/cross-entropy.js";
import { crossEntropyGrad, crossEntropyKernel, layerKernels } from "./index.js";

const rows = (...shape: number[]) => contiguousView({ shape, dtype: "f32" });
const numbers = (dtype: "i32" | "u32", ...shape: number[]) => contiguousView({ shape, dtype });

describe("texts", () => {
  it("a loss is one dispatch", () => {
    const { passes } = crossEntropyKernel.emit({
      ...{ ins: [rows(9, 10), numbers("i32", 9)], outs: [rows(9)] },
      attrs: { axis: 1, ignoreIndex: -100 },
    });
    expect(passes).toHaveLength(1);
    const text = moduleText(passes[0]!);
    expect(text.slice(text.indexOf("fn main"))).toMatchInlineSnapshot(`
      "fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
        let i = group.x * 64u + lane;
        if (i >= 9u) { return; }
        let line = i;
        let c0 = i32(line);
        let from0 = c0 * 10;
        let from1 = i32(line);
        let from2 = i32(line);
        var most = -infinity();
        for (var j = 0u; j < 10u; j += 1u) {
          let v = in0[from0 + i32(j) * 1];
          most = max_f32(most, v);
        }
        var sum = 0.0;
        for (var j = 0u; j < 10u; j += 1u) {
          let v = in0[from0 + i32(j) * 1];
          sum += nn_exp(v - most);
        }
        let wanted = in1[from1];
        let counts = u32(wanted) < 10u && wanted != i32(-100);
        let j = select(0u, u32(wanted), counts);
        let v = in0[from0 + i32(j) * 1];
        out0[from2] = select(0.0, nn_log(sum) - (v - most), counts);
      }
      "
    `);
  });

  it("its gradient is another", () => {
    const { passes } = crossEntropyGrad.emit({
      ...{ ins: [{ ...rows(9), strides: [0] }, rows(9, 100), numbers("u32", 9)], outs: [rows(9, 100)] },
      attrs: { axis: 1, ignoreIndex: -100 },
    });
    expect(passes).toHaveLength(1);
    const text = moduleText(passes[0]!);
    expect(text.slice(text.indexOf("var sum"))).toMatchInlineSnapshot(`
      "var sum = 0.0;
        for (var j = lane; j < 100u; j += 128u) {
          let v = in1[from1 + i32(j) * 1];
          sum += nn_exp(v - most);
        }
        workgroupBarrier();
        lanes[lane] = sum;
        workgroupBarrier();
        for (var half = 64u; half > 0u; half /= 2u) {
          if (lane < half) { lanes[lane] = lanes[lane] + lanes[lane + half]; }
          workgroupBarrier();
        }
        sum = lanes[0];
        let wanted = in2[from2];
        let counts = u32(wanted) < 100u;
        let g = in0[from0];
        for (var j = lane; j < 100u; j += 128u) {
          let v = in1[from1 + i32(j) * 1];
          out0[from3 + i32(j) * 1] = select(0.0, (nn_exp(v - most) / sum - select(0.0, 1.0, j == u32(wanted))) * g, counts);
        }
      }
      "
    `);
  });

  it("stay inside WebGPU's default limits", () => {
    for (const classes of [3, 5000]) {
      const ins = [rows(7, classes), numbers("i32", 7)];
      const attrs = { axis: 1, ignoreIndex: 2 };
      expect(overLimits(crossEntropyKernel.emit({ ins, outs: [rows(7)], attrs }))).toEqual([]);
      expect(overLimits(crossEntropyGrad.emit({ ins: [rows(7), ...ins], outs: [ins[0]!], attrs }))).toEqual([]);
    }
  });
});

const before = getBackend();
const known = reference();
let ran: string[] = [];

const missing = await whyNoWebgpu();
describe.skipIf(missing)(`crossEntropy on webgpu${missing ? ` (${missing})` : ""}`, () => {
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

  it("is what its lowering is, and so is its gradient", { timeout: 3_600_000 }, async () => {
    const random = randomness(1);
    const cases = casesOf(10);
    for (let i = 0; i < cases; i++) {
      const classes = chance(random, 40) ? random(64, 300) : random(1, 20);
      const positions = Array.from({ length: random(0, 2) }, () => random(1, 5));
      const shape = chance(random, 15) ? [classes] : [random(1, 7), classes, ...positions];
      const axis = Math.min(1, shape.length - 1);
      const reduction = (["mean", "sum", "none"] as const)[random(0, 2)]!;
      // A mean of none is NaN; the gradient, too, of the lowering (0 · ∞), but 0 of the kernel.
      const ignoreIndex = reduction !== "mean" && chance(random, 60) ? random(0, classes - 1) : -100;
      const unsigned = chance(random, 30);
      const turned = chance(random, 40);
      const compiled = chance(random, 50);
      const run = () => {
        manualSeed(i);
        const logits = randn(turned ? [...shape].reverse() : shape).mul(3);
        const classAt = randint(0, classes, shape.toSpliced(axis, 1)).cast(unsigned ? "u32" : "i32");
        const scale = randn(shape.toSpliced(axis, 1));
        const f = (logits: Tensor, t: Tensor) => {
          const axes = [...shape.keys()].reverse();
          const loss = () => {
            const x = turned ? flip(permute(logits, axes), axis) : logits;
            return crossEntropy(x, t, { reduction, ignoreIndex });
          };
          return [loss(), ...grad(() => (reduction === "none" ? loss().mul(scale).sum() : loss()), [logits])];
        };
        return (compiled ? compile(f) : f)(logits, classAt);
      };
      await expectSame(`(${shape}), case ${i}`, [backend, known], run);
    }
    expect(ran.filter((op) => op === "layers/crossEntropy").length).toBeGreaterThan(0.5 * cases);
    expect(ran.filter((op) => op === "layers/crossEntropyGrad").length).toBeGreaterThan(0.5 * cases);
  });

  it("overflows nowhere, and counts nothing where a class is ignored, or there is none", async () => {
    setBackend(backend);
    const x = tensor([
      [1e4, -1e4, 0],
      [Number.NEGATIVE_INFINITY, 0, 0],
      [1, 2, 3],
      [1, 2, 3],
    ]);
    const t = tensor([1, -100, 7, -1], { dtype: "i32" });
    const loss = () => crossEntropy(x, t, { reduction: "none" });
    expect([...(await loss().read())]).toEqual([20000, 0, 0, 0]);
    const [g] = grad(() => loss().sum(), [x]);
    expect([...(await g!.read())]).toEqual([1, -1, 0, ...new Array(9).fill(0)]);
    expect(ran).toContain("layers/crossEntropy");
  });
});

// selfTest finds kernels that are wrong on a device, and leaves them out.

import { selfTest, type WebgpuBackend, type WgslKernel, webgpuKernels } from "@nn/backend-webgpu";
import { Conv2d } from "@nn/conv";
import { Linear } from "@nn/layers";
import { type Backend, getBackend, grad, randn, reference, setBackend, type Tensor } from "@nn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { webgpuPacks } from "../backends.js";
import { webgpuHere, whyNoWebgpu } from "../webgpu.js";

/** A convolution, a product, and their gradients. */
function program(): Tensor[] {
  const [conv, linear, x] = [new Conv2d(2, 4, 3), new Linear(64, 3), randn([2, 2, 6, 6])];
  const y = () => linear.forward(conv.forward(x).relu().flatten(1)).softmax(1);
  return [y(), ...grad(() => y().square().sum(), [...conv.parameters(), ...linear.parameters()])];
}

async function usesSubgroups(): Promise<boolean> {
  const backend = await webgpuHere();
  backend.dispose();
  return backend.device.features.has("subgroups");
}

/** A kernel with one text changed in what it prints. */
function spoiled(kernel: WgslKernel, from: RegExp, to: string): WgslKernel {
  return {
    ...kernel,
    emit(signature) {
      const code = kernel.emit(signature);
      return { ...code, passes: code.passes.map((p) => ({ ...p, text: p.text.replace(from, to) })) };
    },
  };
}

const missing = await whyNoWebgpu();
const hasSubgroups = !missing && (await usesSubgroups());
describe.skipIf(missing)(`selfTest${missing ? ` (${missing})` : ""}`, () => {
  const before = getBackend();
  let device: WebgpuBackend;
  beforeAll(async () => {
    device = await webgpuHere({ kernels: webgpuPacks });
  });
  afterAll(() => {
    setBackend(before);
    device.dispose();
  });
  const withKernel = (kernel: WgslKernel): WebgpuBackend => ({
    ...device,
    kernels: [kernel, ...device.kernels.filter((k) => k.op !== kernel.op)],
  });
  const softmax = webgpuKernels.find((k) => k.op.endsWith("oftmax") && !k.op.includes("log"))!;
  const map = webgpuKernels.find((k) => k.op === "map")!;

  it("is content with a device that is right, in little time", async () => {
    const now = getBackend();
    const warnings: string[] = [];
    const { backend, dropped, deviation } = await selfTest(device, program, { warn: (m) => warnings.push(m) });
    expect(backend).toBe(device);
    expect([dropped, warnings]).toEqual([[], []]);
    expect(deviation).toBeLessThan(1e-4);
    expect(getBackend()).toBe(now);
  });

  it("leaves out a kernel that is wrong, and says which", async () => {
    const wrong = withKernel(spoiled(softmax, /exp\(/, "1.01 * exp("));
    const warnings: string[] = [];
    const { backend, dropped, deviation } = await selfTest(wrong, program, { warn: (m) => warnings.push(m) });
    expect(dropped).toEqual([softmax.op]);
    expect(warnings.join()).toMatch(/softmax is wrong on .*: off by .*; its lowering runs instead/);
    expect(deviation).toBeLessThan(1e-3);
    const run = async (on: Backend) => {
      setBackend(on);
      return (await randn([3, 5]).mul(0).softmax(1).toArray()) as number[][];
    };
    expect((await run(backend))[0]![0]).toBeCloseTo(0.2, 6);
    setBackend(before);
  });

  it.skipIf(!hasSubgroups)(
    `does without subgroups where these are wrong${hasSubgroups ? "" : " (the device has none)"}`,
    async () => {
      const reduce = webgpuKernels.find((k) => k.op === "reduce")!;
      const wrong = withKernel({
        ...reduce,
        emit(signature) {
          const code = reduce.emit(signature);
          const spoil = (text?: string) =>
            text ? { withSubgroups: text.replace("subgroupShuffleXor(total, half)", "total") } : {};
          return { ...code, passes: code.passes.map((p) => ({ ...p, ...spoil(p.withSubgroups) })) };
        },
      });
      const sums = () => [randn([3, 1000]).sum(1)];
      const warnings: string[] = [];
      const { backend, dropped } = await selfTest(wrong, sums, { warn: (m) => warnings.push(m) });
      expect(dropped).toEqual(["subgroups"]);
      expect(warnings.join()).toMatch(/subgroups are wrong on .*: off by .*; they are not used/);
      expect(backend.kernels.length).toBe(wrong.kernels.length);
    },
  );

  it("falls back to another backend where the floor is wrong, or says what to do", async () => {
    const broken = withKernel(spoiled(map, /out0\[([^\]]*)\] = /, "out0[$1] = 1.1 * "));
    await expect(selfTest(broken, program)).rejects.toThrow(/selfTest: .*basic operations.*fallback/);
    const other = reference();
    const warnings: string[] = [];
    const result = await selfTest(broken, program, { fallback: () => other, warn: (m) => warnings.push(m) });
    expect(result.backend).toBe(other);
    expect(warnings.join()).toMatch(/"reference" runs instead/);
  });
});

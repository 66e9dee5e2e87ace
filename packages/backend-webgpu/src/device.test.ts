// Finding a device: what is asked for, and what is said where there is none.

import { NNError, ones, reference, setBackend } from "@nn/tensor";
import { webgpuHere, whyNoWebgpu } from "@nn/testing";
import { afterEach, describe, expect, it, vi } from "vitest";
import { f16 } from "./f16.js";
import { gpuBufferOf, webgpu } from "./webgpu.js";

afterEach(() => {
  vi.unstubAllGlobals();
  setBackend(reference());
});

describe("without a device", () => {
  const withGpu = (requestAdapter: () => unknown) => vi.stubGlobal("navigator", { gpu: { requestAdapter } });

  it("says that there is no adapter", async () => {
    withGpu(async () => null);
    await expect(webgpu()).rejects.toThrow(/webgpu: expected a GPU adapter, got none.*await wasm\(\)/);
    await expect(webgpu()).rejects.toBeInstanceOf(NNError);
  });
  it("says why the adapter gives none", async () => {
    const requestDevice = async () => {
      throw new Error("busy");
    };
    withGpu(async () => ({ limits: {}, requestDevice }));
    await expect(webgpu()).rejects.toThrow(/webgpu: expected a device of the adapter, got Error: busy/);
  });
  it("asks for the adapter and the sizes of buffers that it was told to", async () => {
    const asked: unknown[] = [];
    const requestDevice = async (wanted: unknown) => {
      asked.push(wanted);
      throw new Error("enough");
    };
    vi.stubGlobal("navigator", {
      gpu: {
        requestAdapter: async (wanted: unknown) => {
          asked.push(wanted);
          return { limits: { maxBufferSize: 1000, maxStorageBufferBindingSize: 500, other: 7 }, requestDevice };
        },
      },
    });
    await expect(webgpu({ powerPreference: "low-power" })).rejects.toThrow();
    expect(asked).toEqual([
      { powerPreference: "low-power" },
      { requiredLimits: { maxBufferSize: 1000, maxStorageBufferBindingSize: 500 } },
    ]);
  });
  it("asks for the features that the adapter has, and refuses f16 where it is not", async () => {
    const asked: unknown[] = [];
    const adapterWith = (...features: string[]) =>
      ({
        limits: {},
        features: new Set(features),
        requestDevice: async ({ requiredFeatures }: GPUDeviceDescriptor) => {
          asked.push(requiredFeatures);
          throw new Error("enough");
        },
      }) as unknown as GPUAdapter;
    for (const options of [
      { adapter: adapterWith("subgroups", "shader-f16") },
      { adapter: adapterWith("subgroups", "shader-f16"), f16 },
      { adapter: adapterWith("shader-f16"), f16 },
    ])
      await expect(webgpu(options)).rejects.toThrow(/enough/);
    expect(asked).toEqual([["subgroups"], ["shader-f16", "subgroups"], ["shader-f16"]]);
    await expect(webgpu({ adapter: adapterWith("subgroups"), f16 })).rejects.toThrow(
      /webgpu: expected f16 to be that of this package, and an adapter with the feature shader-f16, got one without. .*Leave f16 out/,
    );
    const wrong = { adapter: adapterWith("shader-f16"), f16: true as unknown as typeof f16 };
    await expect(webgpu(wrong)).rejects.toThrow(/f16 to be that of this package.*, got true/);
    const device = { features: new Set() } as unknown as GPUDevice;
    await expect(webgpu({ device, f16 })).rejects.toThrow(/a device with the feature shader-f16/);
  });
});

const missing = await whyNoWebgpu();
describe.skipIf(missing)(`with a device${missing ? ` (${missing})` : ""}`, () => {
  it("is found in Node", async () => {
    const backend = await webgpu(); // whyNoWebgpu has made this machine ready
    setBackend(backend);
    expect(await ones([3]).add(1).toArray()).toEqual([2, 2, 2]);
    expect(backend.device.limits.maxStorageBuffersPerShaderStage).toBe(8); // no more than the default
    expect(backend.adapterInfo).toBeDefined();
    backend.dispose();
    expect((await backend.device.lost).reason).toBe("destroyed");
  });
  it("leaves a given device alone, and gives its buffers", async () => {
    const { device } = await webgpuHere();
    const backend = await webgpu({ device });
    setBackend(backend);
    const x = ones([2, 3]).transpose();
    const { buffer, offset, strides } = gpuBufferOf(x);
    expect([buffer.size, offset, strides]).toEqual([24, 0, [1, 3]]);
    device.queue.writeBuffer(buffer, 0, Float32Array.of(1, 2, 3, 4, 5, 6));
    expect(await x.toArray()).toEqual([
      [1, 4],
      [2, 5],
      [3, 6],
    ]);
    backend.dispose();
    expect(await Promise.race([device.lost, "there"])).toBe("there");
    setBackend(reference());
    expect(() => gpuBufferOf(ones([2]))).toThrow(
      /gpuBufferOf: expected a tensor on "webgpu", got \(2\) on "reference"/,
    );
    device.destroy();
  });
});

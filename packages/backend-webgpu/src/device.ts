// Finding a device: `navigator.gpu` in browsers and Deno, the npm package `webgpu` in Node.

import { fail } from "@nn/tensor";
import type { f16 } from "./f16.js";

export interface DeviceOptions {
  /** A device of yours; it stays yours, and `dispose` does not destroy it. */
  readonly device?: GPUDevice;
  /** The adapter to ask for a device. */
  readonly adapter?: GPUAdapter;
  /** Which adapter to ask for, where there are several. */
  readonly powerPreference?: GPUPowerPreference;
  /** Whether kernels use subgroups where the device has them (default true). */
  readonly subgroups?: boolean;
  /** Mixed precision: {@link f16}. An error where the device has no `shader-f16`. Omitted: all is f32. */
  readonly f16?: typeof f16;
}

/** A device for an adapter, with subgroups if it has them and as large buffers as it can have; all else is within WebGPU's default limits. */
export async function openDevice({ device, adapter, powerPreference, f16 }: DeviceOptions): Promise<GPUDevice> {
  const needF16 = (on: { features?: GPUSupportedFeatures }, what: string) => {
    const has = on.features?.has("shader-f16");
    if (!f16 || (has && typeof f16 === "function")) return;
    fail({
      op: "webgpu",
      expected: `f16 to be that of this package, and ${what} with the feature shader-f16`,
      got: has ? `${f16}` : "one without",
      hint: "Leave f16 out.",
    });
  };
  if (device) {
    needF16(device, "a device");
    return device;
  }
  const found = adapter ?? (await (await findGpu()).requestAdapter(powerPreference ? { powerPreference } : {}));
  if (!found) {
    return fail({
      op: "webgpu",
      expected: "a GPU adapter",
      got: "none",
      hint: `${isNode ? "Node needs a driver (on Linux Vulkan: libvulkan.so.1, and VK_DRIVER_FILES if it is not installed system-wide). " : ""}Use await wasm() instead.`,
    });
  }
  needF16(found, "an adapter");
  const { maxBufferSize, maxStorageBufferBindingSize } = found.limits;
  const requiredFeatures: GPUFeatureName[] = f16 ? ["shader-f16"] : [];
  if (found.features?.has("subgroups")) requiredFeatures.push("subgroups");
  try {
    return await found.requestDevice({
      requiredLimits: { maxBufferSize, maxStorageBufferBindingSize },
      ...(requiredFeatures.length > 0 ? { requiredFeatures } : {}),
    });
  } catch (e) {
    return fail({
      op: "webgpu",
      expected: "a device of the adapter",
      got: String(e),
      hint: "Use await wasm() instead.",
    });
  }
}

/** Whether shaders can use subgroups, and know the number of theirs: that came later. */
export async function hasSubgroups(device: GPUDevice): Promise<boolean> {
  if (!device.features.has("subgroups")) return false;
  device.pushErrorScope("validation");
  const code = "enable subgroups; @compute @workgroup_size(1) fn main(@builtin(subgroup_id) id: u32) {}";
  device.createShaderModule({ label: "subgroup_id", code });
  return (await device.popErrorScope()) === null;
}

async function findGpu(): Promise<GPU> {
  const inBrowser = (host.navigator as { gpu?: GPU } | undefined)?.gpu;
  if (inBrowser) return inBrowser;
  if (!isNode) {
    return fail({
      op: "webgpu",
      expected: "navigator.gpu",
      got: "none in this browser, or a page without https",
      hint: "Use await wasm() instead.",
    });
  }
  try {
    nodeGpu ??= (await nodePackage("webgpu")).create([]) as GPU;
    return nodeGpu;
  } catch (e) {
    return fail({
      op: "webgpu",
      expected: 'the npm package "webgpu" (Node has no WebGPU of its own)',
      got: e instanceof Error ? e.message : String(e),
      hint: "npm install webgpu, or use await wasm().",
    });
  }
}

/** One for the process; what it gives lives no longer than itself. */
let nodeGpu: GPU | undefined;

/** A package for Node; bundlers for browsers must not look for it. */
const nodePackage = (name: string) => import(/* @vite-ignore */ /* webpackIgnore: true */ name);

const host = globalThis as {
  process?: { versions?: { node?: string }; type?: string };
  navigator?: object;
};
const isNode = !!host.process?.versions?.node && host.process.type !== "renderer"; // not a page of Electron

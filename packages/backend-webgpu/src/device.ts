// Finding a device: `navigator.gpu` in browsers and Deno, the npm package `webgpu` in Node.

import { fail } from "@nn/tensor";

export interface DeviceOptions {
  /** A device of yours; it stays yours, and `dispose` does not destroy it. */
  readonly device?: GPUDevice;
  /** The adapter to ask for a device. */
  readonly adapter?: GPUAdapter;
  /** Which adapter to ask for, where there are several. */
  readonly powerPreference?: GPUPowerPreference;
}

/** A device for an adapter with as large buffers as it can have; all else is within WebGPU's default limits. */
export async function openDevice({ device, adapter, powerPreference }: DeviceOptions): Promise<GPUDevice> {
  if (device) return device;
  const found = adapter ?? (await (await findGpu()).requestAdapter(powerPreference ? { powerPreference } : {}));
  if (!found) {
    return fail({
      op: "webgpu",
      expected: "a GPU adapter",
      got: "none",
      hint: `${isNode ? "Node needs a driver (on Linux Vulkan: libvulkan.so.1, and VK_DRIVER_FILES if it is not installed system-wide). " : ""}Use await wasm() instead.`,
    });
  }
  const { maxBufferSize, maxStorageBufferBindingSize } = found.limits;
  try {
    return await found.requestDevice({ requiredLimits: { maxBufferSize, maxStorageBufferBindingSize } });
  } catch (e) {
    return fail({
      op: "webgpu",
      expected: "a device of the adapter",
      got: String(e),
      hint: "Use await wasm() instead.",
    });
  }
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

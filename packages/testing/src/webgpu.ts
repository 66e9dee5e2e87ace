// The WebGPU backend for tests: on this machine's GPU, or, in Node on a Linux without Vulkan, on the SwiftShader that
// Debian's chromium brings along: a GPU in software, right and slow.

import { moduleText, type WebgpuBackend, type WebgpuOptions, type WgslCode, webgpu } from "@nn/backend-webgpu";

/** @throws {@link NNError} where there is none */
export async function webgpuHere(options: Omit<WebgpuOptions, "device" | "adapter"> = {}): Promise<WebgpuBackend> {
  if ((globalThis as { process?: { versions?: { node?: string } } }).process?.versions?.node) {
    softwareVulkan();
    try {
      gpu ??= (await nodePackage("webgpu")).create(FLAGS) as GPU;
    } catch {} // webgpu() says it better
  }
  const adapter = await gpu?.requestAdapter();
  return webgpu(adapter ? { ...options, adapter } : options);
}

/**
 * SwiftShader compiles a store for every number that the driver is to set to 0: half a second for a matrix product. Let
 * the shader do it.
 */
const FLAGS = ["disable-dawn-features=use_vulkan_zero_initialize_workgroup_memory_extension"];
let gpu: GPU | undefined;
/** A package for Node; a page of tests must not look for it. */
const nodePackage = (name: string) => import(/* @vite-ignore */ name);

/** What a kernel asks for beyond WebGPU's default limits and features; nothing, if it is to run everywhere. */
export function overLimits({ name, passes }: WgslCode): string[] {
  return passes.flatMap((pass) => {
    const text = moduleText(pass);
    const shared = [...text.matchAll(/var<workgroup> \w+: array<(?:vec(\d))?\w+, (\d+)>/g)];
    const bytes = shared.reduce((sum, [, wide, length]) => sum + 4 * Number(wide ?? 1) * Number(length), 0);
    const faults = {
      "an optional feature": /\benable\b|\brequires\b|subgroup/.test(text),
      "more than 8 buffers": pass.bindings.length > 8, // maxStorageBuffersPerShaderStage
      "more than 256 threads": Number(/@workgroup_size\((\d+)\)/.exec(text)![1]) > 256, // maxComputeInvocationsPerWorkgroup
      "more than 16 KiB": bytes > 16384, // maxComputeWorkgroupStorageSize
      "memory that is not counted":
        shared.length !== text.match(/var<workgroup>/g)?.length && text.includes("var<workgroup>"),
    };
    return Object.entries(faults).flatMap(([fault, is]) => (is ? [`${name}: ${fault}`] : []));
  });
}

/** How many random cases a property is tried with: a few, or as many as `NN_CASES` says (the whole takes minutes). */
export const casesOf = (few: number): number =>
  Number((globalThis as { process?: typeof process }).process?.env?.["NN_CASES"] ?? few);

/** Why there is no WebGPU here; `undefined`: there is. */
export async function whyNoWebgpu(): Promise<string | undefined> {
  try {
    (await webgpuHere()).dispose();
    return undefined;
  } catch (e) {
    return `no WebGPU here: ${e instanceof Error ? e.message : e}`;
  }
}

const CHROMIUM = "/usr/lib/chromium";

function softwareVulkan(): void {
  const node = (globalThis as { process?: typeof process }).process;
  const fs = node?.getBuiltinModule?.("node:fs");
  if (!fs || !node || node.platform !== "linux" || node.env.VK_DRIVER_FILES) return;
  if (["/etc/vulkan/icd.d", "/usr/share/vulkan/icd.d"].some((dir) => fs.existsSync(dir))) return;
  if (!fs.existsSync(`${CHROMIUM}/vk_swiftshader_icd.json`)) return;
  node.env.VK_DRIVER_FILES = `${CHROMIUM}/vk_swiftshader_icd.json`;
  node.env.XDG_RUNTIME_DIR ??= "/tmp"; // else the loader complains
  try {
    // No module of Node, which is an error, but the loader then stays in the process and is found by its name.
    const RTLD_NODELETE = 0x1000;
    node.dlopen({ exports: {} }, `${CHROMIUM}/libvulkan.so.1`, 2 | RTLD_NODELETE);
  } catch {}
}

// The backends there are, by the names that tests and `npm run golden -- --backend NAME` know.

import { wasm } from "@nn/backend-wasm";
import type { WgslKernel } from "@nn/backend-webgpu";
import { convKernels } from "@nn/conv/wasm";
import { convKernels as webgpuConv } from "@nn/conv/webgpu";
import { layerKernels as webgpuLayers } from "@nn/layers/webgpu";
import { recurrentKernels } from "@nn/recurrent/wasm";
import { recurrentKernels as webgpuRecurrent } from "@nn/recurrent/webgpu";
import { type Backend, reference } from "@nn/tensor";
import { webgpuHere } from "./webgpu.js";

/** Two threads, and everything cut into parts: what it cuts for real is too much work for tests. */
const shared = { threads: 2, parallelFrom: 0 };

const packs = [...convKernels, ...recurrentKernels];

/** All packs for WebGPU. */
export const webgpuPacks: readonly WgslKernel[] = [...webgpuConv, ...webgpuLayers, ...webgpuRecurrent];

export const backends: Readonly<Record<string, () => Backend | Promise<Backend>>> = {
  reference: () => reference(),
  /** As a user makes it, with the kernel packs. */
  wasm: () => wasm({ kernels: packs }),
  "wasm-1": () => wasm({ threads: 1 }),
  "wasm-2": () => wasm(shared),
  "wasm-plain-1": () => wasm({ relaxed: false, threads: 1 }),
  "wasm-plain-2": () => wasm({ relaxed: false, ...shared }),
  "wasm-packs-1": () => wasm({ kernels: packs, threads: 1 }),
  "wasm-packs-2": () => wasm({ kernels: packs, relaxed: false, ...shared }),
  /** As a user makes it, with the kernel packs; and the lowerings alone. */
  webgpu: () => webgpuHere({ kernels: webgpuPacks }),
  "webgpu-alone": () => webgpuHere(),
};

/** The ways the wasm backend works: with one thread, where memory can be shared, and with other packages' kernels. */
export const wasmVariants = {
  alone: ["wasm-1", "wasm-plain-1"],
  shared: ["wasm-2", "wasm-plain-2"],
  packs: ["wasm-packs-1", "wasm-packs-2"],
} as const;

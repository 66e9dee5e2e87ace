// Kernels for pages whose networks have convolutions.

import { convKernels } from "@nn/conv/wasm";
import type { Kernels } from "./serve.js";

export const convolutions: Kernels = {
  wasm: convKernels,
  webgpu: async () => (await import("@nn/conv/webgpu")).convKernels,
};

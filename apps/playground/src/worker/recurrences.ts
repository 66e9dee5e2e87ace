// Kernels for pages whose networks are recurrent.

import { recurrentKernels } from "@nn/recurrent/wasm";
import type { Kernels } from "./serve.js";

export const recurrences: Kernels = {
  wasm: recurrentKernels,
  webgpu: async () => (await import("@nn/recurrent/webgpu")).recurrentKernels,
};

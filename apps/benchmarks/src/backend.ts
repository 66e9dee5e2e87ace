/** Opens the backend that the options name, and says what will really run. */
import { reference, setBackend } from "@nn/tensor";
import { asksFor } from "./asks-for.js";
import { adapterOf, type Contender, type Where } from "./result.js";

export const LIBRARY = "@nn";

export type BackendName = "reference" | "wasm" | "webgpu";

/** What to run on. */
export interface BackendOptions {
  readonly backend: BackendName;
  readonly threads: number;
  /** WebAssembly without relaxed SIMD. */
  readonly plain: boolean;
  /** Workloads may bring kernels. */
  readonly only: readonly string[];
}

/** Makes the backend the current one. */
export async function openBackend(options: BackendOptions, where: Where): Promise<Contender> {
  const contender = { ...where, library: LIBRARY, backend: nameOf(options), threads: 1 };
  if (options.backend === "webgpu") {
    const backend = await openWebgpu(options);
    setBackend(backend);
    return { ...contender, adapter: adapterOf(backend.adapterInfo) };
  }
  if (options.backend === "reference") {
    setBackend(reference());
    return contender;
  }
  const backend = await openWasm(options);
  setBackend(backend);
  return { ...contender, threads: backend.threads };
}

/** `wasm`, `wasm:plain`, `webgpu`, `reference`. */
export function nameOf({ backend, plain }: Pick<BackendOptions, "backend" | "plain">): string {
  return backend === "wasm" && plain ? "wasm:plain" : backend;
}

// ---------------------------------------------------------------------------------------------

/** Loaded only when asked for: its time of loading belongs to the start-up time. */
async function openWasm({ threads, plain, only }: BackendOptions) {
  const [{ wasm }, { convKernels }, { recurrentKernels }] = await Promise.all([
    import("@nn/backend-wasm"),
    import("@nn/conv/wasm"),
    import("@nn/recurrent/wasm"),
  ]);
  const peak = asksFor(only, "gemm_peak") ? [(await import("./workloads/gemm-peak.js")).peakKernel] : [];
  return wasm({ threads, relaxed: !plain, kernels: [...convKernels, ...recurrentKernels, ...peak] });
}

async function openWebgpu({ only }: BackendOptions) {
  const [{ webgpu }, { convKernels }, { layerKernels }, { recurrentKernels }] = await Promise.all([
    import("@nn/backend-webgpu"),
    import("@nn/conv/webgpu"),
    import("@nn/layers/webgpu"),
    import("@nn/recurrent/webgpu"),
  ]);
  const wantsPeak = asksFor(only, "fma_peak") || only.some((name) => name.startsWith("gemm"));
  const peak = wantsPeak ? [(await import("./workloads/fma-peak.js")).peakKernel] : [];
  return webgpu({
    powerPreference: "high-performance",
    kernels: [...convKernels, ...layerKernels, ...recurrentKernels, ...peak],
  });
}

/** Opens the backend that the options name, and says what will really run. */
import { reference, setBackend } from "@nn/tensor";
import { asksFor, type Options } from "./options.js";
import type { Contender } from "./result.js";

export const LIBRARY = "@nn";

/** Makes the backend the current one. */
export async function openBackend(
  options: Pick<Options, "backend" | "threads" | "plain" | "only">,
): Promise<Contender> {
  const backend = options.backend === "wasm" ? await openWasm(options) : { ...reference(), threads: 1 };
  setBackend(backend);
  return { library: LIBRARY, backend: nameOf(options), threads: backend.threads };
}

/** `wasm`, `wasm:plain`, `reference`. */
export function nameOf({ backend, plain }: Pick<Options, "backend" | "plain">): string {
  return backend === "wasm" && plain ? "wasm:plain" : backend;
}

// ---------------------------------------------------------------------------------------------

/** Loaded only when asked for: its time of loading belongs to the start-up time. */
async function openWasm({ threads, plain, only }: Pick<Options, "threads" | "plain" | "only">) {
  const [{ wasm }, { convKernels }, { recurrentKernels }] = await Promise.all([
    import("@nn/backend-wasm"),
    import("@nn/conv/wasm"),
    import("@nn/recurrent/wasm"),
  ]);
  const peak = asksFor(only, "gemm_peak") ? [(await import("./workloads/gemm-peak.js")).peakKernel] : [];
  return wasm({ threads, relaxed: !plain, kernels: [...convKernels, ...recurrentKernels, ...peak] });
}

// selfTest: does this device compute what it should? Drivers have faults that no test elsewhere can find. So the program that is
// to run is tried on the device itself, in small, beside the reference backend; kernels that are wrong there are left out.

import { type Backend, fail, getBackend, manualSeed, reference, setBackend, type Tensor } from "@nn/tensor";
import type { WgslKernel } from "./code.js";
import type { WebgpuBackend } from "./webgpu.js";

export interface SelfTestOptions {
  /** How far a value may be off, relative to the largest of its tensor (default 1e-3). */
  readonly tolerance?: number;
  /** Where to go if even the floor is wrong: `() => wasm()`. Without it that is an error. */
  readonly fallback?: () => Backend | Promise<Backend>;
  /** Is told what differed (default: `console.warn`). */
  readonly warn?: (message: string) => void;
}

export interface SelfTestResult {
  /** To be set as the backend: the one that was tested, the same without some kernels, or the fallback. */
  readonly backend: Backend;
  /** The ops whose kernels are wrong on this device; their lowerings run instead. Or `subgroups`, if it is these. */
  readonly dropped: readonly string[];
  /** The largest deviation that is left, relative to the largest value of its tensor. */
  readonly deviation: number;
}

/** The ops that nothing else can run. */
const FLOOR = ["map", "reduce", "gather", "scatterAdd"];

/**
 * Runs a small program on the device and on the reference backend, and compares. Where they differ it looks for the kernels that are to
 * blame, subgroups first, then one op after the other, and leaves them out, with a warning.
 *
 * @param program makes its model and data, and gives what is compared, best with gradients. It runs several times, each on
 * another backend and after `manualSeed(0)`
 * @throws {@link NNError} where even the floor (pointwise formulas, reductions, indexing) is wrong and there is no `fallback`
 * @example
 * ```ts
 * const { backend } = await selfTest(await webgpu({ kernels: convKernels }), () => {
 *   const [model, x] = [new Net(), randn([2, 1, 28, 28])];
 *   return [model.forward(x), ...grad(() => model.forward(x).square().mean(), model.parameters())];
 * }, { fallback: () => wasm() });
 * setBackend(backend);
 * ```
 */
export async function selfTest(
  backend: WebgpuBackend,
  program: () => readonly Tensor[],
  { tolerance = 1e-3, fallback, warn = console.warn }: SelfTestOptions = {},
): Promise<SelfTestResult> {
  const before = backendNow();
  const run = async (on: Backend): Promise<readonly Float32Array[]> => {
    setBackend(on);
    manualSeed(0);
    // All are waited for: what one of them tells must not reach the next run.
    const read = await Promise.allSettled(program().map((t) => t.read()));
    return read.map((r) => {
      if (r.status === "rejected") throw r.reason;
      return Float32Array.from(r.value);
    });
  };
  try {
    const want = await run(reference());
    /** How far a backend is off; infinite where it fails. */
    const deviationOf = (on: Backend): Promise<number> =>
      run(on).then(
        (got) => Math.max(0, ...got.map((list, i) => deviation(list, want[i]!))),
        () => Number.POSITIVE_INFINITY,
      );
    const only = (ops: readonly string[]): Backend =>
      withKernels(
        backend,
        backend.kernels.filter(({ op }) => ops.includes(op)),
      );
    const whole = await deviationOf(backend);
    if (whole <= tolerance) return { backend, dropped: [], deviation: whole };

    const where = backend.adapterInfo?.description || backend.adapterInfo?.vendor || "this device";
    const plain = withKernels(backend, backend.kernels.map(withoutSubgroups));
    const left = backend.device.features.has("subgroups") ? await deviationOf(plain) : whole;
    if (left <= tolerance) {
      warn(`selfTest: subgroups are wrong on ${where}: off by ${show(whole)}; they are not used.`);
      return { backend: plain, dropped: ["subgroups"], deviation: left };
    }
    const floor = await deviationOf(only(FLOOR));
    if (!(floor <= tolerance)) {
      const message = `selfTest: the basic operations are wrong on ${where}: off by ${show(floor)} (at most ${tolerance})`;
      if (!fallback) {
        return fail({
          op: "selfTest",
          expected: `results within ${tolerance} of the reference's on ${where}`,
          got: `${show(floor)} with the basic operations alone`,
          hint: "Use the wasm backend: pass { fallback: () => wasm() }.",
        });
      }
      const other = await fallback();
      warn(`${message}; "${other.name}" runs instead.`);
      return { backend: other, dropped: [], deviation: 0 };
    }
    const good = [...FLOOR];
    const dropped: string[] = [];
    let least = floor;
    for (const op of new Set(backend.kernels.map((k) => k.op))) {
      if (good.includes(op)) continue;
      const off = await deviationOf(only([...good, op]));
      if (off <= tolerance) {
        good.push(op);
        least = off;
      } else {
        dropped.push(op);
        warn(`selfTest: the kernel of ${op} is wrong on ${where}: off by ${show(off)}; its lowering runs instead.`);
      }
    }
    return { backend: only(good), dropped, deviation: least };
  } finally {
    if (before) setBackend(before);
  }
}

/** The same backend with other kernels. */
const withKernels = (backend: WebgpuBackend, kernels: readonly WgslKernel[]): Backend =>
  Object.defineProperties({} as Backend, {
    ...Object.getOwnPropertyDescriptors(backend),
    kernels: { value: kernels, enumerable: true },
  });

const withoutSubgroups = (kernel: WgslKernel): WgslKernel => ({
  ...kernel,
  emit(signature) {
    const code = kernel.emit(signature);
    return { ...code, passes: code.passes.map(({ withSubgroups: _, ...pass }) => pass) };
  },
});

/** The largest difference, relative to the largest value. */
function deviation(got: ArrayLike<number>, want: ArrayLike<number>): number {
  if (got.length !== want.length) return Number.POSITIVE_INFINITY;
  let [off, most] = [0, 1e-30];
  for (let i = 0; i < want.length; i++) {
    const [a, b] = [got[i]!, want[i]!];
    if (Object.is(a, b) || a === b) continue;
    off = Math.max(off, Number.isFinite(a - b) ? Math.abs(a - b) : Number.POSITIVE_INFINITY);
  }
  for (let i = 0; i < want.length; i++) if (Number.isFinite(want[i])) most = Math.max(most, Math.abs(want[i]!));
  return off / most;
}

function backendNow(): Backend | undefined {
  try {
    return getBackend();
  } catch {
    return undefined;
  }
}

const show = (off: number): string => (Number.isFinite(off) ? off.toExponential(1) : "a failure, or no number");

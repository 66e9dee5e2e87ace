// The backend: kernels written at run time, buffers in one linear memory, plans loaded as modules.

import {
  type Backend,
  type Buffer,
  countPlan,
  type Executable,
  fail,
  insideModules,
  type Plan,
  type PlanStep,
} from "@nn/tensor";
import { BUFFERS, CONSTANTS, COUNTERS, ERROR, HEAP, KEPT, TEMPORARIES } from "./addresses.js";
import type { Features } from "./build.js";
import type { WasmCode, WasmKernel } from "./code.js";
import { makePool } from "./constants.js";
import { MAX_PAGES } from "./encode.js";
import { detectFeatures } from "./features.js";
import { makeHeap } from "./heap.js";
import { wasmKernels } from "./kernels/index.js";
import { cores, startPool } from "./pool.js";
import { writeProgram } from "./program.js";
import type { Run } from "./thread.js";

export interface WasmOptions {
  /** Kernels of other packages, tried before its own. */
  readonly kernels?: readonly WasmKernel[];
  /** How many threads work, with the calling one; default: as many as the machine has, 8 at most. */
  readonly threads?: number;
  /** `false`: no fused multiply-add, so that results are the same on all machines; default: where there is one. */
  readonly relaxed?: boolean;
  /** Where `worker.js` of this package is served, if a bundler did not take it along. */
  readonly workerUrl?: string | URL;
  /** Nanoseconds of work from which a plan is shared among threads. @internal */
  readonly parallelFrom?: number;
}

export interface WasmBackend extends Backend<WasmCode> {
  /** Where everything lies; shared if there are threads. */
  readonly memory: WebAssembly.Memory;
  /** Threads that really work; 1 where others could not start, or one failed. */
  readonly threads: number;
  readonly features: Features;
  /** Stops the threads. The backend stays usable, with one. */
  dispose(): void;
}

/**
 * Makes the WebAssembly backend: SIMD, and threads where memory can be shared (Node; pages that are cross-origin
 * isolated). Elsewhere it says once on the console why it has one thread.
 *
 * @throws {@link NNError} where WebAssembly or its SIMD is missing or forbidden
 * @example
 * ```ts
 * setBackend(await wasm());
 * ```
 */
export async function wasm(options: WasmOptions = {}): Promise<WasmBackend> {
  const can = detectFeatures();
  const wanted = options.threads ?? Math.min(8, await cores());
  const share = wanted > 1 && can.threads;
  let memory = makeMemory(share);
  const pool = share ? await startPool(memory, wanted - 1, options.workerUrl, warn) : undefined;
  if (wanted > 1 && !share) {
    warn(
      "memory is not shared here. Send the headers Cross-Origin-Opener-Policy: same-origin and " +
        "Cross-Origin-Embedder-Policy: require-corp",
    );
  }
  if (share && !pool) memory = makeMemory(false);

  const heap = makeHeap(memory, HEAP);
  let words = new Int32Array(0);
  let octets = new Uint8Array(0);
  /** The memory as i32 and as bytes, however large it is now: made anew only when it grows, so that a run makes nothing. */
  const now = () => (words.buffer === memory.buffer ? words : (words = new Int32Array(memory.buffer)));
  const bytesNow = () => (octets.buffer === memory.buffer ? octets : (octets = new Uint8Array(memory.buffer)));
  const view = (buffer: Buffer) => new Uint8Array(memory.buffer, (buffer as Block).at, buffer.bytes);
  const features = { relaxed: can.relaxed && options.relaxed !== false, threads: !!pool };
  const writing = {
    features,
    constants: makePool(CONSTANTS, HEAP, (address, lanes) => now().set(lanes, address / 4)),
    threads: pool?.threads ?? 1,
    parallelFrom: options.parallelFrom ?? 100_000,
  };
  const imports = { nn: { m: memory, wait: () => pool!.wait() } };
  let ids = 0;

  /** One plan runs at a time, so all share one block for what they need while they run: bytes, by table. */
  const needs = new Map<number, number>();
  let common = 0;
  let commonBytes = 0;
  const fit = () => {
    const bytes = Math.max(0, ...needs.values());
    if (bytes === commonBytes) return;
    heap.free(common);
    common = 0;
    countPlan(-commonBytes);
    commonBytes = 0;
    common = heap.alloc(bytes);
    countPlan((commonBytes = bytes));
  };

  const load = (plan: Plan<WasmCode>): Executable => {
    const refs = plan.steps.flatMap((s) => [...s.ins, ...s.outs]);
    const inputs = Math.max(0, ...refs.map((r) => ("input" in r ? r.input + 1 : 0)));
    const results = Math.max(0, ...refs.map((r) => ("result" in r ? r.result + 1 : 0)));
    const modules = plan.steps.map((s) => s.modules);
    const { bytes, temporaries, counters, cost, kept } = writeProgram(plan, inputs, results, writing);
    // The table, and for workers the module.
    const words = BUFFERS + inputs + results + kept.inputs.length;
    const keptAt = Math.ceil((4 * words + (counters && bytes.length)) / 64) * 64;
    const own = keptAt + kept.bytes;
    const table = heap.alloc(own);
    /** What phases that keep have seen: an input, and how often that had been written. Not known after a run that failed. */
    const seen = kept.inputs.map((input) => ({ input, block: null as Block | null, written: 0 }));
    let known = false;
    const free = () => {
      pool?.forget(table);
      heap.free(table);
      needs.delete(table);
      fit();
    };
    needs.set(table, temporaries + counters);
    try {
      fit();
    } catch (e) {
      free();
      throw e;
    }
    countPlan(own);
    if (counters) {
      new Uint8Array(memory.buffer).set(bytes, table + 4 * words);
      now().set([++ids, table + 4 * words, bytes.length], table / 4);
    }

    let entry: Run | undefined;
    const link = (instance: WebAssembly.Instance) => {
      entry = instance.exports.run as Run;
    };
    let ready = Promise.resolve();
    try {
      link(new WebAssembly.Instance(new WebAssembly.Module(bytes), imports));
    } catch (e) {
      if (!(e instanceof RangeError)) throw e;
      // Browsers do not compile large modules at once on a page's own thread.
      ready = WebAssembly.instantiate(bytes, imports).then(({ instance }) => link(instance));
    }
    return {
      ready,
      run(ins, outs) {
        if (!entry) {
          return fail({
            op: "run",
            expected: "a compiled step",
            got: "one that the browser still compiles",
            hint: "Call await step.ready(...) first.",
          });
        }
        const w = now();
        const at = table / 4;
        w[at + TEMPORARIES] = common;
        for (let i = 0; i < inputs; i++) w[at + BUFFERS + i] = (ins[i] as Block).at;
        for (let i = 0; i < results; i++) w[at + BUFFERS + inputs + i] = (outs[i] as Block).at;
        w[at + KEPT] = table + keptAt;
        for (let i = 0; i < seen.length; i++) {
          const last = seen[i]!;
          const block = ins[last.input] as Block;
          w[at + BUFFERS + inputs + results + i] =
            known && last.block === block && last.written === block.written ? 0 : 1;
          last.block = block;
          last.written = block.written;
        }
        known = false;
        for (let i = 0; i < outs.length; i++) (outs[i] as Block).written++;
        if (counters) {
          const from = common + temporaries;
          w[at + COUNTERS] = from;
          w.fill(0, from / 4, (from + counters) / 4);
          pool!.run(entry, table, cost);
        } else entry(table, 0);
        if (w[ERROR / 4] !== 0) outOfRange(w.subarray(ERROR / 4), modules);
        known = true;
      },
      dispose() {
        if (!needs.has(table)) return;
        countPlan(-own);
        free();
      },
    };
  };

  return {
    name: "wasm",
    kernels: [...(options.kernels ?? []), ...wasmKernels],
    alloc: (bytes, what) => ({ bytes, at: heap.alloc(bytes, what), written: 0 }) as Buffer,
    free: (buffer) => heap.free((buffer as Block).at),
    write(buffer, data, offset = 0) {
      if (offset + data.length > buffer.bytes)
        throw new RangeError(`${data.length} bytes at ${offset} of ${buffer.bytes}`);
      (buffer as Block).written++;
      bytesNow().set(data, (buffer as Block).at + offset);
    },
    // A copy at once: memory that grows meanwhile would take the view away.
    read: async (buffer) => view(buffer).slice(),
    readSync: view,
    load,
    memory,
    features,
    get threads() {
      return pool?.threads ?? 1;
    },
    dispose: () => pool?.dispose(),
  };
}

interface Block extends Buffer {
  readonly at: number;
  /** How often it was written to. */
  written: number;
}

function makeMemory(shared: boolean): WebAssembly.Memory {
  // Some phones do not give away 4 GiB of addresses.
  for (let maximum = MAX_PAGES; ; maximum /= 2) {
    try {
      return new WebAssembly.Memory({ initial: 16, maximum, shared });
    } catch (e) {
      if (maximum < 4096) throw e;
    }
  }
}

/** What a kernel has left in the error block. */
function outOfRange(words: Int32Array, modules: readonly PlanStep<WasmCode>["modules"][]): never {
  const [code, index, size, axis, step] = words;
  words[0] = 0;
  return insideModules(modules[step!], () =>
    fail({
      op: code === 1 ? "gather" : "scatterAdd",
      expected: `indices 0…${size! - 1} on axis ${axis}`,
      got: `${index}`,
      hint: "Check labels or token numbers against the number of classes or rows.",
    }),
  );
}

let warned = false;
function warn(why: string): void {
  if (!warned) globalThis.console?.warn(`@nn/backend-wasm works with one thread: ${why}.`);
  warned = true;
}

// Threads: the same bits for any number of them, and what happens when workers are late, fail, are killed, or never come.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { crossEntropy, Linear } from "@nn/layers";
import { AdamW } from "@nn/optim";
import {
  compile,
  expr as ex,
  gather,
  getBackend,
  Module,
  manualSeed,
  memory,
  NNError,
  randint,
  randn,
  setBackend,
  type Tensor,
  tensor,
} from "@nn/tensor";
import { allLayers, allOps, programOf, programOfLayer, readAll } from "@nn/testing";
import { build } from "esbuild";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { BROKEN, COUNTERS, OPEN, PROGRAM, STATE } from "./addresses.js";
import { thread } from "./thread.js";
import { type WasmBackend, type WasmOptions, wasm } from "./wasm.js";

let made: WasmBackend[] = [];
let before: ReturnType<typeof getBackend>;
beforeEach(() => {
  before = getBackend();
});
afterEach(() => {
  for (const backend of made) backend.dispose();
  made = [];
  setBackend(before);
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

async function use(options: WasmOptions): Promise<WasmBackend> {
  const backend = await wasm({ parallelFrom: 0, ...options });
  made.push(backend);
  setBackend(backend);
  return backend;
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const numbers = (n: number) => tensor(Float32Array.from({ length: n }, (_, i) => ((i * 7919) % 1000) / 100 - 5));

/** Several phases, each with parts. */
const formula = (x: Tensor) => x.mul(x).add(1).div(x.abs().add(0.5)).sub(x);

/** How many threads took part in the last run: each asks once for a part when there are none left. */
function tookPart({ memory }: WasmBackend): number {
  const words = new Int32Array(memory.buffer);
  const counters = words[words[PROGRAM]! / 4 + COUNTERS]! / 4;
  return words[counters]! - words[counters + 1]!;
}

/** Runs until all threads take part. */
async function warmUp(backend: WasmBackend, step: () => Tensor, threads = backend.threads): Promise<void> {
  for (let i = 0; i < 500; i++) {
    step().dispose();
    if (tookPart(backend) === threads) return;
    await sleep(1);
  }
  throw new Error("the workers never took part");
}

/** A worker that does something strange first. */
const strange = (code: string) =>
  new URL(
    `data:text/javascript,${encodeURIComponent(`import { parentPort } from "node:worker_threads";
      const __name = (f) => f; const { Instance } = WebAssembly; let memory;
      ${code}; (${thread})(parentPort)`)}`,
  );
/** Takes a part of the program's first set, and then does this instead of the part. */
const inPart = (then: string) =>
  strange(`WebAssembly.Instance = function (module, imports) {
    return { exports: { run(table) {
      const words = new Int32Array(imports.nn.m.buffer);
      Atomics.add(words, words[(table >>> 2) + ${COUNTERS}] >>> 2, 1);
      ${then};
    } } };
  }`);

describe("any number of threads gives the same bits", () => {
  const onEach = async <T>(options: readonly WasmOptions[], body: () => Promise<T>): Promise<T[]> => {
    const results = [];
    for (const o of options) {
      await use(o);
      results.push(await body());
    }
    return results;
  };
  const counts = [{ threads: 1 }, { threads: 2 }, { threads: 3 }];

  it("training a net, compiled and eager", { timeout: 120_000 }, async () => {
    class Net extends Module {
      readonly first = new Linear(30, 100);
      readonly second = new Linear(100, 10);
      override forward(x: Tensor): Tensor {
        return this.second.forward(this.first.forward(x).relu());
      }
    }
    const train = async (compiled: boolean) => {
      manualSeed(7);
      const net = new Net();
      const optimizer = new AdamW(net.parameters(), { lr: 1e-2 });
      const plain = (x: Tensor, y: Tensor) => optimizer.minimize(() => crossEntropy(net.forward(x), y));
      const step = compiled ? compile(plain) : plain;
      const [x, y] = [randn([64, 30]), randint(0, 10, [64])];
      const losses: number[] = [];
      for (let i = 0; i < 30; i++) losses.push(await step(x, y).item());
      expect(losses.at(-1)).toBeLessThan(losses[0]! / 2);
      return [losses, ...(await Promise.all(net.parameters().map((p) => p.value.read())))];
    };
    for (const compiled of [true, false]) {
      for (const relaxed of [true, false]) {
        const [one, two, three] = await onEach(
          counts.map((c) => ({ ...c, relaxed })),
          () => train(compiled),
        );
        expect(two).toEqual(one);
        expect(three).toEqual(one);
      }
    }
  });

  it("every op and layer, with gradients", { timeout: 300_000 }, async () => {
    const results = await onEach(counts, async () => {
      const all: Record<string, unknown> = {};
      for (const s of allOps) all[s.name] = await readAll(programOf(s), { compiled: true, backward: !s.flat });
      for (const s of allLayers) all[`layer ${s.name}`] = await readAll(programOfLayer(s), { compiled: true });
      return all;
    });
    for (const other of results.slice(1)) {
      for (const [name, readings] of Object.entries(results[0]!)) expect(other[name], name).toEqual(readings);
    }
  });

  it("larger maps, sums and products", { timeout: 120_000 }, async () => {
    const [one, ...others] = await onEach(counts, async () => {
      manualSeed(3);
      const [a, b, c] = [randn([130, 257]), randn([257, 90]), randn([7, 60, 33])];
      const f = compile((a: Tensor, b: Tensor, c: Tensor) => [
        formula(a),
        a.sum(),
        a.sum(0),
        a.sum(1),
        a.max(1),
        a.transpose().sum(0),
        a.matmul(b),
        c.sum([0, 2]),
        c.permute([2, 0, 1]).add(1),
        c.softmax(1),
      ]);
      const read = () => Promise.all(f(a, b, c).map((t) => t.read()));
      const first = await read();
      for (let i = 0; i < 20; i++) expect(await read()).toEqual(first);
      return first;
    });
    for (const other of others) expect(other).toEqual(one);
  });
});

describe("workers", () => {
  it("take part", async () => {
    for (const threads of [2, 3]) {
      const backend = await use({ threads });
      expect(backend).toMatchObject({ threads, features: { threads: true } });
      expect(backend.memory.buffer).toBeInstanceOf(SharedArrayBuffer);
      const step = compile(formula);
      const x = numbers(10_000);
      await warmUp(backend, () => step(x));
    }
  });

  it("are not waited for while they are late", async () => {
    const slow = `WebAssembly.Instance = function (m, i) {
      Atomics.wait(new Int32Array(i.nn.m.buffer), ${BROKEN}, 0, 1500);
      return new Instance(m, i);
    }`;
    const backend = await use({ threads: 2, workerUrl: strange(slow) });
    const step = compile(formula);
    const x = numbers(10_000);
    const start = performance.now();
    const first = await step(x).read();
    expect(performance.now() - start).toBeLessThan(1000);
    expect(tookPart(backend)).toBe(1);
    await sleep(1600);
    await warmUp(backend, () => step(x));
    expect(await step(x).read()).toEqual(first);
  });

  it("find programs again, know a few hundred, and never run one that is gone", { timeout: 120_000 }, async () => {
    const backend = await use({ threads: 2 });
    const x = tensor(Float32Array.from({ length: 500 }, (_, i) => i)); // exact, fused or not
    const steps = Array.from({ length: 300 }, (_, i) => compile((t: Tensor) => t.mul(i).add(1)));
    const want = await x.read();
    for (let round = 0; round < 2; round++) {
      for (const [i, step] of steps.entries()) {
        const y = step(x);
        if (i % 10 === 0) await sleep(1);
        expect(await y.read()).toEqual(want.map((v) => v * i + 1));
        if (round === 1) step.dispose(); // while the worker may be about to read it
      }
    }
    const step = compile(formula);
    await warmUp(backend, () => step(x));
  });

  it("see memory that has grown since they started", async () => {
    const backend = await use({ threads: 2 });
    const hold = [1, 2, 3].map(() => numbers(1 << 20));
    const step = compile(formula);
    const x = numbers(100_000);
    await warmUp(backend, () => step(x));
    expect(hold.length).toBe(3);
    expect((await step(x).read())[5]).toBeCloseTo((await formula(x).read())[5]!, 5);
  });

  it("let a process end", { timeout: 60_000 }, async () => {
    const dir = mkdtempSync(join(tmpdir(), "nn-threads-"));
    try {
      const packages = fileURLToPath(new URL("../..", import.meta.url));
      const { outputFiles } = await build({
        stdin: {
          contents: `
            import { setBackend, tensor } from "@nn/tensor";
            import { wasm } from "${"@nn"}/backend-wasm";
            const backend = await wasm({ threads: 2, parallelFrom: 0 });
            setBackend(backend);
            console.log(backend.threads, await tensor([1, 2, 3]).mul(2).toArray());`,
          resolveDir: packages,
        },
        alias: { "@nn/tensor": join(packages, "tensor/src"), "@nn/backend-wasm": join(packages, "backend-wasm/src") },
        tsconfigRaw: {},
        ignoreAnnotations: true,
        bundle: true,
        format: "esm",
        keepNames: true, // wraps functions in a helper: the worker's text has to do without
        write: false,
        logLevel: "error",
      });
      const file = join(dir, "program.mjs");
      writeFileSync(file, outputFiles[0]!.contents);
      const { status, stdout, stderr } = spawnSync(process.execPath, [file], { timeout: 20_000, encoding: "utf8" });
      expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "2 [ 2, 4, 6 ]\n", stderr: "" });
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it("stop when the backend is disposed of, and all goes on", async () => {
    const warn = vi.spyOn(console, "warn");
    const backend = await use({ threads: 3 });
    const step = compile(formula);
    const x = numbers(1000);
    const first = await step(x).read();
    backend.dispose();
    expect(backend.threads).toBe(1);
    expect(await step(x).read()).toEqual(first);
    await sleep(50); // the workers' ends are no failures
    expect(warn).not.toHaveBeenCalled();
  });
});

// A worker that starts late, on a busy machine, may fail between runs instead of within one: then once more.
describe("workers that fail", { retry: 3 }, () => {
  /** With the modules loaded anew: a warning is given once. */
  const anew = async (options: WasmOptions) => {
    vi.resetModules();
    const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    const nn = await import("@nn/tensor");
    const backend = await (await import("./wasm.js")).wasm({ parallelFrom: 0, ...options });
    made.push(backend);
    nn.setBackend(backend);
    const step = nn.compile((x: Tensor) => x.mul(x).add(1).div(x.abs().add(0.5)).sub(x));
    const x = nn.tensor(Float32Array.from({ length: 200_000 }, (_, i) => i % 100));
    const run = () => step(x).read();
    const until = async (what: () => boolean) => {
      for (let i = 0; i < 1000 && !what(); i++) {
        await run();
        await sleep(1);
      }
    };
    return { backend, warn, run, until };
  };
  const want = async () => {
    await use({ threads: 1 });
    return compile(formula)(tensor(Float32Array.from({ length: 200_000 }, (_, i) => i % 100))).read();
  };

  it("in a kernel: an error, then one thread and one warning", async () => {
    const { backend, warn, run, until } = await anew({ threads: 3, workerUrl: inPart(`throw new Error("trap")`) });
    await expect(until(() => backend.threads === 1)).rejects.toThrow(
      /wasm: expected every thread to finish its part, .* use one thread/,
    );
    expect(backend.threads).toBe(1);
    expect(await run()).toEqual(await want());
    await sleep(50);
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn.mock.calls[0]![0]).toMatch(/^@nn\/backend-wasm works with one thread: a worker stopped/);
  });

  it("killed in a kernel: an error after a while", { timeout: 60_000 }, async () => {
    const { backend, warn, run, until } = await anew({ threads: 2, workerUrl: inPart("process.exit()") });
    await expect(until(() => backend.threads === 1)).rejects.toThrow(/got one that failed or was stopped/);
    expect(backend.threads).toBe(1);
    expect(await run()).toEqual(await want());
    expect(warn).toHaveBeenCalledTimes(1);
  });

  it("killed between runs: one thread and one warning", async () => {
    const { backend, warn, run, until } = await anew({
      threads: 3,
      workerUrl: strange("WebAssembly.Instance = function () { process.exit(); }"),
    });
    await until(() => backend.threads === 1);
    expect(backend.threads).toBe(1);
    expect(await run()).toEqual(await want());
    expect(warn).toHaveBeenCalledTimes(1);
  });

  it("the main thread's own failure reaches the caller, and nobody waits", async () => {
    const { backend, until } = await anew({ threads: 2 });
    await until(() => tookPart(backend) === 2);
    const words = new Int32Array(backend.memory.buffer);
    expect([words[STATE], words[BROKEN]]).toEqual([0, 0]);
    // A kernel reads beyond the memory.
    const load = backend.load.bind(backend);
    const [view] = [{ shape: [100_000], strides: [1], offset: 0, dtype: "f32" as const }];
    const signature = { ins: [view], outs: [view], attrs: { expr: ex.call("neg", ex.input(0)) } };
    const code = backend.kernels.find((k) => k.op === "map")!.emit(signature as never);
    const bad = load({ steps: [{ code, ins: [{ input: 0 }], outs: [{ result: 0 }] }], slots: [] });
    const beyond = { bytes: 400_000, at: backend.memory.buffer.byteLength - 64 } as never;
    expect(() => bad.run([beyond], [beyond])).toThrow(/out of bounds|every thread to finish/);
    expect(words[STATE]! & OPEN).toBe(0);
    await sleep(50);
    expect(backend.threads).toBe(1);
  });

  it("never start: one thread, and one warning for all backends", async () => {
    const missing = new URL("file:///nowhere/worker.js");
    const { backend, warn, run } = await anew({ threads: 2, workerUrl: missing });
    expect(backend).toMatchObject({ threads: 1, features: { threads: false } });
    expect(backend.memory.buffer).toBeInstanceOf(ArrayBuffer);
    expect(await run()).toEqual(await want());
    expect(warn.mock.calls).toEqual([
      [expect.stringMatching(/workers did not start \(Cannot find module.*workerUrl/s)],
    ]);
    const again = await (await import("./wasm.js")).wasm({ threads: 2, workerUrl: missing });
    expect(again.threads).toBe(1);
    expect(warn).toHaveBeenCalledTimes(1);
  });
});

describe("without shared memory", () => {
  const silent = async (options: WasmOptions) => {
    vi.resetModules();
    const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    const backend = await (await import("./wasm.js")).wasm(options);
    return { backend, warn };
  };

  it("there is one thread, with a warning that says what to do", async () => {
    vi.stubGlobal("crossOriginIsolated", false);
    const { backend, warn } = await silent({ threads: 4 });
    expect(backend).toMatchObject({ threads: 1, features: { threads: false } });
    expect(warn.mock.calls).toEqual([
      [expect.stringMatching(/Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp/)],
    ]);
  });

  it("or none if one thread is what was asked for", async () => {
    vi.stubGlobal("SharedArrayBuffer", undefined);
    const { backend, warn } = await silent({ threads: 1 });
    expect(backend.threads).toBe(1);
    expect(warn).not.toHaveBeenCalled();
  });
});

describe("options", () => {
  it("threads default to the machine's, 8 at most", async () => {
    const backend = await use({});
    expect(backend.threads).toBe(Math.min(8, navigator.hardwareConcurrency));
    vi.stubGlobal("navigator", { hardwareConcurrency: 64 });
    expect((await use({})).threads).toBe(8);
  });

  it("relaxed: false does without fused multiply-add", async () => {
    expect((await use({ threads: 1, relaxed: false })).features.relaxed).toBe(false);
  });
});

describe("loading", () => {
  it("no WebAssembly: an error that names the way out", async () => {
    vi.stubGlobal("WebAssembly", undefined);
    await expect(wasm()).rejects.toThrow(/wasm: expected WebAssembly with SIMD.*reference\(\)/);
  });

  it("modules too large to compile at once are compiled later", async () => {
    await use({ threads: 1 });
    const x = numbers(10);
    const step = compile(formula);
    const tooLarge = class {
      constructor() {
        throw new RangeError(
          "WebAssembly.Compile is disallowed on the main thread, if the buffer size is larger than 8MB",
        );
      }
    };
    vi.stubGlobal("WebAssembly", Object.create(WebAssembly, { Module: { value: tooLarge } }));
    const ready = step.ready(x);
    expect(() => step(x)).toThrow(/await step\.ready/);
    await ready;
    const y = step(x);
    vi.unstubAllGlobals();
    const again = compile(formula);
    expect(await y.read()).toEqual(await again(x).read());
  });

  it("gives back what plans held", async () => {
    for (const threads of [1, 2]) {
      await use({ threads });
      const x = numbers(5000);
      const held = memory().plans;
      const steps = Array.from({ length: 5 }, (_, i) => compile((t: Tensor) => formula(t.mul(i))));
      for (const step of steps) step(x).dispose();
      expect(memory().plans).toBeGreaterThan(held);
      for (const step of steps) step.dispose();
      expect(memory().plans).toBe(held);
    }
  });

  it("an index out of range is an error that says where, after which all goes on", async () => {
    for (const threads of [1, 2]) {
      await use({ threads });
      const x = tensor([[1, 2, 3]]);
      const pick = (i: number) => gather(x, 1, tensor([[i]], { dtype: "i32" }));
      expect(() => pick(3)).toThrow("gather: expected indices 0…2 on axis 1, got 3. Check labels or token numbers");
      expect(() => pick(-7)).toThrow(NNError);
      expect(await pick(2).toArray()).toEqual([[3]]);
    }
  });
});

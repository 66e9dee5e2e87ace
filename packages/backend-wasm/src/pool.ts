// The other threads: started once, woken for every run that is worth it, let go of when one fails.
//
// A run is opened, every thread calls the program's `run` and takes parts, the run is closed, and the main thread waits
// until all have left. Nobody waits for who has not joined. See thread.ts for the other side.

import { fail } from "@nn/tensor";
import { BROKEN, EPOCH, OPEN, PROGRAM, STATE } from "./addresses.js";
import { type Run, type ThreadData, thread } from "./thread.js";

export interface Pool {
  /** Threads that take part, with the main thread; 1 after a failure. */
  readonly threads: number;
  /** Runs a program, of so many nanoseconds on one thread, on all threads. */
  run(run: Run, table: number, cost: number): void;
  /** What programs import: called now and then by a thread that waits for others' parts. */
  wait(): void;
  /** To be called before a table is freed. */
  forget(table: number): void;
  dispose(): void;
}

/**
 * Starts workers, which takes up to some seconds where they do not answer.
 *
 * @param warn called once, with the reason, if none start, or if one fails later
 */
export async function startPool(
  memory: WebAssembly.Memory,
  count: number,
  workerUrl: string | URL | undefined,
  warn: (reason: string) => void,
): Promise<Pool | undefined> {
  const words = new Int32Array(memory.buffer);
  const workers: AnyWorker[] = [];
  let reason = "";
  const stop = () => {
    for (const worker of workers.splice(0)) worker.terminate();
  };
  const failed = () => {
    if (workers.length > 0) warn(reason);
    stop();
  };

  const start = (make: () => AnyWorker, index: number) =>
    new Promise<void>((resolve) => {
      const worker = make();
      const on = (name: string, listener: (event: any) => void) =>
        (worker.on ?? worker.addEventListener!).call(worker, name, listener);
      const gone = ({ message = "a worker failed" }) => {
        reason = message;
        worker.terminate();
        clearTimeout(timer);
        resolve();
        if (workers.includes(worker)) failed();
      };
      const timer = setTimeout(gone, PATIENCE, { message: "no answer" });
      on("error", gone);
      on("exit", gone); // Node's: its argument is a number
      on("message", () => {
        clearTimeout(timer);
        worker.unref?.(); // a program that is done may end
        workers.push(worker);
        resolve();
      });
      worker.postMessage([memory, index, EPOCH] satisfies ThreadData);
    }).catch((e: Error) => {
      reason = e.message;
    });
  for (const make of await makers(workerUrl)) {
    if (workers.length === 0) await Promise.all(Array.from({ length: count }, (_, i) => start(make, i + 1)));
  }
  if (workers.length === 0) {
    warn(`workers did not start (${reason}); see workerUrl`);
    return undefined;
  }

  /** Milliseconds that a run has waited for others, and how many are too many: far more than it takes alone. */
  let waited = 0;
  let limit = 0;
  let last = 0;
  /** Whether it is too many now. When the machine itself stood still, that counts little. */
  const isLate = () => {
    const now = performance.now();
    waited += Math.min(now - last, 5);
    last = now;
    return waited > limit;
  };
  const lost = (): never => {
    reason = "a worker stopped inside a run";
    failed();
    waited = limit - 100; // for the others to leave
    return fail({
      op: "wasm",
      expected: "every thread to finish its part",
      got: "one that failed or was stopped",
      hint: "This run's results are lost; later runs use one thread.",
    });
  };

  return {
    get threads() {
      return workers.length + 1;
    },
    run(run, table, cost) {
      if (workers.length === 0) return run(table, 0);
      waited = 0;
      limit = PATIENCE + cost / 1e4; // a hundred times as long as alone, and some seconds
      last = performance.now();
      Atomics.store(words, PROGRAM, table);
      Atomics.store(words, STATE, OPEN);
      Atomics.add(words, EPOCH, 1);
      Atomics.notify(words, EPOCH, 1); // which wakes the next
      try {
        run(table, 0);
      } catch (e) {
        reason = "a kernel failed";
        Atomics.store(words, BROKEN, 1);
        throw e;
      } finally {
        Atomics.sub(words, STATE, OPEN);
        for (let i = 1; Atomics.load(words, STATE) !== 0; i++) if (i % 65536 === 0 && isLate()) lost();
        if (Atomics.load(words, BROKEN) !== 0) failed();
      }
    },
    wait() {
      if (Atomics.load(words, BROKEN) !== 0 || isLate()) lost();
      if (mayWait) Atomics.wait(words, BROKEN, 0, 0.02); // who is waited for may need this core
    },
    forget(table) {
      Atomics.store(new Int32Array(memory.buffer, table, 1), 0, 0);
      Atomics.compareExchange(words, PROGRAM, table, 0);
    },
    dispose: stop,
  };
}

/** Milliseconds for workers to start, and to go on inside a run. */
const PATIENCE = 5000;

// ── workers, of browsers and of Node ───────────────────────────────────────────────────────────────

interface AnyWorker {
  postMessage(message: unknown): void;
  terminate(): unknown;
  unref?(): void;
  on?(name: string, listener: (event: any) => void): void;
  addEventListener?(name: string, listener: (event: any) => void): void;
}

const host = globalThis as {
  document?: unknown;
  process?: { versions?: { node?: string }; type?: string };
  navigator?: { hardwareConcurrency?: number };
};
const isNode = host.process?.versions?.node && host.process.type !== "renderer"; // not a page of Electron
/** A page must not. */
const mayWait = !host.document;

/** A module of Node; bundlers for browsers must not look for it. */
const nodeModule = (name: string) => import(/* @vite-ignore */ /* webpackIgnore: true */ `node:${name}`);

/** How many threads this machine has. */
export async function cores(): Promise<number> {
  return host.navigator?.hardwareConcurrency ?? (isNode ? (await nodeModule("os")).availableParallelism() : 1);
}

/** The ways to make a worker here, to be tried in turn. */
async function makers(workerUrl: string | URL | undefined): Promise<(() => AnyWorker)[]> {
  // esbuild's keepNames wraps functions in a helper, which the text of `thread` would then lack.
  const source = (port: string) => `__name=(f)=>f;(${thread})(${port})`;
  if (isNode) {
    const { Worker: NodeWorker } = await nodeModule("worker_threads");
    const text = source('require("node:worker_threads").parentPort');
    return [() => new NodeWorker(workerUrl ? new URL(workerUrl) : text, { eval: !workerUrl })];
  }
  return [
    () =>
      workerUrl
        ? new Worker(workerUrl, { type: "module" })
        : // In this form bundlers see that there is a second file.
          new Worker(new URL("./worker.js", import.meta.url), { type: "module" }),
    // A single file from anywhere needs no second one, unless the page's CSP forbids `blob:`.
    () => new Worker(URL.createObjectURL(new Blob([source("self")], { type: "text/javascript" }))),
  ];
}

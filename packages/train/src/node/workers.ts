// Worker threads that map samples: reading and decoding beside the training.

import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { fail } from "@nn/tensor";

/** See {@link workers}. */
export interface WorkerPool<In, Out> {
  /** Has a free worker do it. Input and output are copied, as `structuredClone` does. */
  run(input: In): Promise<Out>;
  /** Ends the threads. What runs is rejected. */
  close(): Promise<void>;
}

/**
 * Threads that each load a module, and run its default export, a function of one argument.
 *
 * A thread that dies takes its job with it, which is rejected; another takes its place.
 *
 * @param module of JavaScript, e.g. `new URL("./decode.js", import.meta.url)`
 * @param options.count how many threads (default: one less than there are processors, at least one)
 * @example
 * ```ts
 * const pool = workers<string, Float32Array>(new URL("./decode.js", import.meta.url));
 * const data = loader(samples(names.length, async (i) => [await pool.run(names[i]), labels[i]]), { prefetch: 4 });
 * ```
 */
export function workers<In, Out>(
  module: URL | string,
  { count = Math.max(1, availableParallelism() - 1) }: { readonly count?: number } = {},
): WorkerPool<In, Out> {
  interface Job {
    readonly input: In;
    readonly resolve: (out: Out) => void;
    readonly reject: (reason: unknown) => void;
  }
  const waiting: Job[] = [];
  const threads = new Map<Worker, Job | null>();
  let closed = false;

  const next = (thread: Worker) => {
    const job = waiting.shift() ?? null;
    threads.set(thread, job);
    if (job) thread.ref();
    else thread.unref(); // an idle pool does not keep the program alive
    if (job) thread.postMessage(job.input);
  };
  const start = () => {
    const thread = new Worker(CODE, { eval: true, workerData: `${module}` });
    threads.set(thread, null);
    thread.on("message", ({ output, error }) => {
      const job = threads.get(thread);
      if (error === undefined) job?.resolve(output);
      else job?.reject(error);
      next(thread);
    });
    const gone = (reason: unknown) => {
      const job = threads.get(thread);
      threads.delete(thread);
      job?.reject(reason);
      if (waiting.length > 0 && !closed) start();
    };
    thread.on("error", gone);
    thread.on("exit", (code) => gone(new Error(`The worker thread ended with code ${code}.`)));
    next(thread);
  };
  return {
    run(input) {
      if (closed) fail({ op: "workers", expected: "an open pool", got: "one that was closed" });
      return new Promise((resolve, reject) => {
        waiting.push({ input, resolve, reject });
        const free = [...threads].find(([, job]) => job === null)?.[0];
        if (free) next(free);
        else if (threads.size < count) start();
      });
    },
    async close() {
      closed = true;
      for (const job of waiting.splice(0)) job.reject(new Error("The pool of workers was closed."));
      await Promise.all([...threads.keys()].map((thread) => thread.terminate()));
    },
  };
}

const CODE = `
const { parentPort, workerData } = require("node:worker_threads");
const loaded = import(workerData);
parentPort.on("message", async (input) => {
  try {
    parentPort.postMessage({ output: await (await loaded).default(input) });
  } catch (error) {
    parentPort.postMessage({ error });
  }
});
`;

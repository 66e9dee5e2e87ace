// A pool of workers for jobs: reading, decoding and changing samples beside the training.

import { fail } from "@nn/tensor";
import { checkWhole } from "../check.js";
import { type ErrorText, errorOf, listen, portToPage, type TrainerWorker, textOf } from "./messages.js";

/** See {@link workerPool}. */
export interface WorkerPool<In, Out> {
  /** Has a free worker do it. Input and output are copied, as `structuredClone` does. */
  run(input: In): Promise<Out>;
  /** Ends the workers. What runs is rejected. */
  close(): Promise<void>;
}

/** A worker; of Node's threads, those that keep the program alive or do not. */
export interface PoolWorker extends TrainerWorker {
  ref?(): void;
  unref?(): void;
}

/** What a worker answers. */
export interface Answer<Out> {
  readonly output?: Out;
  readonly error?: ErrorText;
}

/**
 * Workers that each do one job at a time, in browsers and in Node. Their file calls {@link serveJobs}. They are started as jobs come, and stay until
 * {@link WorkerPool.close}.
 *
 * A worker that dies takes its job with it, which is rejected; another takes its place.
 *
 * @param start gives a new worker
 * @param options.count how many (default: one less than there are processors, at least one)
 * @example
 * ```ts
 * const pool = workerPool<Blob, Float32Array>(() => new Worker(new URL("./decode.js", import.meta.url), { type: "module" }));
 * const data = loader(samples(blobs.length, async (i) => [await pool.run(blobs[i]), labels[i]]), { prefetch: 4 });
 * ```
 */
export function workerPool<In, Out>(
  start: () => PoolWorker,
  { count = Math.max(1, (globalThis.navigator?.hardwareConcurrency ?? 2) - 1) }: { readonly count?: number } = {},
): WorkerPool<In, Out> {
  checkWhole("workerPool", "count", count);
  interface Job {
    readonly input: In;
    readonly resolve: (out: Out) => void;
    readonly reject: (reason: unknown) => void;
  }
  const waiting: Job[] = [];
  const workers = new Map<PoolWorker, Job | null>();
  let closed = false;

  const next = (worker: PoolWorker) => {
    const job = waiting.shift() ?? null;
    workers.set(worker, job);
    if (job) worker.ref?.();
    else worker.unref?.(); // an idle pool does not keep the program alive
    if (!job) return;
    try {
      worker.postMessage({ job: job.input });
    } catch (error) {
      job.reject(error); // it cannot be copied
      next(worker);
    }
  };
  const begin = () => {
    const worker = start();
    workers.set(worker, null);
    listen(
      worker,
      "done",
      ({ output, error }: Answer<Out>) => {
        const job = workers.get(worker);
        if (error === undefined) job?.resolve(output as Out);
        else job?.reject(errorOf(error));
        next(worker);
      },
      (reason) => {
        const job = workers.get(worker);
        if (!workers.delete(worker)) return;
        worker.terminate(); // in a browser, an error that nobody caught does not end it
        job?.reject(new Error(`workerPool: the worker died: ${reason}`));
        if (waiting.length > 0 && !closed) begin();
      },
    );
    next(worker);
  };
  return {
    run(input) {
      if (closed) fail({ op: "workerPool", expected: "an open pool", got: "one that was closed" });
      return new Promise((resolve, reject) => {
        waiting.push({ input, resolve, reject });
        const free = [...workers].find(([, job]) => job === null)?.[0];
        if (free) next(free);
        else if (workers.size < count) begin();
      });
    },
    async close() {
      closed = true;
      const reason = new Error("The pool of workers was closed.");
      for (const job of [...waiting.splice(0), ...workers.values()]) job?.reject(reason);
      const all = [...workers.keys()];
      workers.clear();
      await Promise.all(all.map((worker) => worker.terminate()));
    },
  };
}

/**
 * Makes a file that of a worker which does the jobs of a {@link workerPool}.
 *
 * @param work gets a job's input, and gives its output, or a promise of it
 * @example
 * ```ts
 * // decode.js
 * serveJobs(async (blob) => (await decodeImage(blob)).data);
 * ```
 */
export function serveJobs<In, Out>(work: (input: In) => Out | Promise<Out>): void {
  void portToPage().then((port) => {
    port.onmessage = async ({ data }) => {
      if (!data || !("job" in data)) return;
      try {
        port.postMessage({ done: { output: await work(data.job) } });
      } catch (reason) {
        port.postMessage({ done: { error: textOf(reason) } });
      }
    };
  });
}

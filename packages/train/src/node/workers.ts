// Worker threads that each load a module: a pool of workers whose file needs not know of it.

import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { type WorkerPool, workerPool } from "../index.js";

/**
 * Threads that each load a module, and run its default export, a function of one argument: a {@link workerPool} of them.
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
  return workerPool(() => new Worker(CODE, { eval: true, workerData: `${module}` }), { count });
}

const CODE = `
const { parentPort, workerData } = require("node:worker_threads");
const loaded = import(workerData);
parentPort.on("message", async ({ job }) => {
  try {
    parentPort.postMessage({ done: { output: await (await loaded).default(job) } });
  } catch (error) {
    const { name = "Error", message = String(error), stack } = error ?? {};
    parentPort.postMessage({ done: { error: { name, message, stack, failure: null } } });
  }
});
`;

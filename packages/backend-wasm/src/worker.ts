// The file that a worker is started from: worker.js beside the package's index.js.

import { type Port, thread } from "./thread.js";

const host = globalThis as unknown as Port & {
  readonly process?: { getBuiltinModule?(name: string): { readonly parentPort: Port | null } };
};

export { thread };

thread(host.process?.getBuiltinModule?.("node:worker_threads")?.parentPort ?? host);

/** What a workload is, and what most of them need. */
import type { Tensor } from "@nn/tensor";
import type { BackendName } from "./backend.js";
import { round } from "./result.js";

/** One line of a table in `workloads/`. Its name is what `--only` and the peers' scripts call it. */
export interface Workload {
  readonly name: string;
  /** Where it makes sense; without any, everywhere. */
  readonly backends?: readonly BackendName[];
  /** Minutes on a GPU in software: there it runs only if its whole name is asked for. */
  readonly large?: boolean;
  /** Makes inputs, weights and compiled functions. What it makes lives until the process ends. */
  make(): Case | Promise<Case>;
}

export interface Case {
  /** One repetition. It reads an element of what it computed, so that the work is really done. */
  run(): unknown;
  /** What follows from the median time of a repetition. */
  derived(ms: number): Readonly<Record<string, number>>;
}

/**
 * A case that calls a compiled function, reads the first element of its result, and frees the result.
 * On a backend whose memory is the host's own only that element is read: a copy of all would be measured, too.
 */
export function reading(f: () => Tensor, derived: Case["derived"]): Case {
  return {
    run() {
      const y = f();
      const { backend, buffer } = y.storage;
      if (!backend.readSync) return readFirst(y);
      const bytes = backend.readSync(buffer);
      const value = bytes[0] | (bytes[1] << 8) | (bytes[2] << 16) | (bytes[3] << 24);
      y.dispose();
      return value;
    },
    derived,
  };
}

/** From a GPU one number comes, too, and not all. */
async function readFirst(y: Tensor): Promise<number> {
  const flat = y.reshape([-1]);
  const first = flat.slice([[0, 1]]);
  const [value] = await first.read();
  for (const t of [first, flat, y]) t.dispose();
  return value;
}

/** A case that trains: a compiled step that returns its loss. */
export function training(step: () => Tensor, derived: Case["derived"]): Case {
  return {
    async run() {
      const loss = step();
      const value = await loss.item();
      loss.dispose();
      return value;
    },
    derived,
  };
}

/** `gflops` of so many operations; a multiplication and its addition are two. */
export function gflops(operations: number): Case["derived"] {
  return (ms) => ({ gflops: round(operations / ms / 1e6, 3) });
}

/** `GBs` of so many bytes read and written. */
export function gigabytes(bytes: number): Case["derived"] {
  return (ms) => ({ GBs: round(bytes / ms / 1e6, 3) });
}

/** So many things a second, under this name. */
export function perSecond(name: string, count: number): Case["derived"] {
  return (ms) => ({ [name]: Math.round((count * 1000) / ms) });
}

/** Runs our workloads, in a process or in a page. */
import { type BackendOptions, openBackend } from "./backend.js";
import { bench, type Look, type Sink } from "./bench.js";
import type { Where } from "./result.js";
import { UserError } from "./user-error.js";
import { select } from "./workloads/index.js";

export interface RunOptions extends BackendOptions {
  readonly quick: boolean;
  /** WebGPU in software is what was asked for. */
  readonly software: boolean;
}

/** @returns how many workloads there were */
export async function runWorkloads(options: RunOptions, where: Where, sink: Sink, look?: Look): Promise<number> {
  const workloads = await select(options.only, options);
  if (workloads.length === 0) return 0;
  const contender = await openBackend(options, where).catch((error) => {
    throw new UserError(`${options.backend} cannot be opened here: ${error.message}`);
  });
  if (!options.software && contender.adapter?.architecture === "swiftshader")
    sink.note("No GPU was found: this is one in software, and says nothing about speed.\n");
  await bench(contender, workloads, sink, { quick: options.quick, ...(look ? { look } : {}) });
  return workloads.length;
}

/** `--page`: our workloads in a page. */
import type { Sink } from "../bench.js";
import { bundle } from "../bundle.js";
import type { RunOptions } from "../run.js";
import { inPage } from "./chromium.js";

/** @returns how many workloads there were */
export async function ours(options: RunOptions, sink: Sink): Promise<number> {
  const script = await bundle(
    `import { runWorkloads } from "./src/run.ts";
     window.start = (options, where) => runWorkloads(options, where, { line: window.line, note: window.note });`,
    "browser",
  );
  const { backend, threads, plain, only, quick, software } = options;
  const given: RunOptions = { backend, threads, plain, only, quick, software };
  return inPage(script, given, { software, calls: { line: sink.line, note: sink.note } });
}

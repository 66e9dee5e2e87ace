/** `--beside`: ours and the peers in turns, so that a disturbance of the machine meets all alike. */
import { LIBRARY } from "../backend.js";
import type { Surroundings } from "../cli.js";
import type { Options } from "../options.js";
import { round } from "../result.js";
import { UserError } from "../user-error.js";
import { select } from "../workloads/index.js";
import { type Line, parseLines, STARTUP, summarize } from "./lines.js";
import { findPeersDir, openPeers } from "./peers.js";
import { capture } from "./process.js";
import { best, type Column, table } from "./table.js";

const INFERENCE = "infer_cnn_b1";

/** Prints a line of JSON per library, backend and workload, and a table on standard error. Returns the exit code. */
export async function beside(options: Options, { stdout, stderr }: Surroundings): Promise<number> {
  const workloads = (await select(options.only))
    .map(({ name }) => name)
    .filter((n) => !options.quick || n === INFERENCE);
  if (workloads.length === 0) {
    const which = options.quick ? `--quick beside the peers measures only the start of ${INFERENCE}` : "";
    throw new UserError(which || `--only ${options.only.join(",")} fits no workload. See npm run bench -- --list.`);
  }
  const found = findPeersDir(options.peersDir, process.env);
  if ("missing" in found) stderr.write(`No peers' scripts in ${found.missing} (see --peers-dir): only ours is run.\n`);
  const peers = "dir" in found ? await openPeers(found.dir, options) : null;
  const names = peers ? options.peers : [];

  const lines: Record<string, Line[]> = Object.fromEntries([LIBRARY, ...names].map((name) => [name, []]));
  for (let r = 1; r <= options.rounds; r++) {
    for (const name of [LIBRARY, ...names]) {
      stderr.write(`round ${r} of ${options.rounds}: ${name}\n`);
      const peer = names.find((p) => p === name);
      const measured = peer ? await peers!.measure(peer, workloads) : await measureOurs(workloads, options);
      lines[name].push(...(options.quick ? measured.filter(({ workload }) => workload === STARTUP) : measured));
    }
  }

  const [ours, ...theirs] = Object.entries(lines).map(
    ([title, all]): Column => ({ title, summaries: summarize(all) }),
  ) as [Column, ...Column[]];
  for (const column of [ours, ...theirs]) {
    for (const summary of column.summaries) {
      const own = best(ours, summary.workload);
      const ratio =
        column === ours || own === null || "error" in summary
          ? {}
          : { ours_to_peer: round(own.median_ms / summary.median_ms, 4) };
      stdout.write(`${JSON.stringify({ ...summary, ...ratio })}\n`);
    }
  }
  const rows = [...workloads, STARTUP].filter((w) => Object.values(lines).some((l) => l.some((x) => x.workload === w)));
  stderr.write(`\n${table(ours, theirs, rows)}\n\nIn brackets: our time divided by theirs; below 1 ours is faster.\n`);
  return ours.summaries.some((s) => "error" in s) ? 1 : 0;
}

// ---------------------------------------------------------------------------------------------

/** Runs ours in fresh processes: one for the start-up time, which other workloads would spoil, one for the rest. */
async function measureOurs(workloads: readonly string[], { backend, threads, plain, quick }: Options): Promise<Line[]> {
  const flags = ["--backend", backend, "--threads", String(threads), plain ? "--plain" : [], quick ? "--quick" : []];
  const alone = workloads.filter((name) => name === INFERENCE);
  const lines: Line[] = [];
  for (const part of [alone, workloads.filter((name) => name !== INFERENCE)]) {
    if (part.length === 0) continue;
    const args = [process.argv[1], "--only", part.join(","), ...flags.flat()];
    lines.push(...parseLines(await capture(process.execPath, args), (name) => part.includes(name), LIBRARY));
  }
  return lines;
}

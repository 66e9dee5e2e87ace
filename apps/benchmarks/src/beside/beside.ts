/** `--peers`: ours and the peers in turns, so that a disturbance of the machine meets all alike. */
import { LIBRARY } from "../backend.js";
import type { Sink } from "../bench.js";
import type { Surroundings } from "../cli.js";
import type { Options } from "../options.js";
import { type Line, round } from "../result.js";
import { UserError } from "../user-error.js";
import { select } from "../workloads/index.js";
import { capture } from "./capture.js";
import { parseLines, STARTUP, summarize, withStartups } from "./lines.js";
import { type MeasurePeer, openPeers } from "./peers.js";
import { save } from "./save.js";
import { best, type Column, table } from "./table.js";

const INFERENCE = "infer_cnn_b1";

/** Prints a line of JSON per library, backend and workload, and a table on standard error. Returns the exit code. */
export async function beside(options: Options, { stdout, stderr }: Surroundings): Promise<number> {
  const note = (text: string) => void stderr.write(text);
  const workloads = (await select(options.only, options)).map(({ name }) => name);
  if (workloads.length === 0) {
    throw new UserError(`--only ${options.only.join(",")} fits no workload. See npm run bench -- --list.`);
  }
  const all: [string, MeasurePeer][] = [
    [LIBRARY, (names) => measureOurs(names, options, note)],
    ...(await openPeers(options, note)),
  ];
  const lines: Record<string, Line[]> = Object.fromEntries(all.map(([name]) => [name, []]));
  for (let r = 1; r <= options.rounds; r++) {
    for (const [name, measure] of all) {
      note(`round ${r} of ${options.rounds}: ${name}\n`);
      lines[name].push(...withStartups(await measure(workloads)));
    }
  }

  const columns = Object.entries(lines).map(([title, measured]): Column => ({ title, summaries: summarize(measured) }));
  const [ours] = columns;
  const results = columns.flatMap((column) =>
    column.summaries.map((summary) => {
      const own = best(ours, summary.workload);
      if (column === ours || own === null || "error" in summary) return summary;
      return { ...summary, ours_to_peer: round(own.median_ms / summary.median_ms, 4) };
    }),
  );
  for (const result of results) stdout.write(`${JSON.stringify(result)}\n`);
  const rows = [...workloads, STARTUP].filter((w) => Object.values(lines).some((l) => l.some((x) => x.workload === w)));
  note(`\n${table(columns, rows)}\n\nIn brackets: our time divided by theirs; below 1 ours is faster.\n`);
  if (options.save !== null) note(`\nwritten to ${await save(options, { columns, results, rows })}\n`);
  return ours.summaries.some((s) => "error" in s) ? 1 : 0;
}

// ---------------------------------------------------------------------------------------------

/** In fresh processes or pages: one for the start-up time, which other workloads would spoil, one for the rest. */
async function measureOurs(workloads: readonly string[], options: Options, note: Sink["note"]): Promise<Line[]> {
  const { backend, threads, plain, quick, software, page } = options;
  const switches = Object.entries({ plain, quick, software, page }).flatMap(([name, on]) => (on ? [`--${name}`] : []));
  const lines: Line[] = [];
  for (const part of [[INFERENCE], workloads.filter((name) => name !== INFERENCE)]) {
    const only = part.filter((name) => workloads.includes(name));
    if (only.length === 0) continue;
    const args = ["--only", only.join(","), "--backend", backend, "--threads", String(threads), ...switches];
    const output = await capture(process.execPath, [process.argv[1], ...args]);
    // --only takes beginnings: gemv1024 brings gemv1024_t
    lines.push(...parseLines(output).filter(({ workload }) => only.includes(workload)));
    if (output === "") note(`${LIBRARY}: no result\n`);
  }
  return lines;
}

/** `--save`: results, table, chart and the machine as files, to be committed. */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, release, totalmem, type } from "node:os";
import { join, relative, resolve } from "node:path";
import { nameOf } from "../backend.js";
import type { Options } from "../options.js";
import { RESULTS, ROOT } from "../paths.js";
import { chart } from "./chart.js";
import { type Column, table } from "./table.js";

export interface Measured {
  readonly columns: readonly Column[];
  readonly results: readonly object[];
  /** The workloads, in order. */
  readonly rows: readonly string[];
}

/** @returns the folder */
export async function save(options: Options, { columns, results, rows }: Measured): Promise<string> {
  const { page, threads, quick } = options;
  const title = `${page ? "chromium" : "node"}-${nameOf(options).replace(":", "-")}-${threads}`;
  const folder = options.save ? resolve(process.env["INIT_CWD"] ?? ".", options.save) : join(RESULTS, title);
  const about = {
    command: commandOf(options),
    date: new Date().toISOString().slice(0, 16),
    ...machine(),
    ...versions(columns),
  };
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
  mkdirSync(folder, { recursive: true });
  write("results.jsonl", results.map((line) => `${JSON.stringify(line)}\n`).join(""));
  write("machine.json", `${JSON.stringify(about, null, 2)}\n`);
  write(
    "chart.svg",
    chart(columns, rows, `Times of ${columns.map((column) => column.title).join(", ")}, as in the table`),
  );
  const facts = Object.entries(about).map(([name, value]) => `- ${name.replaceAll("_", " ")}: ${show(value)}`);
  const warning = quick ? ["**One cold repetition each (`--quick`): a smoke test, no measurement.**", ""] : [];
  const lines = [
    `# ${title}`,
    "",
    ...warning,
    "Median of the rounds' medians, in milliseconds; in brackets our time divided by theirs, below 1 ours is faster.",
    "`–`: the library cannot do it, or has no script for it. [All figures](results.jsonl), [the machine](machine.json).",
    "",
    table(columns, rows),
    "",
    "![Bars of the same times](chart.svg)",
    "",
    ...facts,
    "",
  ];
  write("README.md", lines.join("\n"));
  return relative(ROOT, folder) || folder;
}

/** The command that measures the same again. */
export function commandOf({ only, backend, threads, plain, software, quick, page, peers, rounds }: Options): string {
  const flags = Object.entries({ page, plain, software, quick }).flatMap(([name, on]) => (on ? [`--${name}`] : []));
  const all = peers && peers.length < 5 ? ["--peers", peers.join(",")] : ["--peers"];
  return [
    "npm run bench --",
    ...all,
    ...(only.length > 0 ? ["--only", only.join(",")] : []),
    ...(backend === "wasm" ? [] : ["--backend", backend]),
    ...(threads === 1 ? [] : ["--threads", threads]),
    ...(rounds === 3 ? [] : ["--rounds", rounds]),
    ...flags,
    "--save",
  ].join(" ");
}

// ---------------------------------------------------------------------------------------------

function machine() {
  const [{ model }, ...others] = cpus();
  return {
    cpu: model.trim(),
    cores: others.length + 1,
    memory_GB: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()} ${process.arch}`,
    commit: commit(),
  };
}

/** What ran where, from the lines themselves; and the GPU, if one was used. */
function versions(columns: readonly Column[]) {
  const all = columns.flatMap(({ summaries }) => summaries);
  const adapter = all.find((line) => line.adapter)?.adapter;
  return {
    libraries: [...new Set(all.map(({ library, backend, threads }) => `${library} (${backend}, threads: ${threads})`))],
    hosts: [...new Set(all.map(({ where, where_version }) => `${where} ${where_version}`))],
    ...(adapter ? { adapter } : {}),
  };
}

function commit(): string {
  try {
    const git = (...args: string[]) => execFileSync("git", args, { cwd: ROOT, encoding: "utf8", stdio: "pipe" }).trim();
    return (
      git("rev-parse", "--short", "HEAD") +
      (git("status", "--porcelain", "--untracked-files=no") ? ", with changes" : "")
    );
  } catch {
    return "unknown";
  }
}

function show(value: unknown): string {
  if (Array.isArray(value)) return value.join("; ");
  return typeof value === "object" && value ? Object.values(value).filter(Boolean).join(", ") : `${value}`;
}

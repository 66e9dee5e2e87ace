/** The command: from arguments to exit code. It reads no global state, so that tests can run it. */
import { wasm } from "@nn/backend-wasm";
import { convKernels } from "@nn/conv/wasm";
import { recurrentKernels } from "@nn/recurrent/wasm";
import { reference, setBackend } from "@nn/tensor";
import { COMMON_HELP, type CommonOptions, parseArguments } from "./arguments.js";
import { beatsBaseline, type Example, type Outcome } from "./example.js";
import { EXAMPLES } from "./examples.js";
import { type Output, openTerminal, type Terminal } from "./terminal.js";
import { tour } from "./tour.js";
import { UserError } from "./user-error.js";

export interface Surroundings {
  /** What paths are relative to. */
  readonly folder: string;
  readonly stdout: Output;
  readonly stderr: Pick<Output, "write">;
  readonly terminal?: Terminal;
}

/**
 * Runs the example that the first argument names, `all` of them, or else the tour, and returns the exit code: 0, or 1 after an error that
 * the person can mend, or if `all` has one that is no better than its baseline. Bugs are thrown.
 */
export async function cli(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const [name = "", ...rest] = args;
  if (name === "all") return runAll(rest, surroundings);
  if (name in EXAMPLES) return exitCode(await start(EXAMPLES[name], rest, surroundings));
  return exitCode(await start(tour, args, surroundings));
}

// ---------------------------------------------------------------------------------------------

async function start<O extends CommonOptions>(
  example: Example<O>,
  args: readonly string[],
  { folder, stdout, stderr, ...rest }: Surroundings,
): Promise<Outcome | number> {
  const terminal = rest.terminal ?? openTerminal(stdout);
  try {
    const options = example.parse(args, folder);
    if (options.help) {
      stdout.write(example.help);
      return 0;
    }
    const backend = await open(options);
    return await example.run(options, terminal, backend);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    terminal.close();
    stderr.write(`\n${error.message}\n`);
    return 1;
  }
}

const exitCode = (outcome: Outcome | number): number => (typeof outcome === "number" ? outcome : 0);

/** All examples with the same arguments, and a line for each: its figure, that of the baseline, the time. */
async function runAll(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const { folder, stdout, stderr } = surroundings;
  try {
    const given = parseArguments(args, { own: [], folder, seeHelp: "See npm run example -- all --help." });
    if (given.common.help) {
      stdout.write(ALL_HELP);
      return 0;
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    stderr.write(`\n${error.message}\n`);
    return 1;
  }
  const silent = { ...surroundings, stdout: { write: () => true }, terminal: openTerminal({ write: () => true }) };
  let worst = 0;
  for (const [name, example] of Object.entries(EXAMPLES)) {
    const begin = performance.now();
    const outcome = await start(example, args, silent);
    const seconds = `${((performance.now() - begin) / 1000).toFixed(1)} s`.padStart(8);
    if (typeof outcome === "number") {
      stdout.write(`${name.padEnd(14)} ${seconds}  exit code ${outcome}\n`);
      worst = Math.max(worst, outcome);
      continue;
    }
    const { metric, value, baseline, against } = outcome;
    const verdict = beatsBaseline(outcome) ? "ok" : "NO BETTER THAN THE BASELINE";
    if (!beatsBaseline(outcome)) worst = 1;
    stdout.write(
      `${name.padEnd(14)} ${seconds}  ${figure(value)} ${metric}; ${against}: ${figure(baseline)}. ${verdict}\n`,
    );
  }
  return worst;
}

const ALL_HELP = `Runs all examples, one after the other, on generated or embedded data: ${Object.keys(EXAMPLES).join(", ")}.

Usage: npm run example -- all [options]

${COMMON_HELP}  --help             show this
`;

const figure = (value: number): string => (Math.abs(value) < 1 ? value.toPrecision(3) : value.toFixed(1));

/** Makes the backend the current one, and says in words what it is. */
async function open({ backend, threads }: CommonOptions): Promise<string> {
  if (backend === "reference") {
    setBackend(reference());
    return "the reference backend";
  }
  const opened = await wasm({
    kernels: [...convKernels, ...recurrentKernels],
    ...(threads === null ? {} : { threads }),
  });
  setBackend(opened);
  return `wasm with ${opened.threads} ${opened.threads === 1 ? "thread" : "threads"}`;
}

/** The command: from arguments to exit code. It reads no global state but the environment, so that tests can run it. */
import { openBackend } from "./backend.js";
import { FULL, measure, ONCE } from "./measure.js";
import { HELP, type Options, parseOptions } from "./options.js";
import { failureOf, resultOf } from "./result.js";
import { UserError } from "./user-error.js";
import { select } from "./workloads/index.js";

export interface Output {
  write(text: string): unknown;
}

export interface Surroundings {
  /** For results, one JSON object a line, and nothing else (but for what --help and --list print). */
  readonly stdout: Output;
  /** For all that is meant for people. */
  readonly stderr: Output;
}

/** Runs the command and returns the exit code: 0, or 1 if an option is wrong or a workload failed. Bugs are thrown. */
export async function cli(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const { stdout, stderr } = surroundings;
  try {
    const options = parseOptions(args);
    if (options.help) {
      stdout.write(HELP);
      return 0;
    }
    if (options.control) return await (await import("./control.js")).control();
    if (options.list) {
      for (const { name } of await select(options.only)) stdout.write(`${name}\n`);
      return 0;
    }
    if (options.beside) return await (await import("./beside/beside.js")).beside(options, surroundings);
    return await bench(options, surroundings);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    stderr.write(`${error.message}\n`);
    return 1;
  }
}

// ---------------------------------------------------------------------------------------------

async function bench(options: Options, { stdout, stderr }: Surroundings): Promise<number> {
  const workloads = await select(options.only);
  if (workloads.length === 0) {
    throw new UserError(`--only ${options.only.join(",")} fits no workload. See npm run bench -- --list.`);
  }
  const contender = await openBackend(options);
  let failed = 0;
  for (const { name, make } of workloads) {
    let line: object;
    try {
      const { run, derived } = await make();
      const measured = await measure(run, options.quick ? ONCE : FULL);
      const spent = options.profile ? await (await import("./profile.js")).profile(run) : null;
      if (spent) stderr.write(`\n${name}, share of the time:\n${spent.table}\n`);
      const more: Record<string, number> = spent ? { outside_wasm_percent: spent.outsideWasm } : {};
      line = resultOf(contender, name, measured, { ...derived(measured.median), ...more });
    } catch (error) {
      failed++;
      stderr.write(`${name}: ${error instanceof Error ? error.stack : error}\n`);
      line = failureOf(contender, name, error);
    }
    stdout.write(`${JSON.stringify(line)}\n`);
  }
  return failed > 0 ? 1 : 0;
}

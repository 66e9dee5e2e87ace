/** The command: from arguments to exit code. It reads no global state but the environment, so that tests can run it. */
import type { Look, Sink } from "./bench.js";
import { HELP, type Options, parseOptions } from "./options.js";
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
    if (options.peers) return await (await import("./beside/beside.js")).beside(options, surroundings);
    return await alone(options, surroundings);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    stderr.write(`${error.message}\n`);
    return 1;
  }
}

// ---------------------------------------------------------------------------------------------

async function alone(options: Options, { stdout, stderr }: Surroundings): Promise<number> {
  let failed = 0;
  const sink: Sink = {
    line(line) {
      if ("error" in line) failed++;
      stdout.write(`${JSON.stringify(line)}\n`);
    },
    note: (text) => void stderr.write(text),
  };
  const run = options.page ? await import("./page/ours.js") : await import("./process.js");
  const look: Look = async (name, run) => {
    const { table, outsideWasm } = await (await import("./profile.js")).profile(run);
    stderr.write(`\n${name}, share of the time:\n${table}\n`);
    return { outside_wasm_percent: outsideWasm };
  };
  if ((await run.ours(options, sink, options.profile ? look : undefined)) > 0) return failed > 0 ? 1 : 0;
  const which = options.only.length > 0 ? `--only ${options.only.join(",")}` : "the selection";
  throw new UserError(`${which} fits no workload of ${options.backend}. See npm run bench -- --list.`);
}

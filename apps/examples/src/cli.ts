/** The command: from arguments to exit code. It reads no global state, so that tests can run it. */
import { wasm } from "@nn/backend-wasm";
import { convKernels } from "@nn/conv/wasm";
import { reference, setBackend } from "@nn/tensor";
import { HELP, parseOptions } from "./options.js";
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

/** Runs the tour and returns the exit code: 0, or 1 after an error that the person can mend. Bugs are thrown. */
export async function cli(args: readonly string[], { folder, stdout, stderr, ...rest }: Surroundings): Promise<number> {
  const terminal = rest.terminal ?? openTerminal(stdout);
  try {
    const options = parseOptions(args, folder);
    if (options.help) {
      stdout.write(HELP);
      return 0;
    }
    setBackend(options.backend === "wasm" ? await wasm({ kernels: convKernels }) : reference());
    const results = await tour(options, terminal);
    return results.every((result) => result.identical) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    terminal.close();
    stderr.write(`\n${error.message}\n`);
    return 1;
  }
}

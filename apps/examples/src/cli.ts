/** The command: from arguments to exit code. It reads no global state, so that tests can run it. */
import { wasm } from "@nn/backend-wasm";
import { convKernels } from "@nn/conv/wasm";
import { recurrentKernels } from "@nn/recurrent/wasm";
import { reference, setBackend } from "@nn/tensor";
import type { CommonOptions } from "./arguments.js";
import { charlm } from "./charlm.js";
import type { Example } from "./example.js";
import { forecast } from "./forecast.js";
import { memory } from "./memory.js";
import { mnist } from "./mnist.js";
import { sentiment } from "./sentiment.js";
import { spokenDigits } from "./spoken-digits.js";
import { type Output, openTerminal, type Terminal } from "./terminal.js";
import { timeseries } from "./timeseries.js";
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
 * Runs the example that the first argument names, or else the tour, and returns the exit code: 0, or 1 after an error that the
 * person can mend. Bugs are thrown.
 */
export async function cli(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const [name, ...rest] = args;
  switch (name) {
    case "charlm":
      return start(charlm, rest, surroundings);
    case "forecast":
      return start(forecast, rest, surroundings);
    case "memory":
      return start(memory, rest, surroundings);
    case "mnist":
      return start(mnist, rest, surroundings);
    case "sentiment":
      return start(sentiment, rest, surroundings);
    case "spoken-digits":
      return start(spokenDigits, rest, surroundings);
    case "timeseries":
      return start(timeseries, rest, surroundings);
    default:
      return start(tour, args, surroundings);
  }
}

// ---------------------------------------------------------------------------------------------

async function start<O extends CommonOptions>(
  example: Example<O>,
  args: readonly string[],
  { folder, stdout, stderr, ...rest }: Surroundings,
): Promise<number> {
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

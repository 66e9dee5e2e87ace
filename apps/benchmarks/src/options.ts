/** The options of `npm run bench`: what the command line says, checked. */
import { parseArgs } from "node:util";
import type { BackendName } from "./backend.js";
import { UserError } from "./user-error.js";

export const BACKENDS: readonly BackendName[] = ["reference", "wasm", "webgpu"];
export const PEERS = ["torch", "ort-node", "ort-web", "jax", "tfjs"] as const;
export type Peer = (typeof PEERS)[number];

export interface Options {
  readonly help: boolean;
  /** Only list the workloads. */
  readonly list: boolean;
  /** Beginnings of workloads' names; without any, all. */
  readonly only: readonly string[];
  readonly backend: BackendName;
  readonly threads: number;
  /** WebAssembly without relaxed SIMD. */
  readonly plain: boolean;
  /** WebGPU in software. */
  readonly software: boolean;
  /** One cold repetition of each. */
  readonly quick: boolean;
  /** In a page of headless Chromium instead of this process. */
  readonly page: boolean;
  /** Also where the time goes. */
  readonly profile: boolean;
  /** Beside these; null: alone. */
  readonly peers: readonly Peer[] | null;
  readonly rounds: number;
  /** The folder that the results are written to; "" is the usual one. */
  readonly save: string | null;
  /** The control in AssemblyScript. */
  readonly control: boolean;
}

export const HELP = `Times workloads, and prints one line of JSON for each.

Usage: npm run --silent bench -- [options]

  --only A,B         workloads whose names begin so (all)
  --backend NAME     wasm, webgpu or reference (wasm)
  --page             in a page of headless Chromium
  --threads N        of the wasm backend, and of the peers (1)
  --plain            wasm without relaxed SIMD
  --software         webgpu on SwiftShader, Chromium's GPU in software: for trying out
  --quick            one cold repetition each: a smoke test; infer_cnn_b1 gives its start-up time
  --profile          also the functions that take most, and what is spent outside of WebAssembly
  --list             print the workloads' names
  --help             show this

Beside other libraries, which are installed in $NN_PEERS (~/.cache/nn-peers):

  --peers [A,B]      ${PEERS.join(", ")} (all), in turns with ours; a table on standard error
  --rounds N         (3)
  --save [DIR]       also write results, table, chart and machine (apps/benchmarks/results/…)

  --control          the GEMM microkernel in AssemblyScript
`;

/** @throws UserError */
export function parseOptions(args: readonly string[]): Options {
  const values = parse(args);
  const peers = values.peers === "" ? PEERS : names("peers", values.peers)?.map((name) => oneOf("peers", name, PEERS));
  const options: Options = {
    help: values.help ?? false,
    list: values.list ?? false,
    only: names("only", values.only) ?? [],
    backend: oneOf("backend", values.backend ?? "wasm", BACKENDS),
    threads: count("threads", values.threads, 64) ?? 1,
    plain: values.plain ?? false,
    software: values.software ?? false,
    quick: values.quick ?? false,
    page: values.page ?? false,
    profile: values.profile ?? false,
    peers: peers ?? null,
    rounds: count("rounds", values.rounds, 100) ?? 3,
    save: values.save ?? null,
    control: values.control ?? false,
  };
  const { page, profile, backend, save } = options;
  if (page && profile) throw new UserError(`--profile is for Node, not for --page. ${SEE_HELP}`);
  if (save !== null && !peers) throw new UserError(`--save needs --peers. ${SEE_HELP}`);
  if (peers && backend === "webgpu" && !page)
    throw new UserError(`--peers on webgpu needs --page: the other libraries look for a browser's. ${SEE_HELP}`);
  return options;
}

// ---------------------------------------------------------------------------------------------

const SEE_HELP = "See npm run bench -- --help.";

function names(option: string, given: string | undefined): string[] | null {
  if (given === undefined) return null;
  const list = given.split(",").map((name) => name.trim());
  if (list.every((name) => name !== "")) return list;
  throw new UserError(`--${option} needs names with commas between them, and got "${given}". ${SEE_HELP}`);
}

function oneOf<T extends string>(option: string, given: string, known: readonly T[]): T {
  const found = known.find((name) => name === given);
  if (found !== undefined) return found;
  throw new UserError(`--${option} knows ${known.join(", ")}, and got "${given}". ${SEE_HELP}`);
}

function count(option: string, given: string | undefined, max: number): number | null {
  if (given === undefined) return null;
  const value = /^\d+$/.test(given) ? Number(given) : Number.NaN;
  if (value >= 1 && value <= max) return value;
  throw new UserError(`--${option} needs a whole number from 1 to ${max}, and got "${given}". ${SEE_HELP}`);
}

/** Options that may stand without a value, which parseArgs does not know: they get an empty one. */
function withValues(args: readonly string[]): string[] {
  return args.map((arg, i) => (/^--(peers|save)$/.test(arg) && (args[i + 1] ?? "-").startsWith("-") ? `${arg}=` : arg));
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: withValues(args),
      options: {
        help: { type: "boolean", short: "h" },
        list: { type: "boolean" },
        only: { type: "string" },
        backend: { type: "string" },
        page: { type: "boolean" },
        threads: { type: "string" },
        plain: { type: "boolean" },
        software: { type: "boolean" },
        quick: { type: "boolean" },
        profile: { type: "boolean" },
        peers: { type: "string" },
        rounds: { type: "string" },
        save: { type: "string" },
        control: { type: "boolean" },
      },
    }).values;
  } catch (error) {
    // Node's own words, without its advice on arguments that start with a dash.
    const [words] = (error as Error).message.split(/\n|\. (?=To specify|This command)/);
    throw new UserError(`${words.replace(/\.$/, "")}. ${SEE_HELP}`);
  }
}

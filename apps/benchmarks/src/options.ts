/** The options of `npm run bench`: what the command line says, checked. */
import { parseArgs } from "node:util";
import { UserError } from "./user-error.js";

export const BACKENDS = ["reference", "wasm"] as const;
export const PEERS = ["torch", "ort-node", "ort-web", "jax", "tfjs"] as const;
export type Peer = (typeof PEERS)[number];

export interface Options {
  readonly help: boolean;
  /** Only list the workloads. */
  readonly list: boolean;
  /** Beginnings of workloads' names; without any, all. */
  readonly only: readonly string[];
  readonly backend: (typeof BACKENDS)[number];
  readonly threads: number;
  /** WebAssembly without relaxed SIMD. */
  readonly plain: boolean;
  /** One cold repetition of each. */
  readonly quick: boolean;
  /** Also where the time goes. */
  readonly profile: boolean;
  /** Beside the peers. */
  readonly beside: boolean;
  readonly peers: readonly Peer[];
  readonly rounds: number;
  /** Folder of the peers' scripts, or null: where they usually are. */
  readonly peersDir: string | null;
  /** The control in AssemblyScript. */
  readonly control: boolean;
}

export const HELP = `Times workloads, and prints one line of JSON for each.

Usage: npm run --silent bench -- [options]

  --only A,B         workloads whose names begin so (all)
  --backend NAME     wasm or reference (wasm)
  --threads N        of the wasm backend, and of the peers (1)
  --plain            wasm without relaxed SIMD
  --quick            one cold repetition each: a smoke test; infer_cnn_b1 gives its start-up time
  --profile          also the functions that take most, and what is spent outside of WebAssembly
  --list             print the workloads' names
  --help             show this

Beside other libraries:

  --beside           ours and the peers' in turns; a table on standard error
  --peers A,B        ${PEERS.join(", ")} (all)
  --rounds N         (3)
  --peers-dir DIR    folder of the peers' scripts ($NN_PEERS_DIR, $NN_SHARED/peers or ../shared/peers)

  --control          the GEMM microkernel in AssemblyScript
`;

/** @throws UserError */
export function parseOptions(args: readonly string[]): Options {
  const values = parse(args);
  return {
    help: values.help ?? false,
    list: values.list ?? false,
    only: names("only", values.only) ?? [],
    backend: oneOf("backend", values.backend ?? "wasm", BACKENDS),
    threads: count("threads", values.threads, 64) ?? 1,
    plain: values.plain ?? false,
    quick: values.quick ?? false,
    profile: values.profile ?? false,
    beside: values.beside ?? false,
    peers: names("peers", values.peers)?.map((name) => oneOf("peers", name, PEERS)) ?? PEERS,
    rounds: count("rounds", values.rounds, 100) ?? 3,
    peersDir: values["peers-dir"] ?? null,
    control: values.control ?? false,
  };
}

/** Whether `--only` asks for a workload. */
export function asksFor(only: readonly string[], name: string): boolean {
  return only.length === 0 || only.some((beginning) => name.startsWith(beginning));
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

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        help: { type: "boolean", short: "h" },
        list: { type: "boolean" },
        only: { type: "string" },
        backend: { type: "string" },
        threads: { type: "string" },
        plain: { type: "boolean" },
        quick: { type: "boolean" },
        profile: { type: "boolean" },
        beside: { type: "boolean" },
        peers: { type: "string" },
        rounds: { type: "string" },
        "peers-dir": { type: "string" },
        control: { type: "boolean" },
      },
    }).values;
  } catch (error) {
    // Node's own words, without its advice on arguments that start with a dash.
    const [words] = (error as Error).message.split(/\n|\. (?=To specify|This command)/);
    throw new UserError(`${words.replace(/\.$/, "")}. ${SEE_HELP}`);
  }
}

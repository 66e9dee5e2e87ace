/** Reading a command line, for every command: each complaint is one paragraph that names the option and where the help is. */
import { resolve } from "node:path";
import { type ParseArgsConfig, parseArgs } from "node:util";
import { UserError } from "./user-error.js";

/** What every command can be told. */
export interface CommonOptions {
  readonly help: boolean;
  /** Few data and short training: some seconds, to see that all works. */
  readonly quick: boolean;
  /** What computes. */
  readonly backend: Backend;
  /** Of the wasm backend; null: as many as it chooses. */
  readonly threads: number | null;
  readonly seed: number;
}

export type Backend = (typeof BACKENDS)[number];

export interface Arguments {
  readonly common: CommonOptions;
  /** A path, or null if it was not given. */
  path(name: string): string | null;
  /** A whole number, or null if it was not given. */
  integer(name: string, min: number, max: number): number | null;
  /** One of some words, or null if it was not given. */
  choice<T extends string>(name: string, words: readonly T[]): T | null;
  /** Names with commas between them, or null if they were not given. */
  names(name: string): string[] | null;
  /** Ends with "--name is missing". */
  require<T>(name: string, value: T | null): T;
}

/**
 * @param own the command's options besides the common ones, each with a value
 * @param folder what paths are relative to
 * @param seeHelp where a complaint sends to
 * @throws UserError
 */
export function parseArguments(
  args: readonly string[],
  { own, folder, seeHelp }: { own: readonly string[]; folder: string; seeHelp: string },
): Arguments {
  const values = parse(args, [...own, "backend", "threads", "seed"], seeHelp);
  const complain = (message: string): never => {
    throw new UserError(`${message}. ${seeHelp}`);
  };
  const integer: Arguments["integer"] = (name, min, max) => {
    const given = values[name];
    if (typeof given !== "string") return null;
    const value = /^\d+$/.test(given) ? Number(given) : Number.NaN;
    if (value >= min && value <= max) return value;
    return complain(`--${name} needs a whole number from ${min} to ${max}, and got "${given}"`);
  };
  const choice: Arguments["choice"] = (name, words) => {
    const given = values[name];
    if (typeof given !== "string") return null;
    return (
      words.find((word) => word === given) ?? complain(`--${name} needs ${words.join(" or ")}, and got "${given}"`)
    );
  };
  return {
    common: {
      help: values.help === true,
      quick: values.quick === true,
      backend: choice("backend", BACKENDS) ?? "wasm",
      threads: integer("threads", 1, 64),
      seed: integer("seed", 0, 2 ** 32 - 1) ?? 1,
    },
    path(name) {
      const given = values[name];
      if (typeof given !== "string") return null;
      if (given === "") complain(`--${name} needs the path of a folder, and got an empty one`);
      return resolve(folder, given);
    },
    integer,
    choice,
    names(name) {
      const given = values[name];
      if (typeof given !== "string") return null;
      const list = given.split(",").map((part) => part.trim());
      if (list.includes("")) complain(`--${name} needs names with commas between them, and got "${given}"`);
      return list;
    },
    require: (name, value) => value ?? complain(`--${name} is missing`),
  };
}

/** The common options, as help texts list them. */
export const COMMON_HELP = `  --quick            few data, short training: some seconds
  --backend NAME     wasm, or reference: plain loops in JavaScript, slow (wasm)
  --threads N        of the wasm backend (as many as the machine has, 8 at most)
  --seed N           for data, weights and order (1)
`;

// ---------------------------------------------------------------------------------------------

const BACKENDS = ["wasm", "reference"] as const;

function parse(args: readonly string[], withValue: readonly string[], seeHelp: string) {
  const options: NonNullable<ParseArgsConfig["options"]> = {
    help: { type: "boolean", short: "h" },
    quick: { type: "boolean" },
  };
  for (const name of withValue) options[name] = { type: "string" };
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    // Node's own words, without its advice on arguments that start with a dash.
    const [words] = (error as Error).message.split(/\n|\. (?=To specify|This command)/);
    throw new UserError(`${words.replace(/\.$/, "")}. ${seeHelp}`);
  }
}

/** The tour's options: what the command line says, checked. */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { UserError } from "./user-error.js";

export interface Options {
  readonly help: boolean;
  /** Folder of MNIST's files; without it digits are drawn. */
  readonly data: string | null;
  /** Folder for the saved models; without it a temporary one. */
  readonly out: string | null;
  /** What computes. */
  readonly backend: "wasm" | "reference";
  readonly seed: number;
  /** Passes over the data, for every network; without it each network's own number. */
  readonly epochs: number | null;
  /** Digits to train on; without it a number that suits their source. */
  readonly trainImages: number | null;
}

export const HELP = `Trains a CNN on digits, and an RNN, a GRU and an LSTM on a memory task; saves each
network, loads it back, and compares.

Usage: npm start -- [options]

  --data DIR         train the CNN on MNIST: the folder with its four .gz files
                     (without it, digits are drawn from strokes)
  --out DIR          where to save the networks as .safetensors (a temporary folder)
  --backend NAME     wasm, or reference: plain loops in JavaScript, slow (wasm)
  --seed N           for data, weights and order (1)
  --epochs N         passes over the data, for every network (each its own)
  --train-images N   digits to train the CNN on (2000 drawn, or the first 8000 of MNIST)
  --help             show this

Paths are relative to the folder in which you call npm.
`;

/** @param folder what paths are relative to @throws UserError */
export function parseOptions(args: readonly string[], folder: string): Options {
  const values = parse(args);
  const path = (name: "data" | "out"): string | null => {
    const given = values[name];
    if (given === undefined) return null;
    if (given === "") throw new UserError(`--${name} needs the path of a folder, and got an empty one. ${SEE_HELP}`);
    return resolve(folder, given);
  };
  const integer = (name: "seed" | "epochs" | "train-images", min: number, max: number): number | null => {
    const given = values[name];
    if (given === undefined) return null;
    const value = /^\d+$/.test(given) ? Number(given) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new UserError(`--${name} needs a whole number from ${min} to ${max}, and got "${given}". ${SEE_HELP}`);
  };
  const { backend = "wasm" } = values;
  if (backend !== "wasm" && backend !== "reference")
    throw new UserError(`--backend needs wasm or reference, and got "${backend}". ${SEE_HELP}`);
  return {
    backend,
    help: values.help ?? false,
    data: path("data"),
    out: path("out"),
    seed: integer("seed", 0, 2 ** 32 - 1) ?? 1,
    epochs: integer("epochs", 1, 1000),
    trainImages: integer("train-images", 100, 60_000),
  };
}

// ---------------------------------------------------------------------------------------------

const SEE_HELP = "See npm start -- --help.";

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        help: { type: "boolean", short: "h" },
        data: { type: "string" },
        out: { type: "string" },
        backend: { type: "string" },
        seed: { type: "string" },
        epochs: { type: "string" },
        "train-images": { type: "string" },
      },
    }).values;
  } catch (error) {
    // Node's own words, without its advice on arguments that start with a dash.
    const [words] = (error as Error).message.split(/\n|\. (?=To specify|This command)/);
    throw new UserError(`${words.replace(/\.$/, "")}. ${SEE_HELP}`);
  }
}

/** The tour's options: what the command line says, checked. */
import { COMMON_HELP, type CommonOptions, parseArguments } from "./arguments.js";

export interface Options extends CommonOptions {
  /** Folder of MNIST's files; without it digits are drawn. */
  readonly data: string | null;
  /** Folder for the saved models; without it a temporary one. */
  readonly out: string | null;
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
  --epochs N         passes over the data, for every network (each its own)
  --train-images N   digits to train the CNN on (2000 drawn, or the first 8000 of MNIST)
${COMMON_HELP}  --help             show this

Paths are relative to the folder in which you call npm.

There is more to train on real data: npm run example -- mnist --help
                                     npm run example -- timeseries --help
                                     npm run example -- charlm --help
                                     npm run example -- spoken-digits --help
                                     npm run example -- forecast --help
                                     npm run example -- sentiment --help
                                     npm run example -- translate --help
                                     npm run example -- summarise --help
                                     npm run example -- names --help
                                     npm run example -- ctc --help
                                     npm run example -- detection --help
                                     npm run example -- verification --help
                                     npm run example -- gesture --help
                                     npm run example -- denoise --help

Without data, as they are drawn:     npm run example -- segmentation --help
What a memory can learn:             npm run example -- memory --help
All of them:                         npm run example -- all --quick
`;

/** @param folder what paths are relative to @throws UserError */
export function parseOptions(args: readonly string[], folder: string): Options {
  const own = ["data", "out", "epochs", "train-images"];
  const given = parseArguments(args, { own, folder, seeHelp: "See npm start -- --help." });
  return {
    ...given.common,
    data: given.path("data"),
    out: given.path("out"),
    epochs: given.integer("epochs", 1, 1000),
    trainImages: given.integer("train-images", 100, 60_000),
  };
}

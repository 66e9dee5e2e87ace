/** Sentences about films, praise or blame: those of SST-2, and how networks get them. */
import { join } from "node:path";
import { type Dataset, sequences, type Vocabulary } from "@nn/train";
import { readBytes, requireFolder, wrong } from "./files.js";

/** To train on, to choose the epoch by, to test on. */
export const FILES = ["stsa.binary.train", "stsa.binary.dev", "stsa.binary.test"];

export interface Sentences {
  readonly texts: readonly string[];
  /** 0: blame, 1: praise. */
  readonly labels: Int32Array;
}

/** Those to train on, to choose the epoch by, to test on. @throws UserError */
export function readOpinions(folder: string): Sentences[] {
  requireFolder(folder, { expected: "the folder of SST-2's three files", hint: "Give its path after --data" });
  return FILES.map((file) => readSentences(join(folder, file)));
}

/** @throws UserError */
function readSentences(file: string): Sentences {
  const rest = { expected: "lines of a class, 0 or 1, and a sentence", hint: "Take a file of SST-2" };
  const lines = new TextDecoder()
    .decode(readBytes(file, rest))
    .split(/\r?\n/)
    .filter((line) => line.trim() !== "");
  const odd = lines.findIndex((line) => !/^[01] .*[\p{L}\p{N}]/u.test(line));
  if (odd >= 0 || lines.length === 0)
    wrong(file, { got: lines.length ? `line ${odd + 1} is something else` : "it is empty", ...rest });
  return { texts: lines.map((line) => line.slice(2)), labels: Int32Array.from(lines, (line) => Number(line[0])) };
}

/** A data set of the sentences, and their lengths: in steps of 8, so that `compile` has few shapes to plan for. */
export function encode(vocabulary: Vocabulary, { texts, labels }: Sentences): { data: Dataset; lengths: number[] } {
  const words = texts.map((text) => vocabulary.encode(text));
  return { data: sequences(words, labels, { multiple: 8 }), lengths: words.map(({ length }) => length) };
}

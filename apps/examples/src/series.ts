/**
 * Reads labelled time series from the text files of the UCR/UEA archive, `NAME/NAME_TRAIN.ts` and `NAME/NAME_TEST.ts`
 * (the suffix is theirs and has nothing to do with TypeScript).
 *
 * Lines with `#` are comments, those with `@` say what follows; after `@data` comes a sample per line: channels with `:`
 * between them, numbers with `,`, and the class at the end. Only series of equal length without gaps are read.
 */
import { join } from "node:path";
import type { Dataset } from "./dataset.js";
import { readBytes, requireFolder, wrong } from "./files.js";

export interface SeriesSet {
  readonly train: Dataset;
  readonly test: Dataset;
  /** The names of the classes; labels are their numbers. */
  readonly classes: readonly string[];
}

/** Both halves of one data set of the archive: inputs of shape (channels, length). */
export function readSeriesSet(folder: string, name: string): SeriesSet {
  requireFolder(folder, {
    expected: "a folder of the UCR/UEA archive, with a folder for every data set",
    hint: "Give its path after --data, relative to the folder you are in",
  });
  const files = ["TRAIN", "TEST"].map((half) => join(folder, name, `${name}_${half}.ts`));
  const [train, test] = files.map(readSeries);
  for (const what of ["shape", "classes"] as const) {
    if (`${train[what]}` === `${test[what]}`) continue;
    wrong(files[1], {
      got: `its ${what} is (${test[what]})`,
      expected: `(${train[what]}), as in ${files[0]}`,
      hint: "Take both files from the same data set",
    });
  }
  return { train, test, classes: train.classes };
}

/** One file. */
export function readSeries(file: string): Dataset & { readonly classes: readonly string[] } {
  const bytes = readBytes(file, {
    expected: "series in the archive's .ts format",
    hint: "See --help for what is read",
  });
  const lines = new TextDecoder()
    .decode(bytes)
    .split(/\r?\n/)
    .map((text, i) => ({ text: text.trim(), number: i + 1 }))
    .filter(({ text }) => text !== "" && !text.startsWith("#"));
  const start = lines.findIndex(({ text }) => text.toLowerCase() === "@data");
  const header = lines.slice(0, Math.max(start, 0)).map(({ text }) => text.split(/\s+/));
  const [hasClasses, ...classes] = header.find(([key]) => key.toLowerCase() === "@classlabel")?.slice(1) ?? [];
  const samples = lines.slice(start + 1);
  if (start < 0 || hasClasses !== "true" || classes.length < 2 || samples.length === 0) {
    const parts = "a line @classLabel true with the classes, a line @data, and samples after it";
    wrong(file, { got: "it is something else", expected: parts, hint: "Take a file of a classification problem" });
  }

  const parsed = samples.map(({ text, number }) => {
    const fields = text.split(":");
    const label = classes.indexOf(fields.pop()!.trim());
    const channels = fields.map((field) =>
      field.split(",").map((value) => (value.trim() === "" ? NaN : Number(value))),
    );
    const complain = (got: string, expected: string) =>
      wrong(`${file}, line ${number}`, { got, expected, hint: "Only whole series of one length are read" });
    if (label < 0) complain("its class is not known", `one of ${classes.join(", ")} after the last colon`);
    if (!channels.flat().every(Number.isFinite))
      complain("there are values missing", "numbers with commas between them");
    return { label, channels, complain };
  });
  const shape = [parsed[0].channels.length, parsed[0].channels[0]?.length ?? 0];
  for (const { channels, complain } of parsed) {
    if (channels.length === shape[0] && channels.every(({ length }) => length === shape[1])) continue;
    complain(`its series have ${channels.map(({ length }) => length).join(", ")} values`, `${shape.join(" × ")}`);
  }
  return {
    count: parsed.length,
    shape,
    inputs: Float32Array.from(parsed.flatMap(({ channels }) => channels.flat())),
    labels: Int32Array.from(parsed, ({ label }) => label),
    classes,
  };
}

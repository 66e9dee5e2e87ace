// Logs in files. A resumed run goes on where it is: lines from after that are taken away first.

import { appendFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { type Callback, csvLines, type History, jsonLines, type LogOptions, type Write } from "../index.js";

/**
 * {@link jsonLines} in a file.
 *
 * @example
 * ```ts
 * fit(model, { …, callbacks: [jsonFile("runs/digits/log.jsonl", { steps: true })] });
 * ```
 */
export function jsonFile(path: string, options: LogOptions = {}): Callback {
  return toFile(
    path,
    (write) => jsonLines(write, options),
    (line, { epochs, steps }) => {
      const event = JSON.parse(line);
      return event.type === "epoch" ? event.epoch <= epochs.length : event.step <= steps;
    },
  );
}

/** {@link csvLines} in a file. */
export function csvFile(path: string, options: LogOptions = {}): Callback {
  let names: string[] | null = null;
  return toFile(
    path,
    (write) => csvLines(write, options),
    (line, { epochs, steps }) => {
      if (names === null) {
        names = line.split(",");
        return true;
      }
      const fields = line.split(",");
      return options.steps
        ? Number(fields[names.indexOf("step")]) <= steps
        : Number(fields[names.indexOf("epoch")]) <= epochs.length;
    },
  );
}

function toFile(
  path: string,
  make: (write: Write) => Callback,
  keeps: (line: string, done: History) => boolean,
): Callback {
  return {
    ...make((text) => appendFile(path, text)),
    async start(run) {
      await mkdir(dirname(path), { recursive: true });
      const lines = run.history.steps === 0 ? [] : (await readOr(path)).split("\n").slice(0, -1); // the last may be cut off
      await writeFile(
        path,
        lines
          .filter((line) => keeps(line, run.history))
          .map((line) => `${line}\n`)
          .join(""),
      );
    },
  };
}

async function readOr(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw e;
  }
}

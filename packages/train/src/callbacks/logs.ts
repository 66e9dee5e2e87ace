// Logs as text: JSON lines, CSV. Where the text goes is a function's business: to files in @nn/train/node.

import type { EpochEvent, StepEvent, TrainEvent } from "../fit/events.js";
import type { Callback } from "./callback.js";

/** Takes text. */
export type Write = (text: string) => void | Promise<void>;

/** Options of logs. */
export interface LogOptions {
  /** Whether there is a line per step, too (default false: per epoch). */
  readonly steps?: boolean;
}

/**
 * One JSON object per line and event: what {@link TrainEvent} says.
 *
 * @example
 * ```ts
 * jsonLines((line) => process.stdout.write(line));
 * ```
 */
export function jsonLines(write: Write, { steps = false }: LogOptions = {}): Callback {
  const line = (event: TrainEvent) => write(`${JSON.stringify(event)}\n`);
  return { epoch: line, ...(steps ? { step: line } : {}) };
}

/**
 * Comma-separated values, with the names in the first line. Per epoch: epoch, step, lr, seconds and all figures that are single numbers; with `steps`
 * instead per step: epoch, batch, step, lr, loss.
 */
export function csvLines(write: Write, { steps = false }: LogOptions = {}): Callback {
  let names: string[] | null = null;
  const line = (row: Record<string, unknown>) => {
    const head = names === null ? `${Object.keys(row).join(",")}\n` : "";
    names ??= Object.keys(row);
    return write(`${head}${names.map((name) => row[name] ?? "").join(",")}\n`);
  };
  if (steps) return { step: ({ epoch, batch, step, lr, loss }: StepEvent) => line({ epoch, batch, step, lr, loss }) };
  return {
    epoch({ epoch, step, lr, seconds, logs }: EpochEvent) {
      const numbers = Object.entries(logs).filter(([, v]) => typeof v === "number");
      return line({ epoch, step, lr, seconds, ...Object.fromEntries(numbers) });
    },
    save: () => ({ json: names }),
    load: ({ json }) => {
      names = json as string[] | null;
    },
  };
}

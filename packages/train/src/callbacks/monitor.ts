// Watching one figure of the epochs, for what depends on whether it improves.

import { fail } from "@nn/tensor";
import type { Logs } from "../fit/events.js";

/** Which figure, and which way is better. */
export interface Monitor {
  /** A name in the logs (default `"valLoss"` if there is a validation, else `"loss"`). */
  readonly monitor?: string;
  /** Whether less is better or more (default: less for names that end in loss, error, MAE, RMSE, perplexity and the like; else more). */
  readonly mode?: "min" | "max";
}

/** The figure in the logs. */
export function monitored(
  op: string,
  logs: Logs,
  name = "valLoss" in logs ? "valLoss" : "loss",
): { name: string; value: number } {
  const value = logs[name];
  if (typeof value === "number") return { name, value };
  const numbers = Object.keys(logs).filter((key) => typeof logs[key] === "number");
  return fail({
    op,
    expected: `monitor to be one of ${numbers.map((n) => `"${n}"`).join(", ")}`,
    got: `"${name}"${value === undefined ? "" : ", which is not a single number"}`,
  });
}

/** Whether less of it is better. */
export function lessIsBetter(name: string, mode: Monitor["mode"]): boolean {
  return mode === undefined ? /(loss|error|rate|mae|mse|rmse|mape|perplexity|cer|wer)$/i.test(name) : mode === "min";
}

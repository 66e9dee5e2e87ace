/** The series of `forecast`: those of a power transformer (ETTh1), or generated ones; cut into windows and parts. */
import { join } from "node:path";
import { NNError } from "@nn/tensor";
import { type Forecasting, forecasting } from "@nn/train";
import { readCsv } from "@nn/train/csv";
import { readBytes, wrong } from "./files.js";
import { drawDays } from "./generated.js";

export const FILE = "ETTh1.csv";
/** 12 months to train on, 4 to choose the epoch by and 4 to test on, of 30 days each. */
export const ROWS = 20 * 30 * 24;
/** Hours that are seen, and hours that are to be said. */
export const [INPUT, HORIZON] = [96, 24];

export interface Series {
  readonly names: readonly string[];
  readonly parts: Forecasting;
}

/** @throws UserError */
export function readSeries(folder: string): Series {
  const file = join(folder, FILE);
  const rest = {
    expected: "a date and then numbers in every row, and names in the first",
    hint: "Take the file of ETDataset",
  };
  const text = new TextDecoder().decode(readBytes(file, rest));
  try {
    const table = readCsv(text);
    const names = table.names.slice(1);
    const all = table.numbers(names);
    const rows = Math.min(ROWS, table.length);
    return { names, parts: cut(all.data.subarray(0, rows * names.length), names.length) };
  } catch (error) {
    if (!(error instanceof NNError)) throw error;
    return wrong(file, { got: error.message, ...rest });
  }
}

export function drawSeries(seed: number, hours: number): Series {
  const { names, data } = drawDays(seed, hours);
  return { names, parts: cut(data, names.length) };
}

function cut(data: Float32Array | Float64Array, features: number): Forecasting {
  const rows = data.length / features;
  const split = [0.6 * rows, 0.2 * rows, 0.2 * rows].map(Math.floor) as [number, number, number];
  return forecasting({ data, features }, { inputLength: INPUT, horizon: HORIZON, split });
}

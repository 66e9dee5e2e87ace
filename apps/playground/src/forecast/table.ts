// A table to forecast from: CSV, and which of its columns are numbers.

import { readCsv, type Table } from "@nn/train/csv";

export interface Series {
  readonly table: Table;
  /** Names of those with numbers. */
  readonly columns: readonly string[];
  /** The one to begin with: the first that does not only count the rows. */
  readonly first: string;
}

/** @throws if there is none with numbers */
export function readTable(bytes: Uint8Array): Series {
  const text = new TextDecoder().decode(bytes);
  if (text.includes("\0")) throw new Error("it is no text.");
  const table = readCsv(text);
  const columns = table.names.filter((name) => isNumeric(table.text(name)));
  if (columns.length === 0) throw new Error("no column has numbers.");
  const first = columns.find((name) => !counts(table.numbers([name], { missing: 0 }).data)) ?? columns[0];
  return { table, columns, first };
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

const isNumeric = (fields: readonly string[]) => {
  const filled = fields.filter((text) => text.trim() !== "");
  return filled.length > 0.5 * fields.length && filled.every((text) => !Number.isNaN(Number(text)));
};

/** Whether it only numbers the rows. */
const counts = (values: Float32Array) => values.every((v, i) => i === 0 || v === values[i - 1] + 1);

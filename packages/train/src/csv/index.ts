// @nn/train/csv: tables from CSV, parsed by Papa Parse. An entry of its own, as the parser would be in every bundle.

import { fail } from "@nn/tensor";
import Papa from "papaparse";

/** Options of {@link readCsv}. */
export interface CsvOptions {
  /** Whether the first row has the names (default true); else they are "0", "1", …. */
  readonly header?: boolean;
  /** Between fields (default: found out, of comma, tab, bar, semicolon). */
  readonly delimiter?: string;
}

/** A table: all fields are text until they are asked for as numbers. */
export class Table {
  constructor(
    /** Of the columns. */
    readonly names: readonly string[],
    readonly rows: readonly (readonly string[])[],
  ) {}

  /** How many rows. */
  get length(): number {
    return this.rows.length;
  }

  /** A column as text. */
  text(name: string): string[] {
    const at = this.#at(name);
    return this.rows.map((row) => row[at]);
  }

  /**
   * Columns as numbers, row after row: `{ data, features }`, which windows, scalers and (as `{ data, shape: [features] }`) datasets take.
   *
   * @param options.missing what an empty field is (default: an error)
   * @throws naming row and column of what is no number
   */
  numbers(
    names: readonly string[] = this.names,
    { missing }: { readonly missing?: number } = {},
  ): { data: Float32Array; features: number; shape: readonly [number] } {
    const columns = names.map((name) => this.#at(name));
    const data = new Float32Array(this.length * columns.length);
    for (const [r, row] of this.rows.entries()) {
      for (const [c, at] of columns.entries()) {
        const field = row[at].trim();
        const value = field === "" ? missing : Number(field);
        if (value === undefined || (Number.isNaN(value) && field !== "" && !/^[+-]?nan$/i.test(field))) {
          fail({
            op: "Table.numbers",
            expected: `a number in row ${r + 1}, column "${names[c]}"`,
            got: field === "" ? "an empty field" : JSON.stringify(field),
            ...(field === "" ? { hint: "Pass { missing: NaN }, or another number." } : {}),
          });
        }
        data[r * columns.length + c] = value;
      }
    }
    return { data, features: columns.length, shape: [columns.length] };
  }

  /** A column as class numbers, and what they stand for: its different texts, sorted. */
  classes(name: string): { labels: Int32Array; classes: string[] } {
    const text = this.text(name);
    const classes = [...new Set(text)].sort();
    const numbers = new Map(classes.map((c, i) => [c, i]));
    return { labels: Int32Array.from(text, (c) => numbers.get(c)!), classes };
  }

  #at(name: string): number {
    const at = this.names.indexOf(name);
    if (at >= 0) return at;
    return fail({
      op: "Table",
      expected: `a column of ${this.names.map((n) => `"${n}"`).join(", ")}`,
      got: `"${name}"`,
    });
  }
}

/**
 * Reads a CSV text. Quotes may hold delimiters and line ends; empty lines are passed over.
 *
 * @throws if quotes do not close, a row has more or fewer fields than the first, or a name comes twice
 * @example
 * ```ts
 * const table = readCsv(await readFile("iris.csv", "utf8"));
 * const x = table.numbers(["sepal_length", "sepal_width"]);
 * const { labels } = table.classes("species");
 * dataset(x, labels);
 * ```
 */
export function readCsv(text: string, { header = true, delimiter }: CsvOptions = {}): Table {
  const { data, errors } = Papa.parse<string[]>(text.replace(/^\uFEFF/, ""), {
    skipEmptyLines: true,
    ...(delimiter === undefined ? {} : { delimiter }),
  });
  // One column needs no delimiter, so none can be found.
  const error = errors.find(({ code }) => code !== "UndetectableDelimiter");
  if (error) {
    fail({
      op: "readCsv",
      expected: "CSV",
      got: `${error.message}${error.row === undefined ? "" : ` in row ${error.row + 1}`}`,
    });
  }
  if (data.length === 0) fail({ op: "readCsv", expected: header ? "a row of names" : "rows", got: "nothing" });
  const names = header ? data[0].map((name) => name.trim()) : data[0].map((_, i) => `${i}`);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) fail({ op: "readCsv", expected: "each name once", got: `"${twice}" twice` });
  const rows = header ? data.slice(1) : data;
  const odd = rows.findIndex((row) => row.length !== names.length);
  if (odd >= 0) {
    fail({
      op: "readCsv",
      expected: `${names.length} fields in each row`,
      got: `${rows[odd].length} in row ${odd + 1}`,
    });
  }
  return new Table(names, rows);
}

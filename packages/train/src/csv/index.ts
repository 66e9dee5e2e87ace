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
  /** Of the columns. */
  readonly names: readonly string[];
  /** How many rows. */
  readonly length: number;
  // All fields in one string, and where each ends: an object per field would be many times the file.
  readonly #text: string;
  readonly #ends: Uint32Array;

  /** @internal Use {@link readCsv}. */
  constructor(names: readonly string[], { text, ends }: Fields) {
    this.names = names;
    this.length = ends.length / names.length;
    this.#text = text;
    this.#ends = ends;
  }

  /** The fields of a row (from 0). */
  row(r: number): string[] {
    return this.names.map((_, c) => this.#field(r, c));
  }

  /** A column as text. */
  text(name: string): string[] {
    const at = this.#at(name);
    return Array.from({ length: this.length }, (_, r) => this.#field(r, at));
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
    for (let r = 0; r < this.length; r++) {
      for (const [c, at] of columns.entries()) {
        const field = this.#field(r, at).trim();
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

  #field(r: number, c: number): string {
    const i = r * this.names.length + c;
    return this.#text.slice(i === 0 ? 0 : this.#ends[i - 1], this.#ends[i]);
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
  let names = null as readonly string[] | null;
  let error = null as Papa.ParseError | null;
  let odd = null as string | null;
  let row = 0;
  const texts: string[] = [];
  const lengths: number[] = [];
  const take = (fields: readonly string[]) => {
    if (!names) {
      names = header ? fields.map((name) => name.trim()) : fields.map((_, i) => `${i}`);
      if (header) return;
    }
    row++;
    if (fields.length !== names.length) odd ??= `${fields.length} in row ${row}`;
    texts.push(fields.join(""));
    for (const { length } of fields) lengths.push(length);
  };
  Papa.parse<string[]>(text.replace(/^\uFEFF/, ""), {
    skipEmptyLines: true,
    ...(delimiter === undefined ? {} : { delimiter }),
    step({ data, errors }) {
      // One column needs no delimiter, so none can be found.
      error ??= errors.find(({ code }) => code !== "UndetectableDelimiter") ?? null;
      take(data);
    },
  });
  if (error) {
    fail({
      op: "readCsv",
      expected: "CSV",
      got: `${error.message}${error.row === undefined ? "" : ` in row ${error.row + 1}`}`,
    });
  }
  const known = names ?? fail({ op: "readCsv", expected: header ? "a row of names" : "rows", got: "nothing" });
  const twice = known.find((name, i) => known.indexOf(name) !== i);
  if (twice !== undefined) fail({ op: "readCsv", expected: "each name once", got: `"${twice}" twice` });
  if (odd !== null) fail({ op: "readCsv", expected: `${known.length} fields in each row`, got: odd });
  const ends = Uint32Array.from(lengths);
  for (let i = 1; i < ends.length; i++) ends[i] += ends[i - 1];
  return new Table(known, { text: texts.join(""), ends });
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

/** Fields one after the other, and where each ends. */
interface Fields {
  readonly text: string;
  readonly ends: Uint32Array;
}

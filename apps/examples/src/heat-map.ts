/** A table of numbers as a picture: an SVG file with a square per number, darker where it is greater. */
import { cell, text } from "@observablehq/plot";
import { writePlot } from "./plot.js";

export interface HeatMap {
  /** Names of the columns and rows. */
  readonly across: readonly string[];
  readonly down: readonly string[];
  /** Row by row. */
  readonly values: readonly (readonly number[])[];
  /** What stands at the axes. */
  readonly labels?: { readonly across: string; readonly down: string };
  /** Width of a column, pixels (default 34). */
  readonly column?: number;
  /** Written into the squares. */
  readonly show?: (value: number) => string;
}

/** @throws UserError where the file cannot be written */
export function heatMap(file: string, { across, down, values, labels, column = 34, show }: HeatMap): void {
  const squares = values.flatMap((row, y) => row.map((value, x) => ({ x, y, value })));
  const top = Math.max(...squares.map(({ value }) => value));
  const longest = (names: readonly string[]) => 20 + 7 * Math.max(...names.map(({ length }) => length));
  writePlot(file, {
    width: longest(down) + column * across.length,
    height: longest(across) + 24 * down.length,
    marginLeft: longest(down),
    marginTop: longest(across),
    padding: column > 10 ? 0.04 : 0,
    x: {
      axis: "top",
      domain: across.keys(),
      tickFormat: (i: number) => across[i],
      tickRotate: -60,
      tickSize: 0,
      label: labels?.across ?? null,
    },
    y: { domain: down.keys(), tickFormat: (i: number) => down[i], tickSize: 0, label: labels?.down ?? null },
    color: { scheme: "blues", domain: [0, top] },
    marks: [
      cell(squares, { x: "x", y: "y", fill: "value" }),
      ...(show
        ? [
            text(squares, {
              x: "x",
              y: "y",
              text: (d) => show(d.value),
              fill: (d) => (d.value > top / 2 ? "white" : "#333"),
            }),
          ]
        : []),
    ],
  });
}

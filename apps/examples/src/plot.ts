/** Plots as SVG files, drawn by Observable Plot in a document that is no browser's; and where such files go. */
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type PlotOptions, plot } from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { reason, UserError } from "./user-error.js";

/** @throws UserError where the file cannot be written */
export function writePlot(file: string, options: PlotOptions): void {
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const drawn = plot({ style: { background: "white" }, ...options, document });
  const svg = drawn.tagName.toLowerCase() === "svg" ? drawn : drawn.querySelector("svg")!;
  svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  try {
    writeFileSync(file, `${svg.outerHTML}\n`);
  } catch (error) {
    throw new UserError(`${file}: it could not be written (${reason(error)}). Choose another folder with --out.`);
  }
}

/** A file of this name in the folder `out`, which is made if need be, or else in a temporary one. */
export function pictureFile(out: string | null, name: string): string {
  try {
    if (out === null) return join(mkdtempSync(join(tmpdir(), "nn-example-")), name);
    mkdirSync(out, { recursive: true });
    return join(out, name);
  } catch (error) {
    throw new UserError(
      `${out ?? tmpdir()}: no folder can be made there (${reason(error)}). Choose another with --out.`,
    );
  }
}

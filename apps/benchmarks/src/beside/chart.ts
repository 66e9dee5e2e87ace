/** The chart of a side-by-side run: bars for the times of each workload, on a logarithmic scale, ours in colour. */
import { axisX, barX, gridX, plot, text } from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { best, type Column, figure } from "./table.js";

const ROW = 15;
const GAP = 10;

/** An SVG that follows the reader's light or dark scheme. */
export function chart(columns: readonly Column[], workloads: readonly string[], caption: string): string {
  // A workload that only one of them has is no comparison.
  const shared = workloads.filter((workload) => columns.filter((column) => best(column, workload)).length > 1);
  if (shared.length > 0) workloads = shared;
  const bars = workloads.flatMap((workload) =>
    columns.flatMap((column, i) => {
      const found = best(column, workload);
      return found ? [{ workload, title: column.title, ms: found.median_ms, ours: i === 0 }] : [];
    }),
  );
  const times = bars.length > 0 ? bars.map(({ ms }) => ms) : [1];
  const from = 10 ** Math.floor(Math.log10(Math.min(...times)) - 0.3);
  const to = 10 ** (Math.log10(Math.max(...times)) + 0.35); // room for the last label
  const ticks = Array.from({ length: 20 }, (_, i) => 10 ** (i - 10)).filter((ms) => ms >= from && ms <= to);
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const drawn = plot({
    document,
    width: 920,
    height: workloads.length * (columns.length * ROW + GAP) + 60,
    marginLeft: 70,
    marginRight: 190,
    marginTop: 34,
    marginBottom: 26,
    x: { type: "log", domain: [from, to], clamp: true },
    y: { domain: columns.map(({ title }) => title), label: null, padding: 0.15 },
    fy: { domain: workloads, label: null, padding: GAP / (columns.length * ROW + GAP) },
    marks: [
      gridX({ ticks, stroke: "currentColor", strokeOpacity: 0.15 }),
      axisX({
        anchor: "top",
        ticks,
        tickFormat: (ms: number) => `${ms}`,
        label: "ms per call, logarithmic; shorter is faster",
      }),
      barX(bars, {
        fy: "workload",
        y: "title",
        x1: from,
        x2: "ms",
        fill: (d) => (d.ours ? "var(--ours)" : "var(--peer)"),
      }),
      text(bars, {
        fy: "workload",
        y: "title",
        x: "ms",
        text: (d) => figure(d.ms),
        textAnchor: "start",
        dx: 4,
        fill: "currentColor",
      }),
    ],
  });
  const svg = drawn.tagName.toLowerCase() === "svg" ? drawn : drawn.querySelector("svg")!;
  svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", caption);
  svg.setAttribute("class", "chart");
  const style = document.createElement("style");
  style.textContent = STYLE;
  svg.append(style); // last: it overrides Plot's own
  return `${svg.outerHTML}\n`;
}

// ---------------------------------------------------------------------------------------------

const STYLE = `
.chart { --ours: #0969da; --peer: #afb8c1; color: #1f2328; background: #ffffff; font: 11px system-ui, sans-serif; }
.chart [aria-label^="fy-axis"] { font-weight: 600; }
@media (prefers-color-scheme: dark) {
  .chart { --ours: #4493f8; --peer: #59636e; color: #f0f6fc; background: #0d1117; }
}
`;

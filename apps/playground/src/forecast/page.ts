// The page "Forecast": a network learns a series from a table, and says what comes next.

import { indexedDBStore } from "@nn/train";
import { figure } from "../frame/backends.js";
import { Chart } from "../frame/chart.js";
import { atMostEvery, byId, h } from "../frame/dom.js";
import { choice } from "../frame/fields.js";
import { download, dropZone, readAs } from "../frame/files.js";
import { openLab } from "../frame/lab.js";
import { Learning } from "../frame/learning.js";
import type { About, Forecast, Scores } from "./worker.js";

const fields = {
  data: choice<string>(
    "Table",
    [
      ["made", "made by this page"],
      ["own", "your own CSV"],
    ],
    "made",
  ),
  column: choice<string>("Column", ["power_kw"], "power_kw", { open: true }),
  horizon: { label: "Values to foretell", range: [6, 48, 6], value: 24 },
  seen: { label: "Values it sees", range: [12, 192, 12], value: 48 },
  cell: choice<string>("Network", ["GRU", "LSTM"], "GRU"),
  hidden: choice("Units", [16, 32, 64], 32),
  lr: choice("Learning rate", [0.001, 0.003, 0.01], 0.01),
} as const;

const learning = new Learning(byId("loss"), { log: "valLoss", label: "validation", height: 190 });
const chart = new Chart(byId("chart"), {
  label: "Forecast",
  x: "row of the table",
  height: 320,
  series: [
    { label: "seen", colour: "ink", width: 1.5 },
    { label: "what came (dashed)", colour: "ink", width: 1.5, dash: true },
    { label: "naive: as one period ago", colour: "warm", width: 1.5 },
    { label: "forecast", colour: "accent", width: 2.5 },
    { label: "9 of 10 lie below", colour: "accent", width: 0.6 },
    { label: "1 of 10 lies below", colour: "accent", width: 0.6 },
  ],
  bands: [{ series: [5, 6], colour: "band" }],
});

let about: About | null = null;
let number = Number.POSITIVE_INFINITY; // of the forecast that is shown

const lab = openLab({
  page: "forecast",
  fields,
  goals: [100, 400, 1000, 3000],
  goal: 400,
  unit: "Windows",
  figures: ["Error", "Naive error"],
  lanes: () => ({ forecaster: () => new Worker(new URL("./worker.ts", import.meta.url), { type: "module" }) }),
  samples: () => 32,
  async onReady(lane, { curves, parameters }) {
    learning.begin(curves);
    about = await lane.ask<About>("about");
    if (!about) return;
    // A table that was just dropped has columns of its own; the first one told is the one that was taken.
    if (lab.settings.setOptions("column", about.columns)) return lab.restart();
    byId("about").textContent =
      `${about.rows.toLocaleString("en")} rows: the first 70 % to train on, 10 % to look at meanwhile, the last 20 % for the test. ${about.period > 1 ? `The series is most like itself ${about.period} rows later.` : "It has no period."} ${parameters.toLocaleString("en")} parameters.`;
    const slider = byId<HTMLInputElement>("which");
    slider.max = `${about.forecasts - 1}`;
    number = Math.min(number, about.forecasts - 2);
    slider.value = `${number}`;
    scores();
    show();
  },
  onEvent(event) {
    learning.add(event);
    show();
    scores();
  },
  onState: (training) => training || scores(),
});

const show = atMostEvery(150, async () => {
  const f = about && (await lab.ask<Forecast>("forecast", number));
  if (!f) return;
  const { length } = f.seen;
  const rows = Array.from({ length: length + f.median.length }, (_, i) => f.at - length + i);
  const before = [...f.seen];
  const gap = Array<null>(length - 1).fill(null);
  const after = (values: Float32Array) => [...gap, before[length - 1], ...values];
  const none = rows.map(() => null);
  chart.set([
    rows,
    [...before, ...Array<null>(f.median.length).fill(null)],
    f.truth ? after(f.truth) : none,
    after(f.naive),
    after(f.median),
    after(f.high),
    after(f.low),
  ]);
  chart.say(
    `Forecast from row ${f.at}: median from ${figure(f.median[0])} to ${figure(f.median.at(-1)!)}, 80 percent between ${figure(f.low.at(-1)!)} and ${figure(f.high.at(-1)!)} at the end`,
  );
  byId("where").textContent = f.truth
    ? `rows ${f.at} to ${f.at + f.median.length - 1}, not trained on`
    : "after the end of the table";
});

const scores = atMostEvery(700, async () => {
  const s = await lab.ask<Scores>("scores");
  if (!s) return;
  lab.figure("Error", figure(s.model));
  lab.figure("Naive error", figure(s.naive));
  const better = (than: number) => (s.model < than ? `${Math.round(100 * (1 - s.model / than))} % less` : "not better");
  const row = (name: string, error: number, versus: string) =>
    h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, figure(error)), h("td", {}, versus));
  byId("scores").replaceChildren(
    row("the network", s.model, ""),
    row("naive: as one period ago", s.naive, better(s.naive)),
    row("naive: as the last value", s.last, better(s.last)),
  );
  byId("coverage").textContent =
    `${(100 * s.coverage).toFixed(0)} % of what came lies within the intervals that promise 80 %.`;
});

byId<HTMLInputElement>("which").addEventListener("input", (event) => {
  number = Number((event.target as HTMLInputElement).value);
  show();
});
byId("export").addEventListener("click", async () => {
  const csv = await lab.ask<string>("csv");
  if (csv) download("forecast.csv", csv, "text/csv");
});

byId("settings").append(
  dropZone({
    text: "A table as CSV: names in the first row, a row per time step. It stays in this browser.",
    button: "Choose a CSV file",
    accept: ".csv,.tsv,.txt,text/csv",
    say: lab.say,
    async take([file]) {
      // Looked into before it takes the place of another; who drops nothing does not load the reader.
      const { readTable } = await import("./table.js");
      const bytes = await readAs("table", file, (bytes) => {
        readTable(bytes);
        return bytes;
      });
      await indexedDBStore("nn-playground/forecast").write("csv", bytes);
      number = Number.POSITIVE_INFINITY;
      lab.settings.set("data", "own");
      lab.settings.set("column", "");
      lab.restart();
    },
  }),
);

lab.start();

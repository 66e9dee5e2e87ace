// The page "Memory lab": RNN, GRU and LSTM side by side on tasks that only a memory solves.

import { adding, recall } from "@nn/examples/memory-tasks";
import { Chart } from "../frame/chart.js";
import { Curve } from "../frame/curve.js";
import { atMostEvery, byId, h } from "../frame/dom.js";
import { choice } from "../frame/fields.js";
import { openLab } from "../frame/lab.js";
import type { Lane } from "../frame/lane.js";
import { diverging, drawScale, drawSheet, sequential } from "../frame/pictures.js";
import { onTheme } from "../frame/theme.js";
import { CELLS, type Cell } from "./cells.js";
import type { Rows } from "./rows.js";
import type { Inside } from "./worker.js";

const fields = {
  task: choice<string>(
    "Task",
    [
      ["recall", "delayed recall"],
      ["adding", "adding problem"],
    ],
    "recall",
  ),
  steps: { label: "Length of the sequences", range: [10, 100, 10], value: 40 },
  hidden: choice("Units", [16, 32, 64], 32),
  clip: { label: "Clip gradients", help: "To a norm of 1: against explosions.", value: true },
  identity: {
    label: "RNN from the identity",
    help: "ReLU, and a state that is kept as it is at first (Le and others, 2015).",
    value: false,
  },
  biases: {
    label: "Gates that begin open",
    help: "GRU and LSTM begin with memories of all lengths (Tallec and Ollivier, 2018).",
    value: true,
  },
  gate: choice<string>(
    "Gate to look at",
    [
      ["keep", "keep (GRU z, LSTM f)"],
      ["read", "let in (GRU r, LSTM i)"],
      ["new", "candidate (GRU n, LSTM g)"],
      ["h", "the state itself"],
    ],
    "keep",
    { live: true },
  ),
} as const;

/** What a choice of the field `gate` is for each cell. */
const GATES: Readonly<Record<string, Readonly<Record<Cell, string>>>> = {
  keep: { RNN: "h", GRU: "z", LSTM: "f" },
  read: { RNN: "h", GRU: "r", LSTM: "i" },
  new: { RNN: "h", GRU: "n", LSTM: "g" },
  h: { RNN: "h", GRU: "h", LSTM: "h" },
};

/** Log₁₀ of the norms that the heat map shows. */
const [LOW, HIGH] = [-8, 0];

const places = new Map(
  CELLS.map((cell) => {
    const facts = new Map(["Parameters", "Time per step", "Score", "Verdict"].map((name) => [name, h("dd", {}, "–")]));
    const rows = [...facts].map(([name, value]) => h("div", {}, h("dt", {}, name), value));
    const canvas = (label: string) => h("canvas", { class: "crisp heat", role: "img", "aria-label": label });
    const [gradients, gates, marks] = ["Gradient norms", "Gates", "Marked steps"].map(canvas);
    const gateText = h("figcaption", {});
    byId("cells").append(
      h(
        "section",
        { class: "panel third", "aria-labelledby": `${cell}-title`, style: `--of: var(--${cell.toLowerCase()})` },
        h("h2", { id: `${cell}-title`, class: "cell-title" }, cell),
        h("dl", { class: "facts" }, ...rows),
        h("figure", {}, h("figcaption", {}, "Gradient that reaches each step; training goes down"), gradients),
        h("figure", {}, gateText, gates, marks),
      ),
    );
    return [cell, { facts, gradients, gates, marks, gateText }] as const;
  }),
);

const losses = new Map<Cell, Curve>();
const scores = new Map<Cell, Curve>();
const series = (dash = false) => CELLS.map((cell) => ({ label: cell, colour: cell.toLowerCase(), dash }));
const lossChart = new Chart(byId("loss"), {
  label: "Loss of the three networks",
  x: "step",
  series: series(),
  height: 190,
});
const scoreChart = new Chart(byId("score"), {
  label: "Score of the three networks",
  x: "step",
  percent: true,
  height: 190,
  series: series().map((s) => ({ ...s, side: "right" as const })),
});

const task = () => (lab.values.task === "adding" ? adding : recall);

const lab = openLab({
  page: "memory",
  fields,
  goals: [100, 400, 1000, 3000],
  goal: 400,
  unit: "Sequences",
  figures: [...CELLS],
  lanes: () =>
    Object.fromEntries(
      CELLS.map((cell) => [cell, () => new Worker(new URL("./worker.ts", import.meta.url), { type: "module" })]),
    ),
  samples: () => 32,
  onReady(lane, { curves, parameters }) {
    const cell = lane.name as Cell;
    losses.set(cell, Curve.from(curves["loss"]));
    scores.set(cell, new Curve());
    const { x = [], y = [] } = curves[lab.values.task === "adding" ? "valLoss" : "valAccuracy"] ?? {};
    for (const [i, step] of x.entries()) scored(cell, step, y[i]);
    places.get(cell)!.facts.get("Parameters")!.textContent = parameters.toLocaleString("en");
    if (x.length === 0) for (const name of ["Score", "Verdict"]) places.get(cell)!.facts.get(name)!.textContent = "–";
    byId("guess").textContent =
      `${task().measure[0].toUpperCase()}${task().measure.slice(1)} on 250 other sequences; guessing gives ${task().guess}.`;
    charts();
    look();
  },
  onEvent(event, lane) {
    const cell = lane.name as Cell;
    if (event.type === "step") losses.get(cell)!.add(event.step, event.loss);
    if (event.type === "epoch") {
      scored(cell, event.step, event.logs[lab.values.task === "adding" ? "valLoss" : "valAccuracy"] as number);
    }
    charts();
    look();
  },
  onSetting: () => look(),
});

/** The chart shows shares: of right answers, or of the answer's variance that is explained. */
function scored(cell: Cell, step: number, score: number): void {
  const { facts } = places.get(cell)!;
  scores.get(cell)!.add(step, task() === adding ? Math.max(0, 1 - score / Number(adding.guess)) : score);
  facts.get("Score")!.textContent = task() === adding ? score.toFixed(4) : `${(100 * score).toFixed(1)} %`;
  facts.get("Verdict")!.textContent = task().verdict(score);
  lab.figure(cell, facts.get("Score")!.textContent!);
}

const charts = atMostEvery(150, () => {
  const all = (curves: Map<Cell, Curve>) => CELLS.map((cell) => curves.get(cell) ?? new Curve());
  lossChart.join(...all(losses));
  scoreChart.join(...all(scores));
  scoreChart.say(
    `Score: ${CELLS.map((cell) => `${cell} ${places.get(cell)!.facts.get("Score")!.textContent}`).join(", ")}`,
  );
});

// ── inside ──

let sequence = 0;
byId("another").addEventListener("click", () => {
  sequence++;
  look();
});

const look = atMostEvery(300, () => Promise.all(lab.session.lanes.filter(({ hello }) => hello).map(lookAt)));
onTheme(() => look());

async function lookAt(lane: Lane): Promise<void> {
  const cell = lane.name as Cell;
  const [rows, inside, ms] = await Promise.all([
    lane.ask<Rows>("rows"),
    lane.ask<Inside>("inside", sequence),
    lane.ask<number>("milliseconds"),
  ]);
  if (!rows || !inside) return;
  const { facts, gradients, gates, marks, gateText } = places.get(cell)!;
  facts.get("Time per step")!.textContent = ms ? `${ms.toPrecision(2)} ms` : "–";

  const palette = sequential();
  const T = inside.marks.length;
  const count = Math.max(rows.at.length, 1);
  const data = Float32Array.from(rows.logs, (v) => (v - LOW) / (HIGH - LOW));
  drawSheet(gradients, {
    data: rows.at.length > 0 ? data : new Float32Array(T),
    count: 1,
    width: T,
    height: count,
    columns: 1,
    palette,
  });
  const first = rows.logs.at(-T);
  gradients.setAttribute(
    "aria-label",
    first === undefined
      ? `${cell}: no gradients yet`
      : `${cell}: at step ${rows.at.at(-1)} of training, 10 to the power of ${first.toFixed(1)} of the gradient reaches the first time step`,
  );

  const name = GATES[lab.values.gate][cell];
  const values = inside.parts[name];
  const H = inside.hidden;
  const signed = name === "h" || name === "n" || name === "g";
  const turned = Float32Array.from({ length: T * H }, (_, k) => {
    const v = values[(k % T) * H + Math.floor(k / T)];
    return signed ? (v + 1) / 2 : v;
  });
  drawSheet(gates, {
    data: turned,
    count: 1,
    width: T,
    height: H,
    columns: 1,
    palette: signed ? diverging() : palette,
  });
  const text = name === "h" ? "State h of each unit over time" : `Gate ${name} of each unit over time`;
  gateText.textContent = text;
  gates.setAttribute("aria-label", `${cell}: ${text}`);
  drawSheet(marks, { data: inside.marks, count: 1, width: T, height: 1, columns: 1, palette });
}

drawScale(byId("scale"), sequential());
onTheme(() => drawScale(byId("scale"), sequential()));
lab.start();

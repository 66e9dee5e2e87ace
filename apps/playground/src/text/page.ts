// The page "Text": networks learn to write, character by character.

import { indexedDBStore } from "@nn/train";
import { Chart } from "../frame/chart.js";
import { Curve } from "../frame/curve.js";
import { atMostEvery, byId, h } from "../frame/dom.js";
import { choice } from "../frame/fields.js";
import { dropZone, readAs } from "../frame/files.js";
import { openLab } from "../frame/lab.js";
import type { Lane } from "../frame/lane.js";
import { reason } from "../frame/reason.js";
import type { CellName } from "./worker.js";

const CELLS = ["RNN", "GRU", "LSTM"] as const;

const fields = {
  cells: choice<string>("Networks", [["all", "all three, side by side"], "GRU", "LSTM", "RNN"], "all"),
  text: choice<string>(
    "Text",
    [
      ["shakespeare", "Shakespeare"],
      ["own", "your own"],
    ],
    "shakespeare",
  ),
  hidden: choice("Units", [64, 128, 256], 128),
  length: { label: "Characters in a row", help: "As far back as the error travels.", range: [16, 96, 16], value: 48 },
  lr: choice("Learning rate", [0.001, 0.003, 0.01], 0.01),
  temperature: {
    label: "Temperature",
    help: "Low: safe and dull. High: bold and wrong.",
    range: [0.2, 1.5, 0.1],
    value: 0.7,
    live: true,
  },
} as const;

const losses = new Map<CellName, Curve>();
const chart = new Chart(byId("chart"), {
  label: "Loss of the networks",
  x: "step",
  series: CELLS.map((cell) => ({ label: cell, colour: cell.toLowerCase() })),
});

const places = new Map(
  CELLS.map((cell) => {
    const facts = new Map(["Parameters", "Characters/s", "Bits per character"].map((name) => [name, h("dd", {}, "–")]));
    const rows = [...facts].map(([name, value]) => h("div", {}, h("dt", {}, name), value));
    const written = h("div", {
      class: "written",
      tabindex: 0,
      role: "region",
      "aria-label": `What the ${cell} writes`,
    });
    const panel = h(
      "section",
      { class: "panel", "aria-labelledby": `${cell}-title`, style: `--of: var(--${cell.toLowerCase()})` },
      h("h2", { id: `${cell}-title`, class: "cell-title" }, cell),
      h("dl", { class: "facts" }, ...rows),
      h("p", { class: "soft small" }, "It writes, as it is now:"),
      written,
    );
    byId("cells").append(panel);
    return [cell, { panel, facts, written }] as const;
  }),
);

const bits = (loss: number) => `${(loss / Math.LN2).toFixed(2)}`;
const chosen = () => CELLS.filter((cell) => lab.values.cells === "all" || lab.values.cells === cell);

const lab = openLab({
  page: "text",
  fields,
  goals: [100, 300, 1000, 5000],
  goal: 300,
  unit: "Characters",
  figures: ["Bits per character"],
  lanes: ({ cells = "all" }) => {
    const names = CELLS.filter((cell) => cells === "all" || cells === cell);
    return Object.fromEntries(
      names.map((cell) => [cell, () => new Worker(new URL("./worker.ts", import.meta.url), { type: "module" })]),
    );
  },
  samples: ({ length }) => 24 * length,
  onReady(lane, { curves, parameters }) {
    const cell = lane.name as CellName;
    for (const other of CELLS) {
      const { panel } = places.get(other)!;
      panel.hidden = !chosen().includes(other);
      panel.className = `panel${chosen().length > 1 ? " third" : ""}`;
      if (panel.hidden) losses.delete(other);
    }
    losses.set(cell, Curve.from(curves["loss"]));
    const { facts, written } = places.get(cell)!;
    facts.get("Parameters")!.textContent = parameters.toLocaleString("en");
    scored(cell, curves["valLoss"]?.y.at(-1));
    written.textContent = "";
    void lane.ask<{ size: number; kinds: number }>("about").then((about) => {
      if (!about) return;
      const { size, kinds } = about;
      byId("about").textContent =
        `${size.toLocaleString("en")} characters of ${kinds} kinds; the last tenth is kept for the test. Knowing nothing costs ${Math.log2(kinds).toFixed(2)} bits per character.`;
    });
    void write(lane, 80, "\n");
    draw();
  },
  onEvent(event, lane) {
    const cell = lane.name as CellName;
    if (event.type === "step") {
      losses.get(cell)!.add(event.step, event.loss / Math.LN2);
      if (lane.secondsPerStep > 0) {
        const speed = (24 * lab.values.length) / lane.secondsPerStep;
        places.get(cell)!.facts.get("Characters/s")!.textContent = Number(speed.toPrecision(3)).toLocaleString("en");
      }
    }
    if (event.type === "epoch") scored(cell, event.logs["valLoss"] as number);
    draw();
    go();
  },
});

function scored(cell: CellName, loss: number | undefined): void {
  const text = loss === undefined ? "–" : bits(loss);
  places.get(cell)!.facts.get("Bits per character")!.textContent = text;
  const all = chosen().map((c) => places.get(c)!.facts.get("Bits per character")!.textContent);
  lab.figure("Bits per character", all.join(" · "));
}

const draw = atMostEvery(150, () => {
  chart.join(...CELLS.map((cell) => losses.get(cell) ?? new Curve()));
  chart.say(
    `Bits per character: ${chosen()
      .map((c) => `${c} ${losses.get(c)?.last?.toFixed(2) ?? "not yet"}`)
      .join(", ")}`,
  );
});

// ── writing ──

/** What each writes at last: one thing after the other. */
const writing = new WeakMap<Lane, Promise<void>>();
function write(lane: Lane, count: number, after?: string): Promise<void> {
  const next = (writing.get(lane) ?? Promise.resolve()).then(async () => {
    const { temperature } = lab.values;
    const text = await lane.ask<string>("write", { count, temperature, after });
    if (text === null) return;
    const { written } = places.get(lane.name as CellName)!;
    if (after !== undefined) written.textContent = after.trim() ? after : "";
    written.textContent = (written.textContent + text).slice(-1500);
    written.scrollTop = written.scrollHeight;
  });
  writing.set(lane, next);
  return next;
}
/** While they train, they write. */
const go = atMostEvery(250, () =>
  Promise.all(lab.session.lanes.filter(({ hello }) => hello).map((lane) => write(lane, 24))),
);
byId("write").addEventListener("click", () => {
  const start = byId<HTMLInputElement>("start").value;
  for (const lane of lab.session.lanes) void write(lane, 400, start || "\n");
});

// ── own text ──

async function use(text: string): Promise<void> {
  if (text.length < 1000) throw new Error("The text is too short: 1,000 characters are the least.");
  await indexedDBStore("nn-playground/text").write("text", new TextEncoder().encode(text));
  lab.settings.set("text", "own");
  lab.restart();
}
byId("use").addEventListener("click", () => {
  use(byId<HTMLTextAreaElement>("own-text").value).catch((error) => lab.say(reason(error), true));
});
byId("own").append(
  dropZone({
    text: "Or a text file",
    button: "Choose a text file",
    accept: ".txt,.md,.csv,text/*",
    say: lab.say,
    take: async ([file]) => use(await readAs("text", file, readText)),
  }),
);

/** @throws if it is no text */
function readText(bytes: Uint8Array): string {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    if (!text.includes("\0")) return text;
  } catch {
    // told below
  }
  throw new Error("it holds bytes that UTF-8 does not");
}

lab.start();

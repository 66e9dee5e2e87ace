// The page "Digits": a CNN learns to read digits; draw one, and look inside.

import { indexedDBStore } from "@nn/train";
import { figure } from "../frame/backends.js";
import { Chart } from "../frame/chart.js";
import { Curve } from "../frame/curve.js";
import { atMostEvery, byId, h } from "../frame/dom.js";
import { bytesOf, dropZone } from "../frame/files.js";
import { openLab } from "../frame/lab.js";
import { around0, drawSheet, ink, sequential, stretch } from "../frame/pictures.js";
import { onTheme } from "../frame/theme.js";
import { fileKey } from "./data.js";
import { STAGES } from "./net.js";
import { Pad } from "./pad.js";
import type { Look, Mistake, Picture } from "./worker.js";

const fields = {
  data: {
    label: "Digits",
    options: [
      ["drawn", "drawn by this page"],
      ["mnist", "MNIST, from your files"],
    ],
    value: "drawn",
  },
  count: {
    label: "To train on",
    options: [
      [500, "500"],
      [2000, "2,000"],
      [6000, "6,000"],
      [60000, "60,000 (MNIST)"],
    ],
    value: 2000,
  },
  channels: {
    label: "Filters",
    help: "Of the first convolution. The second has twice as many.",
    options: [
      [4, "4"],
      [8, "8"],
      [16, "16"],
    ],
    value: 8,
  },
  kernel: {
    label: "Filter size",
    options: [
      [3, "3 × 3"],
      [5, "5 × 5"],
    ],
    value: 3,
  },
  dropout: { label: "Dropout", range: [0, 0.5, 0.1], value: 0 },
  lr: {
    label: "Learning rate",
    options: [
      [0.0003, "0.0003"],
      [0.001, "0.001"],
      [0.003, "0.003"],
      [0.01, "0.01"],
    ],
    value: 0.003,
  },
  batch: {
    label: "Batch",
    options: [
      [16, "16"],
      [32, "32"],
      [64, "64"],
    ],
    value: 32,
  },
} as const;

let loss = new Curve();
let accuracy = new Curve();
const chart = new Chart(byId("chart"), {
  label: "Loss and accuracy",
  x: "step",
  percent: true,
  series: [
    { label: "loss", colour: "warm", width: 1.5 },
    { label: "right, of 1,000 others", colour: "accent", side: "right", show: (v) => `${(100 * v).toFixed(1)} %` },
  ],
});

const lab = openLab({
  page: "digits",
  fields,
  goals: [100, 300, 1000, 5000],
  goal: 300,
  unit: "Digits",
  figures: ["Loss", "Test right"],
  lanes: () => ({ cnn: () => new Worker(new URL("./worker.ts", import.meta.url), { type: "module" }) }),
  samples: ({ batch }) => batch,
  onReady(_, hello) {
    loss = Curve.from(hello.curves["loss"]);
    accuracy = Curve.from(hello.curves["valAccuracy"]);
    byId("size").textContent = `${hello.parameters.toLocaleString("en")} parameters, on ${hello.backend}.`;
    showFigures();
    look();
    mistakes();
  },
  onEvent(event) {
    if (event.type === "step") loss.add(event.step, event.loss);
    if (event.type === "epoch") {
      accuracy.add(event.step, event.logs["valAccuracy"] as number);
      mistakes();
    }
    if (event.type === "step") showFigures();
    look();
  },
});

const showFigures = atMostEvery(100, () => {
  chart.join(loss, accuracy);
  const [l, a] = [loss.last, accuracy.last];
  lab.figure("Loss", l === undefined ? "–" : l.toPrecision(3));
  lab.figure("Test right", a === undefined ? "–" : `${(100 * a).toFixed(1)} %`);
  chart.say(
    `Loss ${l?.toPrecision(3) ?? "not yet"}; ${a === undefined ? "" : `${(100 * a).toFixed(1)} % of the test digits right`}`,
  );
});

// ── draw a digit ──

const pad = new Pad(() => look());
byId("pad-place").append(pad.canvas);
const digitButtons = Array.from({ length: 10 }, (_, digit) =>
  h(
    "button",
    { type: "button", class: "digit", "aria-label": `Show an example of ${digit}`, onclick: () => pad.show(digit) },
    `${digit}`,
  ),
);
byId("pad-tools").append(
  h("button", { type: "button", id: "clear", onclick: () => pad.clear() }, "Clear"),
  ...digitButtons,
);

const bars = Array.from({ length: 10 }, (_, digit) => {
  const bar = h("i");
  const text = h("span");
  const row = h("li", {}, h("span", {}, `${digit}`), h("span", {}, bar), text);
  byId("bars").append(row);
  return { row, bar, text };
});

let last: Look | null = null;
let asking = false;
const look = atMostEvery(120, async () => {
  const [lane] = lab.session.lanes;
  if (!lane?.hello || asking) return;
  asking = true;
  last = await lane.ask<Look>("look", pad.pixels).catch(() => null);
  asking = false;
  paint();
});

// ── what it sees ──

const stages = STAGES.map(([name, what]) => {
  const canvas = h("canvas", { class: "crisp", role: "img" });
  byId("stages").append(h("figure", {}, h("figcaption", {}, what), canvas));
  return { name, what, canvas };
});

function paint(): void {
  if (!last) return;
  const { probabilities } = last;
  const top = probabilities.indexOf(Math.max(...probabilities));
  bars.forEach(({ row, bar, text }, digit) => {
    const p = probabilities[digit];
    row.classList.toggle("top", digit === top);
    bar.style.transform = `scaleX(${p})`;
    text.textContent = `${(100 * p).toFixed(p > 0.995 || p < 0.005 ? 0 : 1)} %`;
  });
  announce(`${top}, ${Math.round(100 * probabilities[top])} percent`);
  const palette = sequential();
  const sheet = (canvas: HTMLCanvasElement, picture: Picture, values: Float32Array, columns: number) => {
    const [height, width] = picture.shape.slice(-2);
    drawSheet(canvas, { data: values, count: values.length / width / height, width, height, columns, palette });
  };
  for (const { name, what, canvas } of stages) {
    const picture = last.stages[name];
    const most = picture.data.reduce((a, b) => Math.max(a, b), 1e-6);
    const count = picture.shape[1];
    sheet(
      canvas,
      picture,
      picture.data.map((v) => v / most),
      Math.min(count, count > 16 ? 16 : 8),
    );
    canvas.setAttribute("aria-label", `${what}; ${count} maps of ${picture.shape[2]} by ${picture.shape[3]}`);
  }
  const image = byId<HTMLCanvasElement>("input");
  drawSheet(image, { data: pad.pixels, count: 1, width: 28, height: 28, columns: 1, palette: ink() });
  sheet(byId("saliency"), last.saliency, stretch(last.saliency.data, 784), 1);
  byId("saliency-text").textContent = `Pixels that would move the answer “${top}” most`;
  const { filters } = last;
  sheet(byId("filters"), filters, around0(filters.data.map((v) => v - 0.5)), Math.min(8, filters.shape[0]));
}
onTheme(paint);

/** For screen readers, when the answer has been the same for a while. */
let heard = "";
let timer = 0;
function announce(text: string): void {
  if (text === heard) return;
  heard = text;
  clearTimeout(timer);
  timer = window.setTimeout(() => {
    byId("heard").textContent = `It reads ${text}.`;
  }, 800);
}

// ── where it goes wrong ──

const mistakes = atMostEvery(1500, async () => {
  const [lane] = lab.session.lanes;
  if (!lane?.hello) return;
  const said = await lane
    .ask<{ wrong: readonly Mistake[]; count: number; of: number }>("mistakes", 18)
    .catch(() => null);
  if (!said) return;
  byId("mistakes-text").textContent =
    `${figure(said.count)} of ${figure(said.of)} test digits are read wrong. Here are those it is surest of; press one to put it on the pad.`;
  byId("mistakes").replaceChildren(
    ...said.wrong.map(({ pixels, label, said, probability }) => {
      const canvas = h("canvas", { class: "crisp" });
      drawSheet(canvas, { data: pixels, count: 1, width: 28, height: 28, columns: 1, palette: ink() });
      const text = `${label} → ${said}, ${Math.round(100 * probability)} % sure: put it on the pad`;
      const show = () => pad.showPixels(pixels);
      return h(
        "button",
        { type: "button", title: text, "aria-label": text, onclick: show },
        canvas,
        `${label} → ${said}`,
      );
    }),
  );
});

// ── MNIST ──

byId("settings").append(
  dropZone({
    text: "MNIST: its four files, as they come (.gz). They stay in this browser.",
    button: "Choose MNIST files",
    accept: ".gz,.idx3-ubyte,.idx1-ubyte,application/gzip",
    multiple: true,
    async take(files) {
      const store = indexedDBStore("nn-playground/digits");
      const known = files.filter(({ name }) => fileKey(name));
      if (known.length === 0)
        return lab.say("These are not MNIST's files: train-images-idx3-ubyte.gz and so on.", true);
      for (const file of known) await store.write(fileKey(file.name)!, await bytesOf(file));
      lab.settings.set("data", "mnist");
      lab.restart();
    },
  }),
);

// ── own things ──

const own = byId<HTMLDetailsElement>("own");
own.addEventListener("toggle", async () => (await import("./own-page.js")).openOwn(byId("own-place")), { once: true });

pad.show(3);
lab.start();

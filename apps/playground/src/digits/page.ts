// The page "Digits": a CNN learns to read digits; draw one, and look inside.

import { byId } from "../frame/dom.js";
import { choice } from "../frame/fields.js";
import { openLab } from "../frame/lab.js";
import { Learning } from "../frame/learning.js";
import { openDrawing } from "./drawing.js";
import { openMistakes } from "./mistakes.js";
import { mnistFiles } from "./mnist-files.js";

const fields = {
  data: choice<string>(
    "Digits",
    [
      ["drawn", "drawn by this page"],
      ["mnist", "MNIST, from your files"],
    ],
    "drawn",
  ),
  count: choice("To train on", [500, 2000, 6000, [60000, "60,000 (MNIST)"]], 2000),
  channels: choice("Filters", [4, 8, 16], 8, { help: "Of the first convolution. The second has twice as many." }),
  kernel: choice(
    "Filter size",
    [
      [3, "3 × 3"],
      [5, "5 × 5"],
    ],
    3,
  ),
  dropout: { label: "Dropout", range: [0, 0.5, 0.1], value: 0 },
  lr: choice("Learning rate", [0.0003, 0.001, 0.003, 0.01], 0.003),
  batch: choice("Batch", [16, 32, 64], 32),
} as const;

const learning = new Learning(byId("chart"), {
  log: "valAccuracy",
  label: "right, of 1,000 others",
  drawn(loss, right) {
    lab.figure("Loss", loss);
    lab.figure("Test right", right === undefined ? "–" : `${(100 * right).toFixed(1)} %`);
  },
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
  onReady(_, { curves, parameters, backend }) {
    learning.begin(curves);
    byId("size").textContent = `${parameters.toLocaleString("en")} parameters, on ${backend}.`;
    drawing.look();
    mistakes();
  },
  onEvent(event) {
    learning.add(event);
    if (event.type === "epoch") mistakes();
    drawing.look();
  },
});

const drawing = openDrawing(lab);
const mistakes = openMistakes(lab, drawing.pad);

byId("settings").append(
  mnistFiles(lab, () => {
    lab.settings.set("data", "mnist");
    lab.restart();
  }),
);

// What is behind the page is loaded when somebody wants it.
const own = byId<HTMLDetailsElement>("own");
own.addEventListener("toggle", async () => (await import("./own-page.js")).openOwn(byId("own-place")), { once: true });

drawing.pad.show(3);
lab.start();

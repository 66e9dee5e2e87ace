// The page "Sound": a GRU learns to tell words apart, and listens live.

import { atMostEvery, byId } from "../frame/dom.js";
import { choice } from "../frame/fields.js";
import { openLab } from "../frame/lab.js";
import { Learning } from "../frame/learning.js";
import { openExample } from "./example.js";
import { openLive } from "./live.js";
import { openOwnWords } from "./own-words.js";

const fields = {
  data: choice<string>(
    "Sounds",
    [
      ["made", "made by this page"],
      ["own", "your own words"],
    ],
    "made",
  ),
  hidden: choice("Units", [24, 48, 96], 48),
  noise: { label: "Noise", help: "How much hiss the words stand in.", range: [0, 2, 0.25], value: 0.5 },
  lr: choice("Learning rate", [0.001, 0.003, 0.01], 0.01),
} as const;

const learning = new Learning(byId("chart"), {
  log: "valAccuracy",
  label: "frames right, of 60 others",
  height: 190,
  drawn: (loss) => lab.figure("Loss", loss),
});

const lab = openLab({
  page: "sound",
  fields,
  goals: [50, 150, 400, 1000],
  goal: 150,
  unit: "Sounds",
  figures: ["Loss", "Words right"],
  lanes: () => ({ listener: () => new Worker(new URL("./worker.ts", import.meta.url), { type: "module" }) }),
  samples: () => 16,
  async onReady(lane, { curves, parameters, backend }) {
    learning.begin(curves);
    const words = await lane.ask<string[]>("words");
    if (!words) return;
    byId("about").textContent =
      `${parameters.toLocaleString("en")} parameters, on ${backend}. Words: ${words.join(", ")}.`;
    example.begin(words);
    live.begin(words);
    score();
  },
  onEvent(event) {
    learning.add(event);
    if (event.type === "epoch") score();
    example.show();
    live.learn();
  },
  onState: (training) => training || score(),
});

const score = atMostEvery(600, async () => {
  const right = await lab.ask<number>("score");
  if (right !== null) lab.figure("Words right", `${(100 * right).toFixed(1)} %`);
});

const live = openLive(lab);
const example = openExample(lab, live.play);
openOwnWords(lab, () => {
  lab.settings.set("data", "own");
  lab.restart();
});

lab.start();

// The page "Sound": a GRU learns to tell words apart, and listens live.

import { indexedDBStore, readWav } from "@nn/train";
import { Chart } from "../frame/chart.js";
import { Curve } from "../frame/curve.js";
import { atMostEvery, byId, h, oncePerFrame, reason } from "../frame/dom.js";
import { bytesOf, dropZone } from "../frame/files.js";
import { openLab } from "../frame/lab.js";
import { drawSheet, sequential } from "../frame/pictures.js";
import { onTheme } from "../frame/theme.js";
import type { Recording } from "./examples.js";
import { BANDS, FRAMES, RATE, resampler } from "./features.js";
import { LiveEar, record } from "./live.js";
import { readRecordings, writeRecordings } from "./recordings.js";
import type { Heard } from "./worker.js";
import type { Live } from "./worklet.js";

const fields = {
  data: {
    label: "Sounds",
    options: [
      ["made", "made by this page"],
      ["own", "your own words"],
    ],
    value: "made",
  },
  hidden: {
    label: "Units",
    options: [
      [24, "24"],
      [48, "48"],
      [96, "96"],
    ],
    value: 48,
  },
  noise: { label: "Noise", help: "How much hiss the words stand in.", range: [0, 2, 0.25], value: 0.5 },
  lr: {
    label: "Learning rate",
    options: [
      [0.001, "0.001"],
      [0.003, "0.003"],
      [0.01, "0.01"],
    ],
    value: 0.01,
  },
} as const;

let loss = new Curve();
let frames = new Curve();
const chart = new Chart(byId("chart"), {
  label: "Loss and accuracy",
  x: "step",
  percent: true,
  height: 190,
  series: [
    { label: "loss", colour: "warm", width: 1.5 },
    { label: "frames right, of 60 others", colour: "accent", side: "right" },
  ],
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
    loss = Curve.from(curves["loss"]);
    frames = Curve.from(curves["valAccuracy"]);
    words = await lane.ask<string[]>("words");
    byId("about").textContent =
      `${parameters.toLocaleString("en")} parameters, on ${backend}. Words: ${words.join(", ")}.`;
    draw();
    show();
    score();
    roll();
    teachEar();
  },
  onEvent(event) {
    if (event.type === "step") loss.add(event.step, event.loss);
    if (event.type === "epoch") {
      frames.add(event.step, event.logs["valAccuracy"] as number);
      score();
    }
    draw();
    show();
    teachEar();
  },
  onState: (training) => training || score(),
});

let words: readonly string[] = [];

const draw = atMostEvery(150, () => {
  chart.join(loss, frames);
  lab.figure("Loss", loss.last?.toPrecision(3) ?? "–");
  chart.say(
    `Loss ${loss.last?.toPrecision(3) ?? "not yet"}, frames right ${((frames.last ?? 0) * 100).toFixed(0)} percent`,
  );
});

const score = atMostEvery(600, async () => {
  const [lane] = lab.session.lanes;
  if (!lane?.hello) return;
  const right = await lane.ask<number>("score").catch(() => null);
  if (right !== null) lab.figure("Words right", `${(100 * right).toFixed(1)} %`);
});

// ── one sound, and how it is heard ──

let example = 0;
let heard: Heard | null = null;
let asking = false;
const show = atMostEvery(200, async () => {
  const [lane] = lab.session.lanes;
  if (!lane?.hello || asking) return;
  asking = true;
  heard = await lane.ask<Heard>("example", example).catch(() => null);
  asking = false;
  paint();
});

/** Mel frames (T, BANDS) with low bands at the bottom, and below it a row per word. */
function picture(
  mel: HTMLCanvasElement,
  rows: HTMLCanvasElement,
  data: ArrayLike<number>,
  probabilities: ArrayLike<number>,
  T: number,
): void {
  const palette = sequential();
  const turned = Float32Array.from({ length: T * BANDS }, (_, k) => {
    const [band, t] = [BANDS - 1 - Math.floor(k / T), k % T];
    return (data[t * BANDS + band] + 0.6) / 2.4;
  });
  drawSheet(mel, { data: turned, count: 1, width: T, height: BANDS, columns: 1, palette });
  const n = words.length;
  const said = Float32Array.from(
    { length: n * T },
    (_, k) => probabilities[(k % T) * (n + 1) + 1 + Math.floor(k / T)] ?? 0,
  );
  drawSheet(rows, { data: said, count: n, width: T, height: 1, columns: 1, palette, gap: 0 });
}

function label(list: HTMLElement): void {
  if (list.textContent !== words.join("")) list.replaceChildren(...words.map((word) => h("li", {}, word)));
}

function paint(): void {
  if (!heard) return;
  picture(byId("mel"), byId("said-rows"), heard.frames, heard.probabilities, FRAMES);
  label(byId("words-1"));
  const n = words.length + 1;
  const sums = words.map((_, w) => {
    let sum = 0;
    for (let t = 0; t < FRAMES; t++) sum += heard!.probabilities[t * n + 1 + w];
    return sum;
  });
  const answer = words[sums.indexOf(Math.max(...sums))];
  byId("answer").textContent = `It was “${heard.word}”; it hears “${answer}”.`;
  byId("mel").setAttribute("aria-label", `Log-mel picture of “${heard.word}”: time to the right, pitch upwards`);
  byId("said-rows").setAttribute("aria-label", `What it hears over time: mostly “${answer}”`);
}
onTheme(paint);

byId("next").addEventListener("click", () => {
  example++;
  show();
});
byId("play").addEventListener("click", () => heard && void listen().then((ear) => ear.play(heard!.sound, RATE)));

// ── live ──

const LENGTH = 300; // frames that are shown: three seconds
const rolling = { mel: new Float32Array(LENGTH * BANDS).fill(-1.2), said: [] as number[] };
let ear: LiveEar | null = null;

/** The live recogniser; only after somebody pressed something, as browsers want it. */
async function listen(): Promise<LiveEar> {
  if (!ear) {
    ear = new LiveEar(take, (why) => lab.say(why, true));
    document.documentElement.dataset["ear"] = "open";
    await sendWeights();
  }
  return ear;
}
async function sendWeights(): Promise<void> {
  const [lane] = lab.session.lanes;
  if (ear && lane?.hello) await ear.learn(await lane.ask("trained"));
}
const teachEar = atMostEvery(1000, () => void sendWeights().catch(() => {}));

/** A word counts when it was likelier than not for a tenth of a second; then there is a pause. */
let [streak, candidate, silentUntil] = [0, 0, 0];
function take({ frames, probabilities }: Live): void {
  const count = frames.length / BANDS;
  rolling.mel.copyWithin(0, frames.length);
  rolling.mel.set(frames, rolling.mel.length - frames.length);
  const n = words.length + 1;
  const fits = probabilities.length === count * n;
  rolling.said.push(...(fits ? probabilities : new Float32Array(count * n)));
  rolling.said.splice(0, Math.max(0, rolling.said.length - LENGTH * n));
  for (let t = 0; fits && t < count; t++) {
    const own = probabilities.subarray(t * n, (t + 1) * n);
    const top = own.indexOf(Math.max(...own));
    streak = top > 0 && top === candidate && own[top] > 0.5 ? streak + 1 : 0;
    candidate = top;
    if (streak === 10 && performance.now() > silentUntil) {
      silentUntil = performance.now() + 400;
      const items = byId("heard-words");
      items.prepend(h("li", {}, words[top - 1]));
      while (items.children.length > 8) items.lastChild!.remove();
    }
  }
  roll();
}
const roll = oncePerFrame(() => {
  const n = words.length + 1;
  const missing = LENGTH * n - rolling.said.length;
  picture(
    byId("live-mel"),
    byId("live-rows"),
    rolling.mel,
    [...new Float32Array(Math.max(0, missing)), ...rolling.said],
    LENGTH,
  );
  label(byId("words-2"));
});
onTheme(roll);

const microphone = byId<HTMLButtonElement>("microphone");
microphone.addEventListener("click", async () => {
  try {
    const live = await listen();
    await live.microphone(!live.listening);
    microphone.setAttribute("aria-pressed", `${live.listening}`);
    microphone.textContent = live.listening ? "Stop listening" : "Listen to the microphone";
  } catch (error) {
    lab.say(`The microphone cannot be used: ${reason(error)}`, true);
  }
});
byId("play-some").addEventListener("click", async () => {
  const [lane] = lab.session.lanes;
  if (!lane?.hello) return;
  const live = await listen();
  for (let i = 0; i < 4; i++) {
    const { sound } = await lane.ask<Heard>("example", Math.floor(60 * Math.random()));
    await live.play(sound, RATE);
  }
});

// ── own words ──

const store = indexedDBStore("nn-playground/sound");
const showOwn = async () => {
  const counts = new Map<string, number>();
  for (const { word } of await readRecordings(store)) counts.set(word, (counts.get(word) ?? 0) + 1);
  byId("own-count").textContent = [...counts].map(([word, n]) => `${word}: ${n}`).join(", ") || "None yet.";
};
const add = async (more: readonly Recording[]) => {
  await writeRecordings(store, [...(await readRecordings(store)), ...more]);
  await showOwn();
};
byId("record").addEventListener("click", async () => {
  const word = byId<HTMLInputElement>("word").value.trim();
  if (!word) return lab.say("Which word is it? Write it into the field first.", true);
  try {
    byId("record").textContent = "Speak …";
    const { samples, rate } = await record(1.5);
    await add([{ word, samples: Float32Array.from(resampler(rate)(samples)) }]);
    lab.say(`Recorded “${word}”. Five of each word are a beginning.`);
  } catch (error) {
    lab.say(`Recording failed: ${reason(error)}`, true);
  }
  byId("record").textContent = "Record it";
});
byId("learn-own").addEventListener("click", () => {
  lab.settings.set("data", "own");
  lab.restart();
});
byId("forget").addEventListener("click", async () => {
  await store.remove("recordings");
  await showOwn();
});
byId("own").append(
  dropZone({
    text: "WAV files, named after their words: yes_1.wav, no_2.wav (what stands before the first _ is the word). They stay in this browser.",
    button: "Choose WAV files",
    accept: ".wav,audio/wav",
    multiple: true,
    async take(files) {
      const read = async (file: File): Promise<Recording> => {
        const { sampleRate, channels } = readWav(await bytesOf(file));
        return { word: file.name.split(/[_.]/)[0], samples: Float32Array.from(resampler(sampleRate)(channels[0])) };
      };
      try {
        await add(await Promise.all(files.slice(0, 600).map(read)));
        lab.settings.set("data", "own");
        lab.restart();
      } catch (error) {
        lab.say(reason(error), true);
      }
    },
  }),
);
void showOwn();

lab.start();

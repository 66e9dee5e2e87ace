// "A sound it was not trained on": one of the test, and how it is heard.

import { atMostEvery, byId } from "../frame/dom.js";
import type { Bench } from "../frame/lab.js";
import { onTheme } from "../frame/theme.js";
import { decide } from "./decide.js";
import { drawHeard, type Places } from "./heard.js";
import type { Heard } from "./worker.js";

/** @param play lets it be heard */
export function openExample(lab: Bench, play: (sound: Float32Array) => unknown) {
  const places: Places = { mel: byId("mel"), rows: byId("said-rows"), names: byId("words-1") };
  let words: readonly string[] = [];
  let number = 0;
  let heard: Heard | null = null;
  const paint = () => {
    if (!heard) return;
    drawHeard(places, words, heard.frames, heard.probabilities);
    const answer = words[decide(heard.probabilities, words.length)];
    byId("answer").textContent = `It was “${heard.word}”; it hears “${answer}”.`;
    places.mel.setAttribute("aria-label", `Log-mel picture of “${heard.word}”: time to the right, pitch upwards`);
    places.rows.setAttribute("aria-label", `What it hears over time: mostly “${answer}”`);
  };
  onTheme(paint);
  const show = atMostEvery(200, async () => {
    heard = (await lab.ask<Heard>("example", number)) ?? heard;
    paint();
  });
  byId("next").addEventListener("click", () => {
    number++;
    show();
  });
  byId("play").addEventListener("click", () => heard && play(heard.sound));
  return {
    show,
    /** With a network for these words. */
    begin(its: readonly string[]) {
      words = its;
      heard = null;
      show();
    },
  };
}

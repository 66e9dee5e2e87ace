// "Where it goes wrong": the test digits that are read wrong, those first that the network is surest of.

import { figure } from "../frame/backends.js";
import { atMostEvery, byId, h } from "../frame/dom.js";
import type { Bench } from "../frame/lab.js";
import { drawSheet, ink } from "../frame/pictures.js";
import { onTheme } from "../frame/theme.js";
import type { Pad } from "./pad.js";
import type { Mistakes } from "./worker.js";

const SHOWN = 18;

/** What comes back looks again. */
export function openMistakes(lab: Bench, pad: Pad): () => void {
  let last: Mistakes | null = null;
  const paint = () => {
    if (!last) return;
    byId("mistakes-text").textContent =
      `${figure(last.count)} of ${figure(last.of)} test digits are read wrong. Here are those it is surest of; press one to put it on the pad.`;
    byId("mistakes").replaceChildren(
      ...last.wrong.map(({ pixels, label, said, probability }) => {
        const canvas = h("canvas", { class: "crisp" });
        drawSheet(canvas, { data: pixels, count: 1, width: 28, height: 28, columns: 1, palette: ink() });
        const text = `${label} → ${said}, ${Math.round(100 * probability)} % sure: put it on the pad`;
        return h(
          "button",
          { type: "button", title: text, "aria-label": text, onclick: () => pad.showPixels(pixels) },
          canvas,
          `${label} → ${said}`,
        );
      }),
    );
  };
  onTheme(paint);
  return atMostEvery(1500, async () => {
    last = (await lab.ask<Mistakes>("mistakes", SHOWN)) ?? last;
    paint();
  });
}

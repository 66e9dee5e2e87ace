// "Draw a digit" and "Inside": the pad, what the network reads on it, and what every stage makes of it.

import { atMostEvery, byId, h } from "../frame/dom.js";
import type { Bench } from "../frame/lab.js";
import { around0, drawSheet, ink, sequential, stretch } from "../frame/pictures.js";
import { onTheme } from "../frame/theme.js";
import { STAGES } from "./net.js";
import { Pad } from "./pad.js";
import type { Look, Picture } from "./worker.js";

/** `look` asks the network again. */
export function openDrawing(lab: Bench): { pad: Pad; look(): void } {
  const look = atMostEvery(120, async () => {
    const pixels = pad.pixels;
    const seen = await lab.ask<Look>("look", pixels);
    if (!seen) return;
    last = { seen, pixels };
    paint();
  });
  let last: { readonly seen: Look; readonly pixels: Float32Array } | null = null;

  const pad = new Pad(look);
  byId("pad-place").append(pad.canvas);
  byId("pad-tools").append(
    h("button", { type: "button", id: "clear", onclick: () => pad.clear() }, "Clear"),
    ...Array.from({ length: 10 }, (_, digit) => {
      const label = `Show an example of ${digit}`;
      const onclick = () => pad.show(digit);
      return h("button", { type: "button", class: "digit", "aria-label": label, onclick }, `${digit}`);
    }),
  );
  const bars = Array.from({ length: 10 }, (_, digit) => {
    const bar = h("i");
    const text = h("span");
    const row = h("li", {}, h("span", {}, `${digit}`), h("span", {}, bar), text);
    byId("bars").append(row);
    return { row, bar, text };
  });
  const stages = STAGES.map(([name, what]) => {
    const canvas = h("canvas", { class: "crisp", role: "img" });
    byId("stages").append(h("figure", {}, h("figcaption", {}, what), canvas));
    return { name, what, canvas };
  });
  const announce = announcer();

  const paint = () => {
    if (!last) return;
    const { probabilities, saliency, filters } = last.seen;
    const top = probabilities.indexOf(Math.max(...probabilities));
    bars.forEach(({ row, bar, text }, digit) => {
      const p = probabilities[digit];
      row.classList.toggle("top", digit === top);
      bar.style.transform = `scaleX(${p})`;
      text.textContent = `${(100 * p).toFixed(p > 0.995 || p < 0.005 ? 0 : 1)} %`;
    });
    announce(`It reads ${top}, ${Math.round(100 * probabilities[top])} percent.`);
    for (const { name, what, canvas } of stages) {
      const { shape, data } = last.seen.stages[name];
      const most = data.reduce((a, b) => Math.max(a, b), 1e-6);
      const [, count, height, width] = shape;
      sheet(canvas, { shape, data: data.map((v) => v / most) }, Math.min(count, count > 16 ? 16 : 8));
      canvas.setAttribute("aria-label", `${what}; ${count} maps of ${height} by ${width}`);
    }
    const given = { data: last.pixels, count: 1, width: 28, height: 28, columns: 1, palette: ink() };
    drawSheet(byId<HTMLCanvasElement>("input"), given);
    sheet(byId("saliency"), { ...saliency, data: stretch(saliency.data, 784) }, 1);
    byId("saliency-text").textContent = `Pixels that would move the answer “${top}” most`;
    const centred = { ...filters, data: around0(filters.data.map((v) => v - 0.5)) };
    sheet(byId("filters"), centred, Math.min(8, filters.shape[0]));
  };
  onTheme(paint);
  return { pad, look };
}

function sheet(canvas: HTMLCanvasElement, { shape, data }: Picture, columns: number): void {
  const [height, width] = shape.slice(-2);
  drawSheet(canvas, { data, count: data.length / width / height, width, height, columns, palette: sequential() });
}

/** For screen readers, when the answer has been the same for a while. */
function announcer(): (text: string) => void {
  let heard = "";
  let timer = 0;
  return (text) => {
    if (text === heard) return;
    heard = text;
    clearTimeout(timer);
    timer = window.setTimeout(() => {
      byId("heard").textContent = text;
    }, 800);
  };
}

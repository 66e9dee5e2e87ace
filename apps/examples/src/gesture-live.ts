/** A network that decides at every step at work on one activity after the other, and a plot of what it believes. */
import { stream } from "@nn/recurrent";
import type { Module } from "@nn/tensor";
import { lineY, ruleX, text } from "@observablehq/plot";
import type { Dataset } from "./dataset.js";
import { writePlot } from "./plot.js";

/** Draws what the network believes, step by step, while one activity follows on the other; returns how long a step took, µs. */
export function watch(
  file: string,
  model: Module,
  series: Float32Array,
  test: Dataset,
  classes: readonly string[],
): number {
  const [sensors, length] = test.shape;
  const live = stream(model);
  const points: { step: number; name: string; probability: number }[] = [];
  const shown = classes.map((_, label) => test.labels.indexOf(label));
  let time = 0;
  for (const [part, sample] of shown.entries()) {
    for (let t = 0; t < length; t++) {
      const at = (sample * length + t) * sensors;
      const start = performance.now();
      const logits = live.step(series.subarray(at, at + sensors));
      time += performance.now() - start;
      const sum = logits.reduce((s, logit) => s + Math.exp(logit), 0);
      classes.forEach((name, label) => {
        points.push({ step: part * length + t, name, probability: Math.exp(logits[label]) / sum });
      });
    }
  }
  live.dispose();
  writePlot(file, {
    width: 760,
    height: 260,
    marginTop: 32,
    color: { domain: classes },
    x: { label: "step" },
    y: { label: "probability", domain: [0, 1], grid: true },
    marks: [
      ruleX(classes.keys(), { x: (part: number) => part * length, stroke: "#999" }),
      lineY(points, { x: "step", y: "probability", stroke: "name", strokeWidth: 2 }),
      text(classes, {
        x: (_, part) => (part + 0.5) * length,
        y: 1,
        dy: -14,
        text: (name) => name,
        fill: (name) => name,
      }),
    ],
  });
  return (1000 * time) / (shown.length * length);
}

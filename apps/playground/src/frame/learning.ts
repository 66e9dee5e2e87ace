// How a run learns: a chart of its loss by step, and of what the test says after each epoch.

import type { WorkerEvent } from "@nn/train";
import { Chart, type Series } from "./chart.js";
import { Curve, type CurveData } from "./curve.js";
import { atMostEvery } from "./dom.js";

export interface LearningOptions {
  /** What is drawn besides the loss: its name in the logs, and in the chart. */
  readonly log: "valAccuracy" | "valLoss";
  readonly label: string;
  readonly height?: number;
  /** Whenever it is drawn; undefined is not known yet. */
  drawn?(loss: string, tested: number | undefined): void;
}

const percent = (v: number) => `${(100 * v).toFixed(1)} %`;

export class Learning {
  #loss = new Curve();
  #tested = new Curve();
  readonly #options: LearningOptions;
  readonly #chart: Chart;
  readonly #draw: () => void;

  constructor(place: HTMLElement, options: LearningOptions) {
    this.#options = options;
    const { log, label, height, drawn } = options;
    const share = log === "valAccuracy";
    const tested: Series = { label, colour: "accent", ...(share ? { side: "right", show: percent } : {}) };
    this.#chart = new Chart(place, {
      label: `Loss, and ${label}`,
      x: "step",
      percent: share,
      ...(height ? { height } : {}),
      series: [{ label: "loss", colour: "warm", width: 1.5 }, tested],
    });
    this.#draw = atMostEvery(100, () => {
      this.#chart.join(this.#loss, this.#tested);
      const [loss, last] = [this.#loss.last?.toPrecision(3), this.#tested.last];
      this.#chart.say(
        `Loss ${loss ?? "not yet"}; ${label}: ${last === undefined ? "not yet" : share ? percent(last) : last.toPrecision(3)}`,
      );
      drawn?.(loss ?? "–", last);
    });
  }

  /** Curves of what was before. */
  begin(curves: Readonly<Record<string, CurveData>>): void {
    this.#loss = Curve.from(curves["loss"]);
    this.#tested = Curve.from(curves[this.#options.log]);
    this.#draw();
  }

  add(event: WorkerEvent): void {
    if (event.type === "step") this.#loss.add(event.step, event.loss);
    if (event.type === "epoch") this.#tested.add(event.step, event.logs[this.#options.log] as number);
    this.#draw();
  }
}

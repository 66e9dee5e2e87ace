// Line charts: uPlot in the colours of the page, drawn anew when those change.

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { colour, oncePerFrame } from "./dom.js";
import { onTheme } from "./theme.js";

export interface Series {
  readonly label: string;
  /** Name of a colour of the style sheet. */
  readonly colour: string;
  /** Where it is drawn: by the numbers on the left (default), or those on the right. */
  readonly side?: "left" | "right";
  readonly dash?: boolean;
  readonly width?: number;
  readonly show?: (value: number) => string;
}

export interface ChartOptions {
  /** What it shows, for those who cannot see it. */
  readonly label: string;
  readonly x: string;
  readonly series: readonly Series[];
  /** Whether the left axis is logarithmic. */
  readonly log?: boolean;
  /** The right axis goes from 0 to 1, in percent. */
  readonly percent?: boolean;
  readonly height?: number;
  /** Fills between two series, by their numbers from 1. */
  readonly bands?: readonly { readonly series: readonly [number, number]; readonly colour: string }[];
}

/** Whether there is but one value, which no line shows. */
const isAlone = (values: Points[number] | undefined): boolean =>
  values?.filter((v) => v !== null && v !== undefined).length === 1;

/** A value per series and place; null is a gap. */
export type Points = readonly (readonly number[] | readonly (number | null)[])[];

export class Chart {
  readonly #place: HTMLElement;
  readonly #options: ChartOptions;
  #data: Points;
  #plot: uPlot | null = null;
  readonly #draw = oncePerFrame(() => this.#plot?.setData(this.#data as uPlot.AlignedData));

  constructor(place: HTMLElement, options: ChartOptions) {
    this.#place = place;
    this.#options = options;
    this.#data = [[], ...options.series.map(() => [])];
    place.classList.add("chart");
    place.setAttribute("role", "img");
    place.setAttribute("aria-label", options.label);
    this.#make();
    onTheme(() => this.#make());
    new ResizeObserver(() => this.#fit()).observe(place);
  }

  /** x, then a list per series. */
  set(points: Points): void {
    this.#data = points;
    this.#draw();
  }

  /** Series whose x differ, put together. */
  join(...curves: readonly { readonly x: readonly number[]; readonly y: readonly number[] }[]): void {
    const tables = curves.map(({ x, y }) => [x, y] as unknown as uPlot.AlignedData);
    this.set(uPlot.join(tables) as unknown as Points);
  }

  /** What it shows, in words. */
  say(label: string): void {
    this.#place.setAttribute("aria-label", label);
  }

  #fit(): void {
    const width = this.#place.clientWidth;
    if (width > 0 && this.#plot && this.#plot.width !== width) this.#plot.setSize({ width, height: this.#height });
  }

  get #height(): number {
    return this.#options.height ?? 220;
  }

  #make(): void {
    this.#plot?.destroy();
    const { series, log, percent, bands, x } = this.#options;
    const axis = {
      stroke: colour("soft"),
      grid: { stroke: colour("line"), width: 1 },
      ticks: { show: false },
      font: "12px system-ui, sans-serif",
    };
    const right = series.some(({ side }) => side === "right");
    const options: uPlot.Options = {
      width: this.#place.clientWidth || 300,
      height: this.#height,
      cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false } },
      legend: { live: false },
      scales: {
        x: { time: false },
        y: { distr: log ? 3 : 1 },
        ...(right ? { right: percent ? { range: [0, 1] } : {} } : {}),
      },
      axes: [
        { ...axis, size: 32, label: x, labelSize: 18, labelFont: "12px system-ui, sans-serif" },
        { ...axis, size: 52 },
        ...(right
          ? [
              {
                ...axis,
                scale: "right",
                side: 1 as const,
                grid: { show: false },
                size: 46,
                ...(percent ? { values: (_: uPlot, v: number[]) => v.map((p) => `${Math.round(100 * p)} %`) } : {}),
              },
            ]
          : []),
      ],
      series: [
        { label: x },
        ...series.map(({ label, colour: name, side, dash, width, show }) => ({
          label,
          stroke: colour(name),
          width: width ?? 2,
          scale: side === "right" ? "right" : "y",
          spanGaps: true,
          points: { show: (_: uPlot, i: number) => isAlone(this.#data[i]), size: 7, fill: colour(name) },
          ...(dash ? { dash: [5, 4] } : {}),
          value: (_: uPlot, v: number | null) =>
            v === null || v === undefined ? "–" : (show ?? ((n) => n.toPrecision(3)))(v),
        })),
      ],
      ...(bands
        ? { bands: bands.map((b) => ({ series: [...b.series] as [number, number], fill: colour(b.colour) })) }
        : {}),
    };
    this.#plot = new uPlot(options, this.#data as uPlot.AlignedData, this.#place);
  }
}

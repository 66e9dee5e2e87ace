// How a sound was heard, as a picture: mel frames, low bands at the bottom, and below them a row per word.

import { h } from "../frame/dom.js";
import { drawSheet, sequential } from "../frame/pictures.js";
import { BANDS } from "./features.js";

export interface Places {
  readonly mel: HTMLCanvasElement;
  readonly rows: HTMLCanvasElement;
  /** Names of the rows. */
  readonly names: HTMLElement;
}

/** @param frames (T, BANDS); probabilities (T, 1 + words) */
export function drawHeard(
  { mel, rows, names }: Places,
  words: readonly string[],
  frames: ArrayLike<number>,
  probabilities: ArrayLike<number>,
): void {
  const palette = sequential();
  const T = frames.length / BANDS;
  const turned = Float32Array.from({ length: T * BANDS }, (_, k) => {
    const [band, t] = [BANDS - 1 - Math.floor(k / T), k % T];
    return (frames[t * BANDS + band] + 0.6) / 2.4;
  });
  drawSheet(mel, { data: turned, count: 1, width: T, height: BANDS, columns: 1, palette });
  const n = words.length;
  const said = Float32Array.from(
    { length: n * T },
    (_, k) => probabilities[(k % T) * (n + 1) + 1 + Math.floor(k / T)] ?? 0,
  );
  drawSheet(rows, { data: said, count: n, width: T, height: 1, columns: 1, palette, gap: 0 });
  if (names.textContent !== words.join("")) names.replaceChildren(...words.map((word) => h("li", {}, word)));
}

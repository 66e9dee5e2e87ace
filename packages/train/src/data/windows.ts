// Windows over series: what came before, and what came next.

import { fail, tensor } from "@nn/tensor";
import { checkWhole } from "../check.js";
import { range } from "../random.js";
import type { Dataset } from "./dataset.js";
import { countRows, type RowRange, type Rows, Scaler } from "./scaler.js";

/** Options of {@link windows}. */
export interface WindowOptions extends RowRange {
  /** Time steps that a model sees. */
  readonly inputLength: number;
  /** Time steps after those that it is to say. */
  readonly horizon: number;
  /** Time steps between the beginnings of two windows (default 1). */
  readonly stride?: number;
  /** Which features are to be said (default: all). */
  readonly targets?: readonly number[];
}

/**
 * A dataset of windows over a series (T, F): inputs (N, inputLength, F), targets (N, horizon, features to be said). With `from` and `to`, only windows
 * that lie wholly in there.
 *
 * @throws if there is no room for a window
 * @example
 * ```ts
 * windows({ data: temperatures, features: 1 }, { inputLength: 96, horizon: 24 });
 * ```
 */
export function windows(series: Rows, options: WindowOptions): Dataset {
  const T = countRows("windows", series);
  const { inputLength, horizon, stride = 1, from = 0, to = T } = options;
  const F = series.features;
  const targets = options.targets ?? [...range(F)];
  checkWhole("windows", "inputLength", inputLength);
  checkWhole("windows", "horizon", horizon);
  checkWhole("windows", "stride", stride);
  const wrong = targets.find((f) => !Number.isInteger(f) || f < 0 || f >= F);
  if (wrong !== undefined)
    fail({ op: "windows", expected: `targets among the features 0 to ${F - 1}`, got: `${wrong}` });
  const room = to - from - inputLength - horizon;
  if (!(from >= 0 && to <= T && room >= 0)) {
    fail({
      op: "windows",
      expected: `at least ${inputLength + horizon} rows, for an input and a horizon`,
      got: `${to - from}, from ${from} to ${to} of ${T}`,
    });
  }
  const length = Math.floor(room / stride) + 1;
  return {
    length,
    batch(indices) {
      const N = indices.length;
      const x = new Float32Array(N * inputLength * F);
      const y = new Float32Array(N * horizon * targets.length);
      for (const [n, i] of indices.entries()) {
        if (i >= length) fail({ op: "windows", expected: `window numbers below ${length}`, got: `${i}` });
        const start = (from + i * stride) * F;
        for (let k = 0; k < inputLength * F; k++) x[n * inputLength * F + k] = series.data[start + k];
        for (let h = 0; h < horizon; h++) {
          for (const [k, f] of targets.entries()) {
            y[(n * horizon + h) * targets.length + k] = series.data[start + (inputLength + h) * F + f];
          }
        }
      }
      return [tensor(x, { shape: [N, inputLength, F] }), tensor(y, { shape: [N, horizon, targets.length] })];
    },
  };
}

/** Options of {@link forecasting}. */
export interface ForecastingOptions extends Omit<WindowOptions, "from" | "to"> {
  /**
   * Training, validation and test, in the order of time: shares that add up to at most 1, or numbers of rows (default [0.7, 0.1, 0.2]).
   */
  readonly split?: readonly [number, number, number];
  /** How features are scaled, by the training part (default "standard"). */
  readonly scaling?: "standard" | "minMax" | "none";
}

/** See {@link forecasting}. */
export interface Forecasting {
  readonly train: Dataset;
  readonly validation: Dataset;
  readonly test: Dataset;
  /** Of the features; null if nothing was scaled. For forecasts of some features: `scaler.select(targets)`. */
  readonly scaler: Scaler | null;
}

/**
 * A series cut into training, validation and test, in the order of time, scaled by figures of the training part. Inputs of validation and test may reach
 * back into the part before; what is to be said never does. This is how the ETT benchmarks are cut (Zhou et al., 2021).
 *
 * @throws if a part has no room for a window
 * @example
 * ```ts
 * const { train, validation, test, scaler } = forecasting(series, { inputLength: 96, horizon: 24, split: [8640, 2880, 2880] });
 * ```
 */
export function forecasting(series: Rows, options: ForecastingOptions): Forecasting {
  const T = countRows("forecasting", series);
  const { split = [0.7, 0.1, 0.2], scaling = "standard", ...window } = options;
  const [a, b, c] = borders(split, T);
  const scaler =
    scaling === "none"
      ? null
      : scaling === "minMax"
        ? Scaler.minMax(series, { to: a })
        : Scaler.standard(series, { to: a });
  const rows = scaler ? scaler.transform(series) : series;
  const part = (from: number, to: number) => windows(rows, { ...window, from, to });
  return {
    train: part(0, a),
    validation: part(a - window.inputLength, b),
    test: part(b - window.inputLength, c),
    scaler,
  };
}

/** Where the three parts end. */
function borders(split: readonly number[], T: number): [number, number, number] {
  const sum = split.reduce((a, b) => a + b, 0);
  const shares = sum <= 1 + 1e-9;
  const rows = split.map((part) => (shares ? part * T : part));
  const ends = [rows[0], rows[0] + rows[1], rows[0] + rows[1] + rows[2]].map((end) => Math.round(end));
  if (split.length !== 3 || split.some((part) => !(part > 0)) || ends[2] > T) {
    fail({
      op: "forecasting",
      expected: `split: three shares that add up to at most 1, or three numbers of the ${T} rows`,
      got: JSON.stringify(split),
    });
  }
  return ends as [number, number, number];
}

// The worker of the page "Forecast": learns a column of a table, and says what comes next, with an interval.

import { Linear } from "@nn/layers";
import { Adam } from "@nn/optim";
import { GRU, LSTM } from "@nn/recurrent";
import { cat, Module, maximum, type Tensor, tensor } from "@nn/tensor";
import { type Dataset, forecasting, loader, predict } from "@nn/train";
import { recurrences } from "../worker/recurrences.js";
import { serveLane } from "../worker/serve.js";
import { madeCsv } from "./series.js";
import { readTable } from "./table.js";

export interface ForecastSettings {
  readonly data: string;
  readonly column: string;
  readonly horizon: number;
  readonly seen: number;
  readonly cell: string;
  readonly hidden: number;
  readonly lr: number;
}

/** One forecast, in the units of the file. */
export interface Forecast {
  /** Row of its first value. */
  readonly at: number;
  /** What the network has seen before. */
  readonly seen: Float32Array;
  /** What came; nothing after the end of the file. */
  readonly truth: Float32Array | null;
  readonly low: Float32Array;
  readonly median: Float32Array;
  readonly high: Float32Array;
  readonly naive: Float32Array;
}

/** Mean absolute errors on the test part, and how much of it lies within the intervals. */
export interface Scores {
  readonly model: number;
  /** As one period ago. */
  readonly naive: number;
  readonly last: number;
  readonly coverage: number;
}

export interface About {
  readonly columns: readonly string[];
  readonly rows: number;
  readonly period: number;
  /** How many forecasts there are for the test part, and one after the end. */
  readonly forecasts: number;
}

/** Of the outcomes, a tenth should lie below the first and a tenth above the last. */
const QUANTILES = [0.1, 0.5, 0.9];

/** x (N, T, 1) → quantiles (N, horizon, 3), counted from the last value seen. */
class Forecaster extends Module {
  readonly layer: GRU | LSTM;
  readonly head: Linear;

  constructor(
    cell: string,
    hidden: number,
    readonly horizon: number,
  ) {
    super();
    this.layer = new (cell === "LSTM" ? LSTM : GRU)(1, hidden, { batchFirst: true });
    this.head = new Linear(hidden, 3 * horizon);
  }

  override forward(x: Tensor): Tensor {
    const level = x.slice([null, [-1]]); // (N, 1, 1)
    const { output } = this.layer.forward(x);
    const y = this.head.forward(output.select(1, -1)).reshape([-1, this.horizon, 3]);
    const [low, median, high] = [0, 1, 2].map((k) => y.slice([null, null, [k, k + 1]]));
    const middle = median.add(level);
    return cat([middle.sub(softplus(low)), middle, middle.add(softplus(high))], 2);
  }
}

const softplus = (x: Tensor) => x.exp().add(1).log();

/** Pinball loss (Koenker and Bassett, 1978): its least value is at the quantile. */
function pinball(forecast: Tensor, truth: Tensor): Tensor {
  const q = tensor(QUANTILES);
  const over = truth.sub(forecast); // (N, H, 1) − (N, H, 3)
  return maximum(over.mul(q), over.mul(q.sub(1))).mean();
}

serveLane<ForecastSettings>(recurrences, async ({ data, column, horizon, seen, cell, hidden, lr }, files) => {
  const bytes = data === "own" ? await files.read("csv") : null;
  if (data === "own" && !bytes)
    throw new Error("Your table is not in this browser: drop it again, or choose the made series.");
  const { table, columns, first: usual } = readTable(bytes ?? new TextEncoder().encode(madeCsv()));
  const name = columns.includes(column) ? column : usual;
  const values = fill(table.numbers([name], { missing: Number.NaN }).data);
  const T = values.length;
  if (T < 4 * (seen + horizon)) {
    throw new Error(
      `${T} rows are too few: at least ${4 * (seen + horizon)} are wanted. Choose a smaller horizon, or fewer values to see.`,
    );
  }
  const { train, validation, test, scaler } = forecasting(
    { data: values, features: 1 },
    { inputLength: seen, horizon, split: [0.7, 0.1, 0.2] },
  );
  const period = findPeriod(values.subarray(0, Math.floor(0.7 * T)), seen);
  const first = T - (test.length + horizon - 1); // row of the first test value
  const model = new Forecaster(cell, hidden, horizon);

  const toUnits = (v: ArrayLike<number>) => scaler!.inverse(v);
  const naiveAt = (row: number) =>
    Float32Array.from({ length: horizon }, (_, k) => values[row - period + (k % period)]);

  /** Quantiles (count, horizon, 3) in units, for windows that end before these rows. */
  const forecastAt = async (rows: readonly number[]): Promise<Float32Array> => {
    const input = rows.flatMap((row) => [
      ...scaler!.transform({ data: values.subarray(row - seen, row), features: 1 }).data,
    ]);
    const x = tensor(Float32Array.from(input), { shape: [rows.length, seen, 1] });
    const y = await predict(model, x);
    const out = toUnits((await y.read()) as Float32Array);
    for (const t of [x, y]) t.dispose();
    return out;
  };
  /** Rows at which the test part is cut into forecasts that do not overlap; the last is the end of the file. */
  const starts = Array.from({ length: Math.floor((T - first) / horizon) }, (_, i) => T - horizon * (i + 1))
    .filter((row) => row >= first)
    .reverse();
  starts.push(T);

  const forecasts = async (numbers: readonly number[]): Promise<Forecast[]> => {
    const rows = numbers.map((i) => starts[Math.min(Math.max(0, i), starts.length - 1)]);
    const q = await forecastAt(rows);
    return rows.map((row, n) => {
      const part = (k: number) => Float32Array.from({ length: horizon }, (_, t) => q[3 * (n * horizon + t) + k]);
      const [low, median, high] = [part(0), part(1), part(2)];
      const truth = row < T ? values.slice(row, row + horizon) : null;
      return { at: row, seen: values.slice(row - seen, row), truth, low, median, high, naive: naiveAt(row) };
    });
  };
  const scores = async (): Promise<Scores> => {
    const all = (await forecasts(starts.map((_, i) => i))).filter(({ truth }) => truth);
    let [model, naive, last, inside, count] = [0, 0, 0, 0, 0];
    for (const f of all) {
      for (const [k, y] of f.truth!.entries()) {
        model += Math.abs(y - f.median[k]);
        naive += Math.abs(y - f.naive[k]);
        last += Math.abs(y - f.seen[seen - 1]);
        inside += Number(y >= f.low[k] && y <= f.high[k]);
        count++;
      }
    }
    return { model: model / count, naive: naive / count, last: last / count, coverage: inside / count };
  };
  const csv = async () => {
    const lines = [`row,${name},low_10,median,high_90,naive`];
    for (const f of await forecasts(starts.map((_, i) => i))) {
      for (let k = 0; k < horizon; k++) {
        const numbers = [f.low[k], f.median[k], f.high[k], f.naive[k]].map((v) => v.toPrecision(6));
        lines.push(`${f.at + k},${f.truth ? f.truth[k] : ""},${numbers.join(",")}`);
      }
    }
    return lines.join("\n");
  };

  return {
    model,
    loss: pinball,
    optimizer: new Adam(model.parameters(), { lr }),
    clip: 1,
    data: loader(train, { batchSize: 32, shuffle: true, seed: 1 }),
    validation: loader(some(validation, 200), { batchSize: 100 }),
    answers: {
      about: (): About => ({
        columns: [name, ...columns.filter((c) => c !== name)],
        rows: T,
        period,
        forecasts: starts.length,
      }),
      forecast: async (i: number) => (await forecasts([i]))[0],
      scores,
      csv,
    },
  };
});

/** At most so many samples, evenly spread. */
function some(data: Dataset, most: number): Dataset {
  const length = Math.min(most, data.length);
  const of = (i: number) => Math.floor((i * data.length) / length);
  return { length, batch: (indices) => data.batch(indices.map(of)) };
}

/** What is missing is as it was before. */
function fill(values: Float32Array): Float32Array {
  let last = values.find((v) => !Number.isNaN(v)) ?? 0;
  return values.map((v) => (last = Number.isNaN(v) ? last : v));
}

/** The lag at which the series is most like itself, at most `most`; 1 if at none. */
function findPeriod(values: Float32Array, most: number): number {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const alike = (lag: number) => {
    let [sum, square] = [0, 1e-12];
    for (let t = lag; t < values.length; t++) {
      sum += (values[t] - mean) * (values[t - lag] - mean);
      square += (values[t] - mean) ** 2;
    }
    return sum / square;
  };
  const scores = Array.from({ length: most + 1 }, (_, lag) => (lag < 2 ? -1 : alike(lag)));
  // A peak, not the slope from lag 1 down.
  let best = 1;
  for (let lag = 3; lag < most; lag++) {
    const peak = scores[lag] > scores[lag - 1] && scores[lag] >= scores[lag + 1];
    if (peak && scores[lag] > (best === 1 ? 0.2 : scores[best])) best = lag;
  }
  return best;
}

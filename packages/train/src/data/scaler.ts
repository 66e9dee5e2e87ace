// Scalers: each feature brought to mean 0 and deviation 1, or into a range, by figures of the training part.

import { fail, scope, show, type Tensor, tensor } from "@nn/tensor";
import { isTensor } from "../structure.js";

/** Rows of F features: a series (T, F), a table (N, F). */
export interface Rows {
  /** Row after row. */
  readonly data: ArrayLike<number>;
  /** Features per row. */
  readonly features: number;
}

/** Which rows count: from `from` up to but without `to` (default: all). */
export interface RowRange {
  readonly from?: number;
  readonly to?: number;
}

/**
 * y = (x − shift) / scale, per feature. Plain numbers, so that it is saved with `JSON.stringify` and comes back with {@link Scaler.from}.
 *
 * @example
 * ```ts
 * const scaler = Scaler.standard(series, { to: trainEnd });
 * const scaled = scaler.transform(series);
 * const degrees = scaler.inverse(await predict(model, windows)); // a tensor (N, horizon, F)
 * ```
 */
export class Scaler {
  private constructor(
    readonly shift: readonly number[],
    readonly scale: readonly number[],
  ) {}

  /** To mean 0 and (population) deviation 1, as scikit-learn's StandardScaler. A constant feature becomes 0. */
  static standard(rows: Rows, range: RowRange = {}): Scaler {
    const columns = columnsOf(rows, range);
    const means = columns.map((column) => column.reduce((a, b) => a + b, 0) / column.length);
    const deviations = columns.map((column, f) =>
      Math.sqrt(column.reduce((a, b) => a + (b - means[f]) ** 2, 0) / column.length),
    );
    return new Scaler(
      means,
      deviations.map((d, f) => (d > 1e-12 * Math.abs(means[f]) ? d : 1)),
    );
  }

  /** So that the least becomes `low` (default 0) and the greatest `high` (default 1), as scikit-learn's MinMaxScaler. */
  static minMax(rows: Rows, { low = 0, high = 1, ...range }: RowRange & { low?: number; high?: number } = {}): Scaler {
    if (!(high > low)) fail({ op: "Scaler.minMax", expected: "high above low", got: `${low} and ${high}` });
    const columns = columnsOf(rows, range);
    const least = columns.map((column) => column.reduce((a, b) => Math.min(a, b)));
    const spans = columns.map((column, f) => column.reduce((a, b) => Math.max(a, b)) - least[f] || high - low);
    const scale = spans.map((span) => span / (high - low));
    return new Scaler(
      least.map((v, f) => v - low * scale[f]),
      scale,
    );
  }

  /** A scaler from what `JSON.stringify` made of one. */
  static from({ shift, scale }: { readonly shift: readonly number[]; readonly scale: readonly number[] }): Scaler {
    const fine = [shift, scale].every((list) => Array.isArray(list) && list.every(Number.isFinite));
    if (!fine || shift.length !== scale.length || scale.includes(0)) {
      fail({
        op: "Scaler.from",
        expected: "{ shift, scale }, as many numbers of each",
        got: JSON.stringify({ shift, scale }),
      });
    }
    return new Scaler([...shift], [...scale]);
  }

  /** Scales rows. */
  transform(rows: Rows): { data: Float32Array; features: number } {
    this.#check(rows.features);
    const F = rows.features;
    const data = Float32Array.from(rows.data, (v, i) => (v - this.shift[i % F]) / this.scale[i % F]);
    return { data, features: F };
  }

  /** Undoes it: a tensor with the features as its last axis, or an array of rows. */
  inverse(x: Tensor): Tensor;
  inverse(x: ArrayLike<number>): Float32Array;
  inverse(x: Tensor | ArrayLike<number>): Tensor | Float32Array {
    if (!isTensor(x)) {
      const F = this.shift.length;
      return Float32Array.from(x, (v, i) => v * this.scale[i % F] + this.shift[i % F]);
    }
    this.#check(x.shape.at(-1), show(x.shape));
    return scope(() => x.mul(tensor([...this.scale])).add(tensor([...this.shift])));
  }

  /** The scaler of some of the features, e.g. of those that are forecast. */
  select(features: readonly number[]): Scaler {
    return Scaler.from({ shift: features.map((f) => this.shift[f]), scale: features.map((f) => this.scale[f]) });
  }

  toJSON(): { shift: readonly number[]; scale: readonly number[] } {
    return { shift: this.shift, scale: this.scale };
  }

  #check(features: number | undefined, got = `${features}`): void {
    if (features === this.shift.length) return;
    fail({ op: "Scaler", expected: `${this.shift.length} features in the last axis`, got });
  }
}

/** Checks rows; how many there are. */
export function countRows(op: string, { data, features }: Rows): number {
  const rows = data.length / features;
  if (Number.isInteger(rows) && rows > 0) return rows;
  return fail({ op, expected: `rows of ${features} features each`, got: `${data.length} numbers` });
}

function columnsOf(rows: Rows, { from = 0, to = countRows("Scaler", rows) }: RowRange): Float64Array[] {
  const T = countRows("Scaler", rows);
  if (!(from >= 0 && to > from && to <= T)) {
    fail({ op: "Scaler", expected: `from < to, in the ${T} rows there are`, got: `${from} and ${to}` });
  }
  const F = rows.features;
  return Array.from({ length: F }, (_, f) =>
    Float64Array.from({ length: to - from }, (_, t) => rows.data[(from + t) * F + f]),
  );
}

// Datasets: samples by number, handed out as batches.

import { type DType, fail, indexSelect, scope, show, sizeOf, stack, Tensor, type TensorData, tensor } from "@nn/tensor";
import { checkWhole } from "../check.js";
import { type Batch, dispose } from "../structure.js";

/** Samples that are known by their number. Anything that has these two is a dataset. */
export interface Dataset {
  /** How many samples there are. */
  readonly length: number;
  /** The samples with these numbers, as one batch of new tensors. */
  batch(indices: Uint32Array): Batch | Promise<Batch>;
}

/** Numbers of all samples in one array that is not copied. */
export interface Column {
  /** Row after row. */
  readonly data:
    | Float32Array
    | Float64Array
    | Int32Array
    | Uint32Array
    | Uint8Array
    | Int8Array
    | Uint16Array
    | Int16Array;
  /** Shape of one sample (default: a number each). */
  readonly shape?: readonly number[];
  /** Of the batches (default: as `tensor` has it: f32 of floats, else i32 or u32). */
  readonly dtype?: DType;
  /** What every number is multiplied by, e.g. 1/255; makes it f32. */
  readonly scale?: number;
}

/** What {@link dataset} takes: tensors (N, …), arrays of N rows, or {@link Column}s. */
export type ColumnLike = Tensor | TensorData | Column;

/**
 * A dataset of columns: x, y and maybe weights, each with N rows, as `TensorDataset` in PyTorch. Arrays stay where they are,
 * tensors too; rows are gathered as batches are asked for.
 *
 * @throws if the columns differ in length
 * @example
 * ```ts
 * dataset({ data: pixels, shape: [1, 28, 28], scale: 1 / 255 }, labels); // labels: an Int32Array
 * dataset(tensor([[0, 0], [0, 1], [1, 0], [1, 1]]), tensor([[0], [1], [1], [0]]));
 * ```
 */
export function dataset(x: ColumnLike, y?: ColumnLike, weights?: ColumnLike): Dataset {
  const columns = [x, y, weights].filter((c) => c !== undefined).map(rowsOf);
  const length = columns[0].length;
  for (const [i, column] of columns.entries()) {
    if (column.length === length) continue;
    fail({
      op: "dataset",
      expected: `${length} rows in every column, as in the first`,
      got: `${column.length} in the ${["first", "second", "third"][i]}`,
    });
  }
  return {
    length,
    batch: (indices) => columns.map((column) => column.take(checkIndices(indices, length))) as unknown as Batch,
  };
}

/** A part of a sample, as {@link samples} gets it: numbers, an array, a tensor, or an array with its shape. */
export type SamplePart = TensorData | Tensor | Pick<Column, "data" | "shape">;

/** Options of {@link samples} and of streams. */
export interface CollateOptions {
  /** dtype of each part (default: as `tensor` has it; class numbers want `"i32"`). */
  readonly dtypes?: readonly (DType | undefined)[];
}

/**
 * A dataset of a function, called for each sample: `[x, y, weight]`, or a promise of it.
 *
 * @example
 * ```ts
 * samples(files.length, async (i) => [await readPixels(files[i]), labels[i]], { dtypes: ["f32", "i32"] });
 * ```
 */
export function samples(
  length: number,
  get: (index: number) => readonly SamplePart[] | Promise<readonly SamplePart[]>,
  options: CollateOptions = {},
): Dataset {
  checkWhole("samples", "the number of samples", length, 0);
  return {
    length,
    batch: async (indices) =>
      collate(await Promise.all(Array.from(checkIndices(indices, length), (i) => get(i))), options),
  };
}

/** Samples put together as a batch. Tensors among them are copied and stay the caller's. */
export function collate(list: readonly (readonly SamplePart[])[], { dtypes = [] }: CollateOptions = {}): Batch {
  const parts = list[0]?.length ?? 0;
  if (parts === 0 || list.some((sample) => !Array.isArray(sample) || sample.length !== parts)) {
    fail({ op: "collate", expected: "samples [x], [x, y] or [x, y, weight], all alike", got: "others, or none" });
  }
  return Array.from({ length: parts }, (_, p) =>
    together(
      list.map((sample) => sample[p]),
      dtypes[p],
    ),
  ) as unknown as Batch;
}

/** The samples of a dataset with these numbers, in this order. */
export function subset(data: Dataset, indices: ArrayLike<number>): Dataset {
  const chosen = checkIndices(Uint32Array.from(indices), data.length);
  return {
    length: chosen.length,
    batch: (picked) => data.batch(checkIndices(picked, chosen.length).map((i) => chosen[i])),
  };
}

/** A dataset whose batches go through a function. It owns the batch that it is given. */
export function mapped(data: Dataset, f: (batch: Batch) => Batch | Promise<Batch>): Dataset {
  return { length: data.length, batch: async (indices) => f(await data.batch(indices)) };
}

/** One dataset after the other. */
export function concat(...parts: readonly Dataset[]): Dataset {
  const starts = parts.map((_, i) => parts.slice(0, i).reduce((sum, { length }) => sum + length, 0));
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const at = (i: number) => starts.findLastIndex((start) => start <= i);
  return {
    length,
    async batch(indices) {
      checkIndices(indices, length);
      const singles: Batch[] = [];
      for (const i of indices) singles.push(await parts[at(i)].batch(Uint32Array.of(i - starts[at(i)])));
      try {
        return singles[0].map((_, p) =>
          scope(() => stack(singles.map((b) => (b[p] as Tensor).select(0, 0)))),
        ) as unknown as Batch;
      } finally {
        for (const b of singles) dispose(b);
      }
    },
  };
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

interface Rows {
  readonly length: number;
  take(indices: Uint32Array): Tensor;
}

function rowsOf(column: ColumnLike): Rows {
  if (column instanceof Tensor) return tensorRows(column);
  if (ArrayBuffer.isView(column)) return arrayRows({ data: column as Column["data"] });
  if (typeof column === "object" && "data" in column) return arrayRows(column);
  return tensorRows(tensor(column as TensorData));
}

function tensorRows(x: Tensor): Rows {
  if (x.rank === 0) fail({ op: "dataset", expected: "tensors (N, …)", got: `a scalar ${x.dtype}` });
  return {
    length: x.shape[0],
    take: (indices) => scope(() => indexSelect(x, 0, tensor(Int32Array.from(indices)))),
  };
}

function arrayRows({ data, shape = [], dtype, scale }: Column): Rows {
  const size = sizeOf(shape);
  const length = data.length / size;
  if (!Number.isInteger(length)) {
    fail({
      op: "dataset",
      expected: `whole samples ${show(shape)}, ${size} numbers each`,
      got: `${data.length} numbers`,
    });
  }
  return {
    length,
    take(indices) {
      const Rows = (scale === undefined ? data.constructor : Float32Array) as new (n: number) => Float32Array;
      const rows = new Rows(indices.length * size);
      indices.forEach((from, to) => {
        rows.set(data.subarray(from * size, (from + 1) * size), to * size);
      });
      if (scale !== undefined) for (let i = 0; i < rows.length; i++) rows[i] *= scale;
      return tensor(rows, { shape: [indices.length, ...shape], ...(dtype ? { dtype } : {}) });
    },
  };
}

function checkIndices(indices: Uint32Array, length: number): Uint32Array {
  const wrong = indices.find((i) => i >= length);
  if (wrong === undefined) return indices;
  return fail({ op: "dataset", expected: `sample numbers below ${length}`, got: `${wrong}` });
}

/** One part of all samples. */
function together(parts: readonly SamplePart[], dtype?: DType): Tensor {
  const typed = dtype ? { dtype } : {};
  if (parts[0] instanceof Tensor) {
    const stacked = scope(() => stack(parts as readonly Tensor[]));
    return dtype && dtype !== stacked.dtype ? scope(() => stacked.cast(dtype)) : stacked;
  }
  const shaped = typeof parts[0] === "object" && "data" in parts[0];
  if (!shaped && !ArrayBuffer.isView(parts[0])) return tensor(parts as TensorData, typed);
  const { shape } = shaped ? (parts[0] as Column) : {};
  if (shaped) parts = (parts as readonly Column[]).map(({ data }) => data);
  const first = parts[0] as Float32Array;
  const odd = (parts as readonly Float32Array[]).find((p) => p.length !== first.length);
  if (odd) {
    fail({
      op: "collate",
      expected: `samples of ${first.length} numbers, as the first`,
      got: `one of ${odd.length}`,
      hint: "Use sequences() for samples of different lengths: it pads them.",
    });
  }
  const all = new (first.constructor as new (n: number) => Float32Array)(parts.length * first.length);
  for (const [i, part] of parts.entries()) all.set(part as Float32Array, i * first.length);
  return tensor(all, { shape: [parts.length, ...(shape ?? [first.length])], ...typed });
}

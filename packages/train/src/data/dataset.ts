// Datasets: samples by number, handed out as batches.

import { type DType, fail, indexSelect, scope, show, sizeOf, stack, Tensor, type TensorData, tensor } from "@nn/tensor";
import { checkWhole } from "../check.js";
import { type Batch, dispose, joinTensors, type Tensors, tensorsIn } from "../structure.js";

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

/** A column of {@link dataset}: a tensor (N, …), an array of N rows, a {@link Column}, or a dataset, of whose batches it is the x. */
export type ColumnLike = Tensor | TensorData | Column | Dataset;

/**
 * One column, or several in a structure, which batches have, too: `{ left, right }`. What is a structure: an object without `data` (one with `data` is
 * a {@link Column}), and an array of tensors and objects (one of numbers, or of arrays, is rows).
 */
export type Columns = ColumnLike | readonly Columns[] | { readonly [name: string]: Columns };

/**
 * A dataset of columns: x, y and maybe weights, each with N rows, as `TensorDataset` and `StackDataset` in PyTorch. Arrays stay where they
 * are, tensors too; rows are gathered as batches are asked for.
 *
 * @throws if the columns differ in length
 * @example
 * ```ts
 * dataset({ data: pixels, shape: [1, 28, 28], scale: 1 / 255 }, labels); // labels: an Int32Array
 * dataset(tensor([[0, 0], [0, 1], [1, 0], [1, 1]]), tensor([[0], [1], [1], [0]]));
 * dataset({ left: tensors, right: { data: pixels, shape: [1, 28, 28] } }, same); // forward gets { left, right }
 * dataset({ image: samples(files.length, read), words: sequences(texts) }, { boxes, classes });
 * ```
 */
export function dataset(x: Columns, y?: Columns, weights?: ColumnLike): Dataset {
  if (y === undefined && weights !== undefined) {
    fail({
      op: "dataset",
      expected: "targets y before the weights",
      got: "none",
      hint: "Without targets, give fit sampleWeights.",
    });
  }
  const columns = Object.entries({ x, y, weights }).filter(([, column]) => column !== undefined);
  const { length, take } = rowsOf(Object.fromEntries(columns) as Record<string, Columns>, "");
  const gather = async (indices: Uint32Array) => Object.values(await take(indices)) as unknown as Batch;
  return { length, batch: (indices) => gather(checkIndices(indices, length)) };
}

/**
 * A part of a sample, as {@link samples} gets it: numbers, an array, a tensor, an array with its shape, or a structure of such, as of
 * {@link Columns}.
 */
export type SamplePart =
  | TensorData
  | Tensor
  | Pick<Column, "data" | "shape">
  | readonly SamplePart[]
  | { readonly [name: string]: SamplePart };

/** dtypes of a structure's parts; a single one is for all of them. */
export type DTypes = DType | undefined | readonly DTypes[] | { readonly [name: string]: DTypes };

/** Options of {@link samples} and of streams. */
export interface CollateOptions {
  /** dtype of each part (default: as `tensor` has it; class numbers want `"i32"`). */
  readonly dtypes?: readonly DTypes[];
}

/**
 * A dataset of a function, called for each sample: `[x, y, weight]`, or a promise of it.
 *
 * @example
 * ```ts
 * samples(files.length, async (i) => [await readPixels(files[i]), labels[i]], { dtypes: ["f32", "i32"] });
 * samples(pairs.length, (i) => [{ left: pairs[i][0], right: pairs[i][1] }, same[i]]);
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
        return joinTensors(singles as unknown as Tensors[], (rows) =>
          scope(() => stack(rows.map((row) => row.select(0, 0)))),
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
  take(indices: Uint32Array): Tensors | Promise<Tensors>;
}

/** Whether it is several parts, and not one; {@link Columns} says how to tell. */
function isStructure<Part>(value: unknown): value is readonly Part[] | { readonly [name: string]: Part } {
  const plain = (v: unknown) => typeof v === "object" && v !== null && !Array.isArray(v) && !ArrayBuffer.isView(v);
  if (Array.isArray(value)) return plain(value[0]);
  return plain(value) && !(value instanceof Tensor) && !("data" in (value as object)) && !isDataset(value);
}

function isDataset(value: unknown): value is Dataset {
  return typeof value === "object" && typeof (value as Dataset | null)?.batch === "function";
}

/** The same structure of other parts, an object or an array. */
function mapParts<Part, Other>(structure: object, f: (part: Part, name: string) => Other): { [name: string]: Other } {
  const parts = Object.entries(structure).map(([name, part]) => [name, f(part, name)] as const);
  return Array.isArray(structure) ? (parts.map(([, part]) => part) as never) : Object.fromEntries(parts);
}

/** @param name where it stands in the dataset: `y.boxes` */
function rowsOf(columns: Columns, name: string): Rows {
  if (!isStructure<Columns>(columns)) return columnRows(columns);
  const path = (part: string) => (name === "" ? part : `${name}.${part}`);
  const parts = mapParts(columns, (part: Columns, key) => rowsOf(part, path(key)));
  const [first, ...others] = Object.entries(parts);
  if (!first) fail({ op: "dataset", expected: `at least one column in ${name}`, got: "none" });
  const odd = others.find(([, { length }]) => length !== first[1].length);
  if (odd) {
    fail({
      op: "dataset",
      expected: `${first[1].length} rows in every column, as in ${path(first[0])}`,
      got: `${odd[1].length} in ${path(odd[0])}`,
    });
  }
  return {
    length: first[1].length,
    async take(indices) {
      const taken = await Promise.all(Object.values(parts).map(({ take }) => take(indices)));
      let next = 0;
      return mapParts(parts, () => taken[next++]);
    },
  };
}

function columnRows(column: ColumnLike): Rows {
  if (column instanceof Tensor) return tensorRows(column);
  if (ArrayBuffer.isView(column)) return arrayRows({ data: column as Column["data"] });
  if (isDataset(column)) return datasetRows(column);
  if (typeof column === "object" && "data" in column) return arrayRows(column);
  if (Array.isArray(column) && ArrayBuffer.isView(column[0])) {
    fail({
      op: "dataset",
      expected: "an array of rows, or of columns",
      got: "one of typed arrays, which may be either",
      hint: "Columns by names are { a, b }; rows are one typed array, { data, shape }; for rows of different lengths see padded().",
    });
  }
  return tensorRows(tensor(column as TensorData));
}

function datasetRows(data: Dataset): Rows {
  return {
    length: data.length,
    async take(indices) {
      const [x, ...rest] = await data.batch(indices);
      const kept = new Set(tensorsIn(x));
      for (const t of tensorsIn(rest as Tensors)) if (!kept.has(t)) t.dispose();
      return x;
    },
  };
}

function tensorRows(x: Tensor): Rows {
  if (x.rank === 0) fail({ op: "dataset", expected: "tensors (N, …)", got: `a scalar ${x.dtype}` });
  return {
    length: x.shape[0],
    take: (indices) => scope(() => indexSelect(x, 0, tensor(Int32Array.from(indices)))),
  };
}

function arrayRows({ data, shape = [], dtype, scale, ...others }: Column): Rows {
  const part = Object.entries(others).find(([, value]) => value instanceof Tensor || ArrayBuffer.isView(value));
  if (part || !ArrayBuffer.isView(data)) {
    fail({
      op: "dataset",
      expected: "a column { data, shape } with a typed array in data",
      got: part ? `one with ${part[0]} in it, too` : "something else in data",
      hint: "In a structure of columns no part may be called data.",
    });
  }
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
function together(parts: readonly SamplePart[], types?: DTypes): Tensors {
  const [example] = parts;
  if (isStructure<SamplePart>(example)) {
    return mapParts(example, (_, name) =>
      together(
        parts.map((part) => (part as Record<string, SamplePart>)[name]),
        typeof types === "object" ? (types as Record<string, DTypes>)[name] : types,
      ),
    );
  }
  const dtype = types as DType | undefined;
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

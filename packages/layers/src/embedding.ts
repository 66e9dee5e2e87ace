// Embedding: rows of a table, by number.

import {
  arange,
  customGradient,
  fail,
  indexAdd,
  indexSelect,
  Module,
  onesLike,
  randn,
  sameShape,
  scope,
  show,
  stopGradient,
  type Tensor,
  type Variable,
  where,
  zeros,
} from "@nn/tensor";
import { checkCount, checkIntegers, withNumbersOf } from "./check.js";
import { parameter } from "./parameter.js";

/** Options of {@link Embedding}. */
export interface EmbeddingOptions {
  /** A row whose gradient is always 0, and which is 0 at first; negative counts from the end (default null: none). */
  readonly paddingIdx?: number | null;
  /** Whether a row's gradient is divided by how often its index is there (default false). */
  readonly scaleGradByFreq?: boolean;
  /** Makes the first values, (numEmbeddings, embeddingDim); default normal(0, 1), as PyTorch. */
  readonly init?: (shape: readonly [number, number]) => Tensor;
}

/**
 * A learnt vector per index, as [torch.nn.Embedding](https://pytorch.org/docs/stable/generated/torch.nn.Embedding.html).
 *
 * indices (…) i32 from 0 to numEmbeddings − 1 → (…, embeddingDim). State: `weight` (numEmbeddings, embeddingDim),
 * normal(0, 1) at first. Where rows are added to others, or the output layer shares the table, smaller ones train better.
 *
 * @example
 * ```ts
 * new Embedding(1000, 16).forward(tensor(new Int32Array([3, 999]))).shape; // [2, 16]
 * new Embedding(1000, 16, { init: (shape) => init.normal(shape, 0, 0.02) });
 * freeze(new Embedding(1000, 16, { init: () => pretrained })); // Embedding.from_pretrained
 * ```
 */
export class Embedding extends Module {
  readonly weight: Variable;
  /** Never negative. */
  readonly paddingIdx: number | null;
  readonly scaleGradByFreq: boolean;

  /** @throws if a size is not a whole number ≥ 1, or paddingIdx is no row */
  constructor(
    readonly numEmbeddings: number,
    readonly embeddingDim: number,
    { paddingIdx = null, scaleGradByFreq = false, init }: EmbeddingOptions = {},
  ) {
    super();
    this.paddingIdx = checkTable("Embedding", numEmbeddings, embeddingDim, paddingIdx);
    this.scaleGradByFreq = scaleGradByFreq;
    this.weight = table("Embedding", [numEmbeddings, embeddingDim], this.paddingIdx, init);
  }

  /** @throws if the indices are not integers, or (where the backend can tell) out of range */
  override forward(indices: Tensor): Tensor {
    checkIntegers("embedding", "indices", indices);
    return scope(() => {
      const rows = rowsOf("embedding", this.weight, indices.reshape([-1]), this.scaleGradByFreq);
      const y = rows.reshape([...indices.shape, this.embeddingDim]);
      if (this.paddingIdx === null) return y;
      return where(indices.eq(this.paddingIdx).unsqueeze(-1), stopGradient(y), y);
    });
  }
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

/** Checks sizes and padding row of a layer with a table; the row's number, never negative. */
export function checkTable(layer: string, n: number, dim: number, paddingIdx: number | null): number | null {
  checkCount(layer, "numEmbeddings", n);
  checkCount(layer, "embeddingDim", dim);
  if (paddingIdx !== null && !(Number.isInteger(paddingIdx) && paddingIdx >= -n && paddingIdx < n)) {
    fail({ op: layer, expected: `paddingIdx from ${-n} to ${n - 1}`, got: `${paddingIdx}` });
  }
  return paddingIdx !== null && paddingIdx < 0 ? paddingIdx + n : paddingIdx;
}

/** A table of this shape, by `init` but for the padding row, which is 0. */
export function table(
  layer: string,
  shape: readonly [number, number],
  paddingIdx: number | null,
  init: EmbeddingOptions["init"] = randn,
): Variable {
  return parameter(() => {
    const start = init(shape);
    if (!sameShape(start.shape, shape) || start.dtype !== "f32") {
      fail({ op: layer, expected: `init to give ${show(shape)} f32`, got: `${show(start.shape)} ${start.dtype}` });
    }
    return paddingIdx === null ? start : where(arange(shape[0]).eq(paddingIdx).unsqueeze(1), 0, start);
  });
}

/** The rows of 1-d indices, (n, dim). */
export function rowsOf(op: string, weight: Variable, indices: Tensor, scaleGradByFreq: boolean): Tensor {
  const count = weight.shape[0];
  const hint = "Check the token numbers, or make numEmbeddings larger.";
  const rows = withNumbersOf(op, "indices", count, hint, () => indexSelect(weight.value, 0, indices));
  if (!scaleGradByFreq) return rows;
  const counts = indexAdd(zeros([count]), 0, indices, onesLike(indices).cast("f32"));
  return dividingGradient(rows, indexSelect(counts, 0, indices).unsqueeze(1));
}

/** The first, whose gradient is divided by the second. */
const dividingGradient = /* @__PURE__ */ customGradient({
  name: "layers/dividingGradient",
  forward: (x) => x.mul(1),
  backward: (ct, [, by]) => [ct.div(by), null],
});

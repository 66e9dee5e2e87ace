// Embedding: rows of a table, by number.

import {
  arange,
  fail,
  indexSelect,
  Module,
  randn,
  scope,
  stopGradient,
  type Tensor,
  type Variable,
  where,
} from "@nn/tensor";
import { checkCount, checkIntegers, withNumbersOf } from "./check.js";
import { parameter } from "./parameter.js";

/** Options of {@link Embedding}. */
export interface EmbeddingOptions {
  /** A row whose gradient is always 0, and which is 0 at first; negative counts from the end (default null: none). */
  readonly paddingIdx?: number | null;
}

/**
 * A learnt vector per index, as [torch.nn.Embedding](https://pytorch.org/docs/stable/generated/torch.nn.Embedding.html).
 *
 * indices (…) i32 from 0 to numEmbeddings − 1 → (…, embeddingDim). State: `weight` (numEmbeddings, embeddingDim),
 * normal(0, 1) at first.
 *
 * @example
 * ```ts
 * new Embedding(1000, 16).forward(tensor(new Int32Array([3, 999]))).shape; // [2, 16]
 * ```
 */
export class Embedding extends Module {
  readonly weight: Variable;
  /** Never negative. */
  readonly paddingIdx: number | null;

  /** @throws if a size is not a whole number ≥ 1, or paddingIdx is no row */
  constructor(
    readonly numEmbeddings: number,
    readonly embeddingDim: number,
    { paddingIdx = null }: EmbeddingOptions = {},
  ) {
    super();
    const n = checkCount("Embedding", "numEmbeddings", numEmbeddings);
    checkCount("Embedding", "embeddingDim", embeddingDim);
    if (paddingIdx !== null && !(Number.isInteger(paddingIdx) && paddingIdx >= -n && paddingIdx < n)) {
      fail({ op: "Embedding", expected: `paddingIdx from ${-n} to ${n - 1}`, got: `${paddingIdx}` });
    }
    this.paddingIdx = paddingIdx !== null && paddingIdx < 0 ? paddingIdx + n : paddingIdx;
    this.weight = parameter(() => {
      const start = randn([n, embeddingDim]);
      return this.paddingIdx === null ? start : where(arange(n).eq(this.paddingIdx).unsqueeze(1), 0, start);
    });
  }

  /** @throws if the indices are not integers, or (where the backend can tell) out of range */
  override forward(indices: Tensor): Tensor {
    checkIntegers("embedding", "indices", indices);
    return scope(() => {
      const hint = "Check the token numbers, or make numEmbeddings larger.";
      const rows = withNumbersOf("embedding", "indices", this.numEmbeddings, hint, () =>
        indexSelect(this.weight.value, 0, indices.reshape([-1])),
      );
      const y = rows.reshape([...indices.shape, this.embeddingDim]);
      if (this.paddingIdx === null) return y;
      return where(indices.eq(this.paddingIdx).unsqueeze(-1), stopGradient(y), y);
    });
  }
}

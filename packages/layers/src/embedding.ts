// Embedding: rows of a table, by number.

import { customGradient, fail, indexSelect, Module, randn, tensor, type Tensor, Variable } from "@nn/tensor";
import { checkCount, checkIntegers } from "./check.js";

export interface EmbeddingOptions {
  /** A row whose gradient is always 0, and which is 0 at first; negative counts from the end. */
  readonly paddingIdx?: number | null;
}

/**
 * A learnt vector per index, as [torch.nn.Embedding](https://pytorch.org/docs/stable/generated/torch.nn.Embedding.html).
 *
 * indices (…) i32 from 0 to numEmbeddings − 1 → (…, embeddingDim). State: `weight` (numEmbeddings, embeddingDim), normal(0, 1) at first.
 *
 * @example
 * ```ts
 * new Embedding(1000, 16).forward(tensor(new Int32Array([3, 999]))).shape; // [2, 16]
 * ```
 */
export class Embedding extends Module {
  readonly weight: Variable;
  readonly paddingIdx: number | null;

  constructor(
    readonly numEmbeddings: number,
    readonly embeddingDim: number,
    { paddingIdx = null }: EmbeddingOptions = {},
  ) {
    super();
    checkCount("Embedding", "numEmbeddings", numEmbeddings);
    checkCount("Embedding", "embeddingDim", embeddingDim);
    if (paddingIdx !== null && !(Number.isInteger(paddingIdx) && paddingIdx >= -numEmbeddings && paddingIdx < numEmbeddings)) {
      fail({ op: "Embedding", expected: `paddingIdx from ${-numEmbeddings} to ${numEmbeddings - 1}`, got: `${paddingIdx}` });
    }
    this.paddingIdx = paddingIdx !== null && paddingIdx < 0 ? paddingIdx + numEmbeddings : paddingIdx;
    const start = randn([numEmbeddings, embeddingDim]);
    this.weight = new Variable(this.paddingIdx === null ? start : start.mul(notRow(numEmbeddings, this.paddingIdx)));
  }

  /** @throws if the indices are not integers, or (where the backend can tell) out of range */
  override forward(indices: Tensor): Tensor {
    checkIntegers("embedding", "indices", indices);
    let table = this.weight.value;
    if (this.paddingIdx !== null) table = withoutGradient(this.numEmbeddings, this.paddingIdx)(table);
    return indexSelect(table, 0, indices.reshape([-1])).reshape([...indices.shape, this.embeddingDim]);
  }
}

/** (n, 1): 0 in one row, 1 in the others. */
function notRow(n: number, row: number): Tensor {
  return tensor(Float32Array.from({ length: n }, (_, i) => (i === row ? 0 : 1)), { shape: [n, 1] });
}

function withoutGradient(n: number, row: number): (table: Tensor) => Tensor {
  return customGradient({ name: "embedding/padding", forward: (table) => table.mul(1), backward: (ct) => [ct.mul(notRow(n, row))] });
}


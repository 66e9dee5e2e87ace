// EmbeddingBag: sum, mean or maximum of the rows of several indices, without a row per index at the end.

import {
  arange,
  fail,
  indexAdd,
  Module,
  maximum,
  scope,
  show,
  type Tensor,
  type Variable,
  where,
  zeros,
} from "@nn/tensor";
import { checkChoice, checkIntegers } from "./check.js";
import { checkTable, type EmbeddingOptions, rowsOf, table } from "./embedding.js";

/** Options of {@link EmbeddingBag}. */
export interface EmbeddingBagOptions extends EmbeddingOptions {
  /** What becomes of the rows of a bag (default "mean"). Rows of `paddingIdx` do not count. */
  readonly mode?: "sum" | "mean" | "max";
  /** Whether the offsets end with the number of indices (default false). */
  readonly includeLastOffset?: boolean;
}

/** What {@link EmbeddingBag.forward} may be given besides indices. */
export interface Bags {
  /** Where each bag begins among 1-d indices, (B) i32, the first at 0. */
  readonly offsets?: Tensor;
  /** A factor for each row, the indices' shape; only with mode "sum". */
  readonly perSampleWeights?: Tensor;
}

/**
 * Sums, means or maxima of learnt vectors over bags of indices, as
 * [torch.nn.EmbeddingBag](https://pytorch.org/docs/stable/generated/torch.nn.EmbeddingBag.html). An empty bag gives 0.
 *
 * indices (B, L) i32, or 1-d with `offsets` (B) → (B, embeddingDim). State: `weight` (numEmbeddings, embeddingDim),
 * normal(0, 1) at first.
 *
 * @example
 * ```ts
 * const bag = new EmbeddingBag(1000, 16, { mode: "sum" });
 * const indices = tensor([3, 999, 7], { dtype: "i32" });
 * bag.forward(indices, { offsets: tensor([0, 2], { dtype: "i32" }) }).shape; // [2, 16]: of 3 and 999, and of 7
 * ```
 */
export class EmbeddingBag extends Module {
  readonly weight: Variable;
  /** Never negative. */
  readonly paddingIdx: number | null;
  readonly #options: EmbeddingBagOptions;
  readonly #mode: "sum" | "mean" | "max";

  /** @throws if a size is not a whole number ≥ 1, or paddingIdx is no row */
  constructor(
    readonly numEmbeddings: number,
    readonly embeddingDim: number,
    options: EmbeddingBagOptions = {},
  ) {
    super();
    this.#options = options;
    this.#mode = checkChoice("EmbeddingBag", "mode", options.mode ?? "mean", ["sum", "mean", "max"]);
    this.paddingIdx = checkTable("EmbeddingBag", numEmbeddings, embeddingDim, options.paddingIdx ?? null);
    this.weight = table("EmbeddingBag", [numEmbeddings, embeddingDim], this.paddingIdx, options.init);
  }

  /** @throws if shapes or dtypes do not fit, or (where the backend can tell) indices are out of range */
  override forward(indices: Tensor, { offsets, perSampleWeights }: Bags = {}): Tensor {
    checkIntegers(OP, "indices", indices);
    this.#check(indices, offsets, perSampleWeights);
    return scope(() => {
      const flat = indices.reshape([-1]);
      let rows = rowsOf(OP, this.weight, flat, this.#options.scaleGradByFreq ?? false);
      if (perSampleWeights) rows = rows.mul(perSampleWeights.reshape([-1, 1]));
      const counts = this.paddingIdx === null ? null : flat.ne(this.paddingIdx);
      return offsets ? this.#ragged(rows, counts, offsets) : this.#even(rows, counts, indices.shape);
    });
  }

  /** Bags of one size: reductions of an axis. */
  #even(rows: Tensor, counts: Tensor | null, shape: readonly number[]): Tensor {
    const all = rows.reshape([...shape, this.embeddingDim]);
    const of = counts?.reshape([...shape, 1]);
    if (this.#mode === "max")
      return of ? greatest(where(of, all, Number.NEGATIVE_INFINITY)) : shape[1] === 0 ? all.sum(1) : all.max(1);
    const sum = (of ? where(of, all, 0) : all).sum(1);
    if (this.#mode === "sum") return sum;
    return sum.div(of ? maximum(of.cast("f32").sum(1), 1) : Math.max(1, shape[1]));
  }

  /** Bags of any size: rows are added to the bag they are in; for maxima, every bag looks at all rows. */
  #ragged(rows: Tensor, counts: Tensor | null, offsets: Tensor): Tensor {
    const starts = this.#options.includeLastOffset ? offsets.slice([[0, -1]]) : offsets;
    const bags = starts.size;
    const bag = arange(rows.shape[0]).unsqueeze(1).ge(starts).cast("i32").sum(1).sub(1);
    if (this.#mode === "max") {
      const here = bag.eq(arange(bags).unsqueeze(1));
      const of = (counts ? here.logicalAnd(counts) : here).unsqueeze(2);
      return greatest(where(of, rows, Number.NEGATIVE_INFINITY));
    }
    const ones = (counts ?? bag.ge(0)).unsqueeze(1).cast("f32");
    const sum = indexAdd(zeros([bags, this.embeddingDim]), 0, bag, counts ? where(counts.unsqueeze(1), rows, 0) : rows);
    return this.#mode === "sum" ? sum : sum.div(maximum(indexAdd(zeros([bags, 1]), 0, bag, ones), 1));
  }

  #check(indices: Tensor, offsets: Tensor | undefined, weights: Tensor | undefined): void {
    if (offsets) checkIntegers(OP, "offsets", offsets);
    const last = this.#options.includeLastOffset ? 1 : 0;
    if (indices.rank !== (offsets ? 1 : 2) || (offsets && (offsets.rank !== 1 || offsets.size <= last))) {
      fail({
        op: OP,
        expected: "indices (B, L), or indices (n) with offsets (B)",
        got: `${show(indices.shape)} with ${offsets ? `offsets ${show(offsets.shape)}` : "no offsets"}`,
      });
    }
    if (!weights) return;
    if (this.#mode !== "sum") {
      fail({ op: OP, expected: 'mode "sum" with perSampleWeights', got: `"${this.#mode}"` });
    }
    if (show(weights.shape) !== show(indices.shape)) {
      fail({ op: OP, expected: `perSampleWeights ${show(indices.shape)}`, got: show(weights.shape) });
    }
  }
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

const OP = "embeddingBag";

/** Maximum over axis 1, 0 where there is only −∞. */
function greatest(x: Tensor): Tensor {
  const most = x.max(1);
  return where(most.eq(Number.NEGATIVE_INFINITY), 0, most);
}

// Attention of a decoder to an encoder's outputs, as sequence-to-sequence models have it: additive, and by products.

import { fail, Module, scope, show, type Tensor } from "@nn/tensor";
import { checkCount, checkNumber } from "../check.js";
import { Linear } from "../linear.js";
import { type Attended, attend, inverted } from "./attend.js";

/** Options of a call of {@link AdditiveAttention} and {@link DotAttention}. */
export interface SequenceAttentionOptions {
  /** (N, S): bool, true where a key is padding and ignored; or f32, added to the scores. */
  readonly keyPaddingMask?: Tensor;
}

/** What the two share: shapes, and the way from scores to output. */
abstract class SequenceAttention extends Module {
  /** @returns the scores (N, L, S) of queries (N, L, Q) and keys (N, S, K) */
  protected abstract scores(query: Tensor, keys: Tensor, options: SequenceAttentionOptions): Tensor;

  /** Features of queries and keys, where they are fixed. */
  protected abstract sizes(): readonly [query: number | null, key: number | null];

  /**
   * @param query (N, Q), the state of the decoder, or (N, L, Q), those of L steps
   * @param keys (N, S, K), what the encoder gave
   * @param values (N, S, V) (default: keys)
   * @returns `output`, the context (N, V) or (N, L, V), and `weights` (N, S) or (N, L, S)
   * @throws if shapes or dtypes do not fit
   */
  override forward(
    query: Tensor,
    keys: Tensor,
    values: Tensor = keys,
    options: SequenceAttentionOptions = {},
  ): Attended {
    const op = this.constructor.name;
    const [q, k] = this.sizes();
    const single = query.rank === 2;
    const [rows, steps] = keys.shape;
    const fits =
      (single || query.rank === 3) &&
      keys.rank === 3 &&
      values.rank === 3 &&
      [query.shape[0], values.shape[0]].every((n) => n === rows) &&
      values.shape[1] === steps &&
      (q === null ? query.shape.at(-1) === keys.shape[2] : query.shape.at(-1) === q && keys.shape[2] === k);
    if (!fits) {
      fail({
        op,
        expected: `query (N, ${q ?? "K"}) or (N, L, ${q ?? "K"}), keys (N, S, ${k ?? "K"}) and values (N, S, V)`,
        got: [query, keys, values].map((t) => show(t.shape)).join(", "),
      });
    }
    const { keyPaddingMask: mask } = options;
    if (mask && show(mask.shape) !== show([rows, steps]))
      fail({ op, expected: `keyPaddingMask ${show([rows, steps])}`, got: show(mask.shape) });
    return scope(() => {
      const scores = this.scores(single ? query.unsqueeze(1) : query, keys, options);
      const { output, weights } = attend(op, scores, values, [mask ? inverted(mask).unsqueeze(1) : null]);
      return single ? { output: output.squeeze(1), weights: weights.squeeze(1) } : { output, weights };
    });
  }
}

/** Options of a call of {@link AdditiveAttention}. */
export interface AdditiveAttentionOptions extends SequenceAttentionOptions {
  /** `attention.keyProj.forward(keys)` (N, S, A), computed once for all steps of a decoder. */
  readonly projectedKeys?: Tensor;
}

/**
 * Attention with the scores `v·tanh(W·query + U·key)` ([Bahdanau, Cho and Bengio,
 * 2014](https://arxiv.org/abs/1409.0473)). L queries at once hold L · S · A numbers per row.
 *
 * State: `queryProj.weight` (A, Q), `keyProj.weight` (A, K), `keyProj.bias` (A), `score.weight` (1, A), initialised as
 * Linear.
 *
 * @example
 * ```ts
 * const attention = new AdditiveAttention(128, 64, 32);
 * const { output } = attention.forward(state, encoded, encoded, { keyPaddingMask }); // (N, 128), (N, S, 64) → (N, 64)
 * ```
 */
export class AdditiveAttention extends SequenceAttention {
  readonly queryProj: Linear;
  readonly keyProj: Linear;
  readonly score: Linear;

  /**
   * @param hiddenSize A, features that queries and keys are added in
   * @throws if a size is not a whole number ≥ 1
   */
  constructor(
    readonly querySize: number,
    readonly keySize: number,
    readonly hiddenSize: number,
  ) {
    super();
    for (const [name, n] of Object.entries({ querySize, keySize, hiddenSize }))
      checkCount("AdditiveAttention", name, n);
    this.queryProj = new Linear(querySize, hiddenSize, { bias: false });
    this.keyProj = new Linear(keySize, hiddenSize);
    this.score = new Linear(hiddenSize, 1, { bias: false });
  }

  override forward(query: Tensor, keys: Tensor, values?: Tensor, options?: AdditiveAttentionOptions): Attended {
    return super.forward(query, keys, values, options);
  }

  protected override scores(query: Tensor, keys: Tensor, { projectedKeys }: AdditiveAttentionOptions): Tensor {
    const k = projectedKeys ?? this.keyProj.forward(keys);
    const wanted = show([...keys.shape.slice(0, 2), this.hiddenSize]);
    if (show(k.shape) !== wanted)
      fail({ op: "AdditiveAttention", expected: `projectedKeys ${wanted}`, got: show(k.shape) });
    const sums = this.queryProj.forward(query).unsqueeze(2).add(k.unsqueeze(1)); // (N, L, S, A)
    return this.score.forward(sums.tanh()).squeeze(3);
  }

  protected override sizes(): readonly [number, number] {
    return [this.querySize, this.keySize];
  }
}

/** Options of {@link DotAttention}. */
export interface DotAttentionOptions {
  /** Factor of the scores (default 1). */
  readonly scale?: number;
}

/**
 * Attention with the scores `query·key`, or with sizes `(W·query)·key`: "dot" and "general" of
 * [Luong, Pham and Manning, 2015](https://arxiv.org/abs/1508.04025).
 *
 * State: with sizes `proj.weight` (K, Q), initialised as Linear; else none.
 *
 * @example
 * ```ts
 * new DotAttention().forward(state, encoded); // (N, K), (N, S, K) → output (N, K), weights (N, S)
 * new DotAttention(128, 64).forward(state, encoded); // (N, 128), (N, S, 64) → (N, 64), (N, S)
 * ```
 */
export class DotAttention extends SequenceAttention {
  readonly proj: Linear | null;
  readonly scale: number;

  /**
   * @param querySize Q (default: that of the keys, and no weights)
   * @param keySize K (default Q)
   * @throws if a size is not a whole number ≥ 1, or the scale not finite
   */
  constructor(querySize?: number, keySize = querySize, { scale = 1 }: DotAttentionOptions = {}) {
    super();
    this.scale = checkNumber("DotAttention", "scale", scale);
    if (querySize !== undefined) checkCount("DotAttention", "querySize", querySize);
    if (keySize !== undefined) checkCount("DotAttention", "keySize", keySize);
    this.proj = querySize && keySize ? new Linear(querySize, keySize, { bias: false }) : null;
  }

  protected override scores(query: Tensor, keys: Tensor): Tensor {
    const q = this.proj ? this.proj.forward(query) : query;
    return (this.scale === 1 ? q : q.mul(this.scale)).matmul(keys.transpose());
  }

  protected override sizes(): readonly [number | null, number | null] {
    return [this.proj?.inFeatures ?? null, this.proj?.outFeatures ?? null];
  }
}

// scaledDotProductAttention: softmax(q·kᵀ·scale)·v.

import { fail, scope, show, type Tensor } from "@nn/tensor";
import { checkNumber, checkProbability } from "../check.js";
import { attend, causalMask } from "./attend.js";

/** Options of {@link scaledDotProductAttention}. */
export interface ScaledDotProductOptions {
  /** Broadcastable to (…, L, S): bool, true where a key takes part, or f32, added to the scores. */
  readonly attnMask?: Tensor;
  /** Probability that a weight is dropped, also outside of training (default 0). */
  readonly dropoutP?: number;
  /** Whether query i sees only keys 0 to i (default false). */
  readonly isCausal?: boolean;
  /** Factor of the scores (default 1/√E). */
  readonly scale?: number;
}

/**
 * `softmax(q·kᵀ·scale + mask)·v` (Vaswani et al., 2017), as
 * [torch.nn.functional.scaled_dot_product_attention](https://pytorch.org/docs/stable/generated/torch.nn.functional.scaled_dot_product_attention.html).
 * A query that may see no key gives 0. Here a mask may go together with `isCausal`.
 *
 * @param query (…, L, E)
 * @param key (…, S, E)
 * @param value (…, S, V)
 * @returns (…, L, V); leading axes broadcast
 * @throws if shapes do not fit or a mask is neither bool nor f32
 * @example
 * ```ts
 * scaledDotProductAttention(q, k, v, { isCausal: true });
 * ```
 */
export function scaledDotProductAttention(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  { attnMask, dropoutP = 0, isCausal = false, scale }: ScaledDotProductOptions = {},
): Tensor {
  const [queries, size] = query.shape.slice(-2);
  const keys = key.shape.at(-2)!;
  if (Math.min(query.rank, key.rank, value.rank) < 2 || size !== key.shape.at(-1) || keys !== value.shape.at(-2)) {
    fail({
      op: OP,
      expected: "query (…, L, E), key (…, S, E) and value (…, S, V)",
      got: [query, key, value].map((t) => show(t.shape)).join(", "),
    });
  }
  checkProbability(OP, "dropoutP", dropoutP);
  const factor = checkNumber(OP, "scale", scale ?? 1 / Math.sqrt(size));
  return scope(() => {
    const scores = query.mul(factor).matmul(key.transpose());
    const masks = [attnMask ?? null, isCausal ? causalMask(queries, keys) : null];
    return attend(OP, scores, value, masks, dropoutP).output;
  });
}

const OP = "scaledDotProductAttention";

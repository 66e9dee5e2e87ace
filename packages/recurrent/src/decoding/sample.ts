// sample: class numbers drawn from logits, with temperature, top-k and top-p.

import {
  arange,
  cumsum,
  fail,
  type Generator,
  gather,
  maximum,
  rand,
  scope,
  show,
  sort,
  type Tensor,
  where,
} from "@nn/tensor";

/** Options of {@link sample}. */
export interface SampleOptions {
  /**
   * What logits are divided by (default 1): below 1 the likely gets likelier; 0 takes the greatest, with no chance in
   * it.
   */
  readonly temperature?: number;
  /** Only the k greatest logits count (default: all). */
  readonly topK?: number;
  /** Of these, only as many of the likeliest as together have at least this probability (default 1: all). */
  readonly topP?: number;
  /** Decides instead of the default one, which `manualSeed` seeds. */
  readonly generator?: Generator;
}

/**
 * Draws one class per row from `softmax(logits / temperature)`, cut to the likeliest (top-k: Fan et al., 2018; top-p,
 * or nucleus: Holtzman et al., 2019). The k are exactly k, of equals the first; at least one class is left. A logit of
 * −∞ is never drawn. Probabilities are right to 2⁻²⁴. Runs in compiled steps, too.
 *
 * With topK or topP the classes are sorted, which takes their number squared on a backend that has no kernel for it.
 *
 * @param logits (…, C)
 * @returns class numbers (…) i32
 * @throws {@link NNError} if there are no classes, or an option is out of its range
 * @example
 * ```ts
 * const token = sample(logits, { temperature: 0.8, topP: 0.9 }); // (N, C) → (N)
 * ```
 */
export function sample(logits: Tensor, { temperature = 1, topK, topP = 1, generator }: SampleOptions = {}): Tensor {
  const classes = logits.shape.at(-1) ?? 0;
  if (classes === 0) fail({ op: "sample", expected: "logits (…, C)", got: show(logits.shape) });
  check("temperature, finite and ≥ 0", temperature, temperature >= 0 && temperature < Number.POSITIVE_INFINITY);
  check("topK, a whole number ≥ 1", topK, topK === undefined || (Number.isInteger(topK) && topK >= 1));
  check("topP above 0, up to 1", topP, topP > 0 && topP <= 1);
  if (temperature === 0) return logits.argmax(-1);
  const k = Math.min(topK ?? classes, classes);
  return scope(() => {
    const scaled = temperature === 1 ? logits : logits.div(temperature);
    // The class with the least E/p, E exponential, is one with probability p: the greatest of log p − log E (Gumbel's
    // trick). Unlike a search in running sums, no rounding can lead it to a class of probability 0.
    const noise = maximum(
      rand(logits.shape, generator ? { generator } : {})
        .neg()
        .add(1)
        .log()
        .neg(),
      2 ** -25,
    );
    const drawn = (t: Tensor) => t.sub(noise.log()).argmax(-1);
    if (k === classes && topP === 1) return drawn(scaled);
    const { values, indices } = sort(scaled, { descending: true });
    const first = where(arange(classes).lt(k), values, Number.NEGATIVE_INFINITY);
    const p = first.softmax(-1);
    const before = cumsum(p, -1).sub(p); // the probability of all that come before
    const nucleus = topP === 1 ? first : where(before.lt(topP), first, Number.NEGATIVE_INFINITY);
    return gather(indices, -1, drawn(nucleus).unsqueeze(-1)).squeeze(-1);
  });
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

function check(expected: string, got: number | undefined, fits: boolean): void {
  if (!fits) fail({ op: "sample", expected, got: `${got}` });
}

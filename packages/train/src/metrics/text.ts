// Metrics of sequences: character and word error rate, BLEU.

import { fail } from "@nn/tensor";
import { checkWhole } from "../check.js";
import type { Metric } from "./metric.js";

/** A text, or its tokens. */
export type Sequence = string | readonly (string | number)[];

/** Edits over length of what was right, of all sequences together. */
abstract class ErrorRate implements Metric<Sequence | readonly Sequence[], Sequence | readonly Sequence[]> {
  #state = { edits: 0, length: 0 };

  reset(): void {
    this.#state = { edits: 0, length: 0 };
  }
  /** @param output a text or several, @param target as many right ones */
  update(output: Sequence | readonly Sequence[], target: Sequence | readonly Sequence[]): void {
    const [outputs, targets] = [listOf(output), listOf(target)];
    checkCount(this.constructor.name, outputs, targets);
    for (const [i, right] of targets.entries()) {
      const tokens = this.tokens(right);
      this.#state.edits += editDistance(this.tokens(outputs[i]), tokens);
      this.#state.length += tokens.length;
    }
  }
  result(): number {
    return this.#state.edits / this.#state.length;
  }
  stateDict() {
    return { ...this.#state };
  }
  loadStateDict(state: { edits: number; length: number }): void {
    this.#state = { ...state };
  }
  protected abstract tokens(text: Sequence): readonly (string | number)[];
}

/** Insertions, deletions and replacements of characters, over the number of characters that are right. Unicode characters count as one. */
export class CharacterErrorRate extends ErrorRate {
  protected override tokens(text: Sequence): readonly (string | number)[] {
    return typeof text === "string" ? [...text] : text;
  }
}

/** As {@link CharacterErrorRate}, of words: what white space parts. */
export class WordErrorRate extends ErrorRate {
  protected override tokens(text: Sequence): readonly (string | number)[] {
    return typeof text === "string" ? words(text) : text;
  }
}

interface BleuState {
  matches: number[];
  totals: number[];
  output: number;
  reference: number;
}

/**
 * BLEU of a corpus (Papineni et al., 2002): the geometric mean of clipped n-gram precisions for n = 1 … `maxN`, times the brevity penalty
 * against the reference that is nearest in length. From 0 to 1, without smoothing: 0 if no n-gram of some n is right. Strings are parted
 * at white space; bring your own tokens for anything better.
 *
 * @example
 * ```ts
 * const bleu = new BLEU();
 * bleu.update("the cat sat on the mat", ["the cat sat on a mat", "a cat was on the mat"]);
 * ```
 */
export class BLEU implements Metric<Sequence, Sequence | readonly Sequence[]> {
  readonly #maxN: number;
  #state: BleuState;

  constructor({ maxN = 4 }: { readonly maxN?: number } = {}) {
    this.#maxN = checkWhole("BLEU", "maxN", maxN);
    this.#state = this.#start();
  }
  reset(): void {
    this.#state = this.#start();
  }

  /** Adds one sentence, with one reference or several. Several tokenised references are an array of arrays. */
  update(output: Sequence, references: Sequence | readonly Sequence[]): void {
    const said = tokensOf(output);
    const right = listOf(references).map(tokensOf);
    if (right.length === 0) fail({ op: "BLEU", expected: "at least one reference", got: "none" });
    const state = this.#state;
    state.output += said.length;
    const distance = (length: number) => Math.abs(length - said.length);
    state.reference += right
      .map(({ length }) => length)
      .reduce((a, b) => (distance(b) < distance(a) || (distance(b) === distance(a) && b < a) ? b : a));
    for (let n = 1; n <= this.#maxN; n++) {
      const allowed = right.map((tokens) => ngrams(tokens, n));
      for (const [gram, count] of ngrams(said, n)) {
        state.totals[n - 1] += count;
        state.matches[n - 1] += Math.min(count, Math.max(...allowed.map((a) => a.get(gram) ?? 0)));
      }
    }
  }
  result(): number {
    const { matches, totals, output, reference } = this.#state;
    if (reference === 0) return Number.NaN;
    if (matches.includes(0)) return 0;
    const logs = matches.reduce((sum, m, i) => sum + Math.log(m / totals[i]), 0) / this.#maxN;
    return Math.exp(logs + Math.min(0, 1 - reference / output));
  }
  stateDict(): BleuState {
    return structuredClone(this.#state);
  }
  loadStateDict(state: BleuState): void {
    this.#state = structuredClone(state);
  }

  #start(): BleuState {
    const none = () => new Array<number>(this.#maxN).fill(0);
    return { matches: none(), totals: none(), output: 0, reference: 0 };
  }
}

/** The least number of insertions, deletions and replacements that make `b` of `a` (Levenshtein). */
export function editDistance(a: readonly unknown[], b: readonly unknown[]): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (const [i, x] of a.entries()) {
    const next = [i + 1];
    for (const [j, y] of b.entries()) {
      next.push(Math.min(row[j + 1] + 1, next[j] + 1, row[j] + (x === y ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length];
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

const words = (text: string): string[] => text.split(/\s+/).filter((w) => w !== "");
const tokensOf = (text: Sequence): readonly (string | number)[] => (typeof text === "string" ? words(text) : text);

/** One text or tokens of one is a list of one; an array of texts or of token arrays is a list. */
function listOf(value: Sequence | readonly Sequence[]): readonly Sequence[] {
  if (typeof value === "string") return [value];
  const tokens = typeof value[0] === "number";
  return tokens ? [value as Sequence] : (value as readonly Sequence[]);
}

function checkCount(op: string, outputs: readonly unknown[], targets: readonly unknown[]): void {
  if (outputs.length === targets.length) return;
  fail({ op, expected: `as many outputs as targets, ${targets.length}`, got: `${outputs.length}` });
}

function ngrams(tokens: readonly (string | number)[], n: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (let i = 0; i + n <= tokens.length; i++) {
    const gram = JSON.stringify(tokens.slice(i, i + n));
    counts.set(gram, (counts.get(gram) ?? 0) + 1);
  }
  return counts;
}

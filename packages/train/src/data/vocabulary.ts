// Vocabularies: text as numbers, by characters, words or bytes.

import { fail } from "@nn/tensor";

/**
 * How text is parted: into words, in lower case and with punctuation by itself; at white space alone, all else as it is,
 * for text that is tokenized already; or into characters, which are code points.
 */
export type TokenUnit = "word" | "whitespace" | "character";

/** Options of {@link Vocabulary}. */
export interface VocabularyOptions {
  /** How text is parted (default "word"). */
  readonly by?: TokenUnit;
  /** Only the most frequent, this many, special ones included (default: all). */
  readonly maxSize?: number;
  /** Only what occurs this often (default 1). */
  readonly minCount?: number;
  /** Special tokens, which get the first numbers (default `["<pad>", "<unk>"]`). Without `"<unk>"`, unknown ones are an error. */
  readonly special?: readonly string[];
}

/**
 * Numbers for the words or characters of texts: special tokens first, then the most frequent, equals in the order of their code points. Saved with
 * `JSON.stringify`; comes back with {@link Vocabulary.from}.
 *
 * @example
 * ```ts
 * const vocabulary = Vocabulary.of(texts, { by: "word", maxSize: 10_000 });
 * vocabulary.encode("a fine film"); // Int32Array
 * ```
 */
export class Vocabulary {
  readonly #numbers: ReadonlyMap<string, number>;

  private constructor(
    readonly tokens: readonly string[],
    readonly by: TokenUnit,
  ) {
    this.#numbers = new Map(tokens.map((token, i) => [token, i]));
  }

  /** @throws if `by` is none of the units */
  static of(texts: Iterable<string>, options: VocabularyOptions = {}): Vocabulary {
    const { by = "word", maxSize = Infinity, minCount = 1, special = ["<pad>", "<unk>"] } = options;
    if (!(by in parted)) fail({ op: "Vocabulary.of", expected: `by ${units}`, got: `${by}` });
    const counts = new Map<string, number>();
    for (const text of texts) for (const token of tokenize(text, by)) counts.set(token, (counts.get(token) ?? 0) + 1);
    for (const token of special) counts.delete(token);
    const found = [...counts]
      .filter(([, count]) => count >= minCount)
      .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
    const kept = found.slice(0, Math.max(0, maxSize - special.length)).map(([token]) => token);
    return new Vocabulary([...special, ...kept], by);
  }

  /** A vocabulary from what `JSON.stringify` made of one. */
  static from({ tokens, by }: { readonly tokens: readonly string[]; readonly by: TokenUnit }): Vocabulary {
    if (!Array.isArray(tokens) || new Set(tokens).size !== tokens.length || !(by in parted)) {
      fail({ op: "Vocabulary.from", expected: `{ tokens: each once, by: ${units} }`, got: "something else" });
    }
    return new Vocabulary([...tokens], by);
  }

  get size(): number {
    return this.tokens.length;
  }

  /** The number of a token; that of `<unk>` if it is unknown. */
  index(token: string): number {
    const known = this.#numbers.get(token) ?? this.#numbers.get("<unk>");
    if (known !== undefined) return known;
    return fail({
      op: "Vocabulary",
      expected: "a token that is in the vocabulary",
      got: JSON.stringify(token),
      hint: 'Make it with "<unk>" among the special tokens.',
    });
  }

  encode(text: string): Int32Array {
    return Int32Array.from(tokenize(text, this.by), (token) => this.index(token));
  }

  /** The text of numbers: words with spaces between them. */
  decode(numbers: ArrayLike<number>): string {
    return Array.from(numbers, (n) => {
      if (n in this.tokens) return this.tokens[n];
      return fail({ op: "Vocabulary", expected: `numbers from 0 to ${this.size - 1}`, got: `${n}` });
    }).join(this.by === "character" ? "" : " ");
  }

  toJSON(): { tokens: readonly string[]; by: TokenUnit } {
    return { tokens: this.tokens, by: this.by };
  }
}

/** Text as its UTF-8 bytes, 0 to 255: a vocabulary that needs no training and knows everything. */
export const byteVocabulary = {
  size: 256,
  encode: (text: string): Int32Array => Int32Array.from(new TextEncoder().encode(text)),
  /** Bytes that are no UTF-8 become U+FFFD. */
  decode: (numbers: ArrayLike<number>): string => new TextDecoder().decode(Uint8Array.from(numbers)),
} as const;

/** The parts of a text. */
export function tokenize(text: string, by: TokenUnit): string[] {
  return parted[by](text);
}

const parted: Readonly<Record<TokenUnit, (text: string) => string[]>> = {
  word: (text) => text.toLowerCase().match(/[\p{L}\p{N}\p{M}_'’]+|[^\s\p{L}\p{N}\p{M}_'’]/gu) ?? [],
  whitespace: (text) => text.match(/\S+/gu) ?? [],
  character: (text) => [...text],
};
const units = '"word", "whitespace" or "character"';

/** The network of `translate`: a GRU reads a sentence in both directions, two others write its translation, looking back at what was read. */
import { DotAttention, Dropout, Embedding, Linear } from "@nn/layers";
import { GRU } from "@nn/recurrent";
import { cat, Module, type Tensor, Variable, zeros } from "@nn/tensor";
import type { Padded } from "@nn/train";

export interface TranslatorOptions {
  /** Sizes of the two vocabularies. */
  readonly source: number;
  readonly target: number;
  readonly hidden: number;
  /** Without it, all that the writer knows of the sentence is one vector. */
  readonly attention: boolean;
  readonly dropout: number;
}

/** Source words (N, S) i32, 0 behind the end, with their lengths, and target words (N, L), beginning with BOS. */
export interface Pair {
  readonly source: Padded;
  readonly target: Tensor;
}

/** What the writer carries from word to word; one row per sentence. */
export interface Writing {
  /** Of the two GRUs, (N, H) each. */
  readonly states: readonly Tensor[];
  /** What was read: (N, S, 2H), and (N, S), true where there is no word. */
  readonly memory: Tensor;
  readonly padding: Tensor;
}

/**
 * The first GRU of the writer knows the words before; what it attends to goes into the second, beside its output. So, unlike with the
 * one of Bahdanau et al. (2014), all words of a known translation go through each layer at once. The last matrix is the target
 * words' vectors (Press and Wolf, 2017).
 */
export class Translator extends Module {
  readonly sourceWords: Embedding;
  readonly targetWords: Embedding;
  readonly reader: GRU;
  readonly start: Linear;
  readonly first: GRU;
  readonly attention: DotAttention;
  readonly second: GRU;
  readonly readout: Linear;
  readonly bias: Variable;
  readonly dropout: Dropout;

  constructor(readonly options: TranslatorOptions) {
    super();
    const { source, target, hidden, dropout } = options;
    this.sourceWords = words(source, hidden);
    this.targetWords = words(target, hidden);
    this.reader = new GRU(hidden, hidden, { batchFirst: true, bidirectional: true });
    this.start = new Linear(2 * hidden, 2 * hidden);
    this.first = new GRU(hidden, hidden, { batchFirst: true });
    this.attention = new DotAttention(hidden, 2 * hidden);
    this.second = new GRU(3 * hidden, hidden, { batchFirst: true });
    this.readout = new Linear(4 * hidden, hidden);
    this.bias = new Variable(zeros([target]));
    this.dropout = new Dropout(dropout);
  }

  /** → logits (N, L, target words) of the word after each. */
  override forward({ source, target }: Pair): Tensor {
    return this.write(this.read(source), target).logits;
  }

  read({ values, lengths }: Padded): Writing {
    const x = this.dropout.forward(this.sourceWords.forward(values));
    const { output, h } = this.reader.forward(x, undefined, { lengths });
    const ends = cat([h.select(0, 0), h.select(0, 1)], 1); // (N, 2H)
    const states = this.start.forward(ends).tanh().reshape([-1, 2, this.options.hidden]);
    return {
      states: [states.select(1, 0), states.select(1, 1)],
      memory: this.options.attention ? output : ends.unsqueeze(1),
      padding: this.options.attention ? values.eq(0) : zeros([values.shape[0], 1], { dtype: "bool" }),
    };
  }

  /** The words `target` (N, L) are added to what is written; `weights` (N, L, S) say where the writer looked. */
  write({ states, memory, padding }: Writing, target: Tensor): { logits: Tensor; weights: Tensor; after: Writing } {
    const x = this.dropout.forward(this.targetWords.forward(target));
    const one = this.first.forward(x, states[0].unsqueeze(0));
    const { output: seen, weights } = this.attention.forward(one.output, memory, memory, { keyPaddingMask: padding });
    const two = this.second.forward(cat([one.output, seen], 2), states[1].unsqueeze(0));
    const out = this.readout.forward(cat([two.output, seen, x], 2)).tanh();
    const logits = this.dropout.forward(out).matmul(this.targetWords.weight.value.transpose()).add(this.bias.value);
    return { logits, weights, after: { states: [one.h.squeeze(0), two.h.squeeze(0)], memory, padding } };
  }
}

// ---------------------------------------------------------------------------------------------

function words(count: number, size: number): Embedding {
  const embedding = new Embedding(count, size, { paddingIdx: 0 });
  embedding.weight.value = embedding.weight.value.mul(0.1);
  return embedding;
}

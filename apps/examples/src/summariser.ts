/** The network of `summarise`: a pointer-generator (See, Liu and Manning, 2017) of GRUs, or the same without its pointer. */
import { DotAttention, Embedding, Linear } from "@nn/layers";
import { GRU } from "@nn/recurrent";
import { cat, Module, pad, scatterAdd, type Tensor, where, zeros } from "@nn/tensor";
import type { Padded } from "@nn/train";
import { RECORD, UNKNOWN } from "./summary-data.js";

/** A record (N, S) in extended numbers, with its length, and the words before each of the summary (N, L). */
export interface Task {
  readonly record: Padded;
  readonly before: Tensor;
}

/** What goes from word to word: the state (N, H), and the record: what was read (N, S, 2H), and its numbers (N, S). */
export interface Writing {
  readonly state: Tensor;
  readonly memory: Tensor;
  readonly record: Tensor;
}

const HIDDEN = 64;

export class Summariser extends Module {
  readonly embedding: Embedding;
  readonly reader = new GRU(HIDDEN, HIDDEN, { batchFirst: true, bidirectional: true });
  readonly start = new Linear(2 * HIDDEN, HIDDEN);
  readonly writer = new GRU(HIDDEN, HIDDEN, { batchFirst: true });
  readonly attention = new DotAttention(HIDDEN, 2 * HIDDEN);
  readonly readout = new Linear(3 * HIDDEN, HIDDEN);
  readonly head: Linear;
  /** Whether to point or to write. */
  readonly gate = new Linear(3 * HIDDEN, 1);

  /** @param words of the vocabulary; there are up to RECORD numbers behind it, of words that only the record has */
  constructor(
    readonly words: number,
    readonly pointer: boolean,
  ) {
    super();
    this.embedding = new Embedding(words, HIDDEN);
    this.head = new Linear(HIDDEN, words);
  }

  /** → log-probabilities (N, L, words + RECORD) of the word after each. */
  override forward({ record, before }: Task): Tensor {
    return this.write(this.read(record), before).logProbs;
  }

  read({ values: record, lengths }: Padded): Writing {
    const { output, h } = this.reader.forward(this.embed(record), undefined, { lengths });
    return { state: this.start.forward(cat([h.select(0, 0), h.select(0, 1)], 1)).tanh(), memory: output, record };
  }

  write({ state, memory, record }: Writing, before: Tensor): { logProbs: Tensor; weights: Tensor; after: Writing } {
    const { output, h } = this.writer.forward(this.embed(before), state.unsqueeze(0));
    const padding = { keyPaddingMask: record.eq(0) };
    const { output: seen, weights } = this.attention.forward(output, memory, memory, padding);
    const known = cat([output, seen], 2);
    const written = this.head.forward(this.readout.forward(known).tanh()).softmax(2); // (N, L, words)
    const room: [number, number][] = [[0, 0], [0, 0], [0, RECORD]]; // biome-ignore format: short
    const after = { state: h.squeeze(0), memory, record };
    const [N, L] = before.shape;
    if (!this.pointer) return { logProbs: pad(written, room).add(TINY).log(), weights, after };
    const point = this.gate.forward(known).sigmoid();
    const places = record.unsqueeze(1).expand([N, L, RECORD]);
    const copied = scatterAdd(zeros([N, L, this.words + RECORD]), 2, places, weights.mul(point));
    return {
      logProbs: pad(written.mul(point.neg().add(1)), room)
        .add(copied)
        .add(TINY)
        .log(),
      weights,
      after,
    };
  }

  /** Words that are not in the vocabulary all look the same: what they are must come from the fields around them. */
  private embed(numbers: Tensor): Tensor {
    return this.embedding.forward(where(numbers.ge(this.words), UNKNOWN, numbers));
  }
}

const TINY = 1e-9;

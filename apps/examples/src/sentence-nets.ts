/** The networks of `sentiment`. Both learn their word vectors from nothing but the training sentences. */
import { Conv1d } from "@nn/conv";
import { Dropout, Embedding, Linear, ModuleList } from "@nn/layers";
import { LSTM } from "@nn/recurrent";
import { cat, Module, type Tensor, where } from "@nn/tensor";

/** Words (N, T) as numbers, with the lengths (N) of the sentences. */
interface Words {
  readonly values: Tensor;
  readonly lengths: Tensor;
}

export const DIM = 64;

/** Kim (2014): windows of 3, 4 and 5 words, of each kind the strongest answer in the sentence. Words → logits (N, 2). */
export class SentenceCNN extends Module {
  readonly embedding: Embedding;
  readonly convs = new ModuleList([3, 4, 5].map((width) => new Conv1d(DIM, 100, width, { padding: width })));
  readonly dropout = new Dropout(0.5);
  readonly fc = new Linear(300, 2);

  constructor(words: number) {
    super();
    this.embedding = wordVectors(words);
  }

  override forward({ values }: Words): Tensor {
    const x = this.dropout.forward(this.embedding.forward(values)).transpose(1, 2); // (N, DIM, T)
    // The first window sees nothing but padding in every sentence, so further padding changes no maximum.
    const strongest = this.convs.modules.map((conv) => conv.forward(x).relu().max(2));
    return this.fc.forward(this.dropout.forward(cat(strongest, 1)));
  }
}

/** Reads each sentence in both directions; of each feature the maximum over the words. Words → logits (N, 2). */
export class SentenceBiLSTM extends Module {
  readonly embedding: Embedding;
  readonly lstm = new LSTM(DIM, 64, { batchFirst: true, bidirectional: true });
  readonly dropout = new Dropout(0.5);
  readonly fc = new Linear(128, 2);

  constructor(words: number) {
    super();
    this.embedding = wordVectors(words);
  }

  override forward({ values, lengths }: Words): Tensor {
    const x = this.dropout.forward(this.embedding.forward(values));
    const { output } = this.lstm.forward(x, undefined, { lengths }); // (N, T, 128), 0 behind the end
    const inside = values.ne(0).unsqueeze(2);
    return this.fc.forward(this.dropout.forward(where(inside, output, -1).max(1)));
  }
}

export const NETWORKS: Readonly<Record<string, (words: number) => Module>> = {
  CNN: (words) => new SentenceCNN(words),
  BiLSTM: (words) => new SentenceBiLSTM(words),
};

// ---------------------------------------------------------------------------------------------

/** With PyTorch's deviation of 1 the vectors of rare words would stay what chance made them. */
function wordVectors(words: number): Embedding {
  const embedding = new Embedding(words, DIM, { paddingIdx: 0 });
  embedding.weight.value = embedding.weight.value.mul(0.1);
  return embedding;
}

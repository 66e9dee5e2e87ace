/**
 * `sentiment`: films praised or torn apart (SST-2), by a convolutional network after Kim (2014) and by a BiLSTM. Both learn
 * their word vectors from nothing but the training sentences.
 */
import { join } from "node:path";
import { Conv1d } from "@nn/conv";
import { crossEntropy, Dropout, Embedding, Linear, ModuleList } from "@nn/layers";
import { AdamW, PolynomialLR } from "@nn/optim";
import { LSTM } from "@nn/recurrent";
import { cat, Module, manualSeed, sizeOf, type Tensor, where } from "@nn/tensor";
import {
  Accuracy,
  buckets,
  type Dataset,
  EarlyStopping,
  evaluate,
  fit,
  loader,
  predict,
  sequences,
  Vocabulary,
} from "@nn/train";
import { COMMON_HELP, type CommonOptions, parseArguments } from "./arguments.js";
import type { Example } from "./example.js";
import { readBytes, requireFolder, wrong } from "./files.js";
import { follow } from "./follow.js";
import { drawOpinions } from "./generated.js";
import { random } from "./random.js";

export interface SentimentOptions extends CommonOptions {
  /** Folder of the three files; null: generated sentences. */
  readonly data: string | null;
  /** Passes over the data. */
  readonly epochs: number;
}

const FILES = { train: "stsa.binary.train", validation: "stsa.binary.dev", test: "stsa.binary.test" } as const;
const PARTS = Object.keys(FILES) as (keyof typeof FILES)[];

/** Words to try the networks on: not from the data. */
const SENTENCES = [
  "a warm , funny and beautifully acted film .",
  "a dull and predictable mess .",
  "not bad at all , and often very funny .",
  "it has good actors , but the story is a waste of their talent .",
];

export const sentiment: Example<SentimentOptions> = {
  help: `Trains a CNN and a BiLSTM to tell praise from blame in sentences about films.

Usage: npm run example -- sentiment [options]

  --data DIR         the folder with ${PARTS.map((part) => FILES[part]).join(", ")}:
                     a line per sentence, its class (0 or 1) first (generated
                     sentences)
  --epochs N         passes over the data (6)
${COMMON_HELP}  --help             show this
`,

  parse(args, folder) {
    const seeHelp = "See npm run example -- sentiment --help.";
    const given = parseArguments(args, { own: ["data", "epochs"], folder, seeHelp });
    const [data, { quick }] = [given.path("data"), given.common];
    return {
      ...given.common,
      data,
      epochs: given.integer("epochs", 1, 1000) ?? (data || !quick ? 6 : 4),
    };
  },

  async run({ data, epochs, seed }, terminal, backend) {
    const source = random(seed);
    const [train, validation, test] = data ? readAll(data) : [1000, 200, 400].map((n) => drawOpinions(source, n));
    const vocabulary = Vocabulary.of(train.texts, { minCount: 2 });
    const count = ({ texts }: Sentences) => texts.length;
    terminal.line(
      `${count(train)} sentences to train on, ${count(validation)} to choose the epoch by, ${count(test)} to test on.`,
    );
    terminal.line(
      `${vocabulary.size} words, each a vector of ${DIM} numbers, learnt with the rest: all that occur twice.`,
    );
    terminal.line(`AdamW, batches of 50, ${epochs} epochs, learning rate from 0.002 to 0; seed ${seed}, ${backend}.`);

    const rows = [["network", "weights", "epoch", "training", "validation, %", "test, %"]];
    const scores = SENTENCES.map((text) => [text]);
    const right: number[] = [];
    for (const [name, make] of Object.entries(NETWORKS)) {
      terminal.heading(name);
      manualSeed(seed);
      const model = make(vocabulary.size);
      const { data, lengths } = encode(vocabulary, train);
      const batches = loader(data, { batches: buckets(lengths, { batchSize: 50, seed }) });
      const optimizer = new AdamW(model.parameters(), { lr: 0.002 });
      const schedule = new PolynomialLR(optimizer, { totalIters: epochs * batches.length! });
      const start = performance.now();
      const best = new EarlyStopping({ monitor: "valAccuracy", patience: epochs });
      const run = fit(model, {
        loss: crossEntropy,
        optimizer,
        schedule,
        scheduleEvery: "step",
        data: batches,
        validation: encode(vocabulary, validation).data,
        metrics: { accuracy: new Accuracy() },
        epochs,
        callbacks: [best],
      });
      await follow(run, terminal);
      const seconds = (performance.now() - start) / 1000;

      const accuracy = new Accuracy();
      await evaluate(model, { data: encode(vocabulary, test).data, metrics: { accuracy } });
      right.push(100 * accuracy.result()!);
      const { value, epoch } = best.best!;
      const figures = [`${seconds.toFixed(1)} s`, percent(value), percent(accuracy.result())];
      rows.push([name, `${countWeights(model)}`, `${epoch} of ${epochs}`, ...figures]);
      const ours = sequences(SENTENCES.map((text) => vocabulary.encode(text)));
      const logits = await predict(model, ours);
      const praise = (await logits.softmax(1).select(1, 1).toArray()) as number[];
      for (const [i, row] of scores.entries()) row.push(percent(praise[i]));
    }
    terminal.heading("Results");
    terminal.table(rows);
    terminal.heading("Praise, %, of sentences of our own");
    terminal.table([["sentence", ...Object.keys(NETWORKS)], ...scores]);
    const praised = (100 * test.labels.reduce((sum, label) => sum + label, 0)) / test.labels.length;
    const against = "the most frequent class";
    return { metric: "% right (CNN)", value: right[0], baseline: Math.max(praised, 100 - praised), against };
  },
};

/** Words (N, T) as numbers, with the lengths (N) of the sentences. */
interface Words {
  readonly values: Tensor;
  readonly lengths: Tensor;
}

const DIM = 64;

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

// ---------------------------------------------------------------------------------------------

/** With PyTorch's deviation of 1 the vectors of rare words would stay what chance made them. */
function wordVectors(words: number): Embedding {
  const embedding = new Embedding(words, DIM, { paddingIdx: 0 });
  embedding.weight.value = embedding.weight.value.mul(0.1);
  return embedding;
}

const NETWORKS: Readonly<Record<string, (words: number) => Module>> = {
  CNN: (words) => new SentenceCNN(words),
  BiLSTM: (words) => new SentenceBiLSTM(words),
};

interface Sentences {
  readonly texts: readonly string[];
  /** 0: blame, 1: praise. */
  readonly labels: Int32Array;
}

/** @throws UserError */
function readAll(folder: string): Sentences[] {
  requireFolder(folder, { expected: "the folder of SST-2's three files", hint: "Give its path after --data" });
  return PARTS.map((part) => readSentences(join(folder, FILES[part])));
}

/** @throws UserError */
function readSentences(file: string): Sentences {
  const rest = { expected: "lines of a class, 0 or 1, and a sentence", hint: "Take a file of SST-2" };
  const lines = new TextDecoder()
    .decode(readBytes(file, rest))
    .split(/\r?\n/)
    .filter((line) => line.trim() !== "");
  const odd = lines.findIndex((line) => !/^[01] .*[\p{L}\p{N}]/u.test(line));
  if (odd >= 0 || lines.length === 0)
    wrong(file, { got: lines.length ? `line ${odd + 1} is something else` : "it is empty", ...rest });
  return { texts: lines.map((line) => line.slice(2)), labels: Int32Array.from(lines, (line) => Number(line[0])) };
}

/** Lengths in steps of 8, so that `compile` has few shapes to plan for. */
function encode(vocabulary: Vocabulary, { texts, labels }: Sentences): { data: Dataset; lengths: number[] } {
  const words = texts.map((text) => vocabulary.encode(text));
  return { data: sequences(words, labels, { multiple: 8 }), lengths: words.map(({ length }) => length) };
}

function countWeights(model: Module): number {
  return model.parameters().reduce((sum, { shape }) => sum + sizeOf(shape), 0);
}

function percent(share: number): string {
  return (100 * share).toFixed(1);
}

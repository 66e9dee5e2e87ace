/**
 * `sentiment`: films praised or torn apart (SST-2), by a convolutional network after Kim (2014) and by a BiLSTM. Both learn
 * their word vectors from nothing but the training sentences.
 */
import { crossEntropy } from "@nn/layers";
import { AdamW, PolynomialLR } from "@nn/optim";
import { countParameters, manualSeed } from "@nn/tensor";
import { Accuracy, buckets, EarlyStopping, evaluate, fit, loader, predict, sequences, Vocabulary } from "@nn/train";
import { COMMON_HELP, type CommonOptions, parseArguments } from "./arguments.js";
import type { Example } from "./example.js";
import { follow } from "./follow.js";
import { drawOpinions } from "./generated.js";
import { random } from "./random.js";
import { DIM, NETWORKS } from "./sentence-nets.js";
import { encode, FILES, readOpinions, type Sentences } from "./sentiment-data.js";

export interface SentimentOptions extends CommonOptions {
  /** Folder of the three files; null: generated sentences. */
  readonly data: string | null;
  /** Passes over the data. */
  readonly epochs: number;
}

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

  --data DIR         the folder with ${FILES.join(", ")}:
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
    const [train, validation, test] = data ? readOpinions(data) : [1000, 200, 400].map((n) => drawOpinions(source, n));
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
      const start = performance.now();
      const best = new EarlyStopping({ monitor: "valAccuracy", patience: epochs });
      const run = fit(model, {
        loss: crossEntropy,
        optimizer,
        schedule: (own, { steps }) => new PolynomialLR(own, { totalIters: steps }),
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
      rows.push([name, `${countParameters(model)}`, `${epoch} of ${epochs}`, ...figures]);
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

// ---------------------------------------------------------------------------------------------

function percent(share: number): string {
  return (100 * share).toFixed(1);
}

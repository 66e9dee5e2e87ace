/** `names`: a GRU reads a surname, character by character, and says from which language it is. */
import { crossEntropy, Dropout, Embedding, Linear } from "@nn/layers";
import { AdamW, PolynomialLR } from "@nn/optim";
import { GRU } from "@nn/recurrent";
import { cat, Module, manualSeed, type Tensor } from "@nn/tensor";
import { buckets, fit, loader, type Padded, predict, sequences, Vocabulary } from "@nn/train";
import { COMMON_HELP, type CommonOptions, parseArguments } from "./arguments.js";
import type { Example } from "./example.js";
import { follow } from "./follow.js";
import { heatMap } from "./heat-map.js";
import { NAMES, partNames, readNames } from "./names-data.js";
import { pictureFile } from "./plot.js";
import { accuracy, decide } from "./train.js";

export interface NamesOptions extends CommonOptions {
  /** Folder of the lists; null: a short list of four languages. */
  readonly data: string | null;
  readonly epochs: number;
  /** Where the picture goes; null: a temporary folder. */
  readonly out: string | null;
}

export const names: Example<NamesOptions> = {
  help: `Trains a GRU to say from which language a surname is.

Usage: npm run example -- names [options]

  --data DIR         a folder of lists such as Italian.txt, a surname per line; a fifth of
                     all names is for the test (50 names in each of 4 languages)
  --epochs N         passes over the data (10; 40 without --data)
  --out DIR          for the picture of what is taken for what (a temporary folder)
${COMMON_HELP}  --help             show this
`,

  parse(args, folder) {
    const seeHelp = "See npm run example -- names --help.";
    const given = parseArguments(args, { own: ["data", "epochs", "out"], folder, seeHelp });
    const data = given.path("data");
    return {
      ...given.common,
      data,
      epochs: given.integer("epochs", 1, 1000) ?? (data ? 10 : 40),
      out: given.path("out"),
    };
  },

  async run({ data, epochs, out, seed, quick }, terminal, backend) {
    const { languages, train, test } = partNames(data ? readNames(data) : NAMES, 0.2, seed);
    const few = quick ? train.slice(0, 2000) : train;
    const vocabulary = Vocabulary.of(
      few.map(({ name }) => name),
      { by: "character" },
    );
    const [x, y] = [few.map(({ name }) => vocabulary.encode(name)), Int32Array.from(few, ({ language }) => language)];
    terminal.line(`${few.length} names to train on, ${test.length} others to test on; ${languages.length} languages,`);
    terminal.line(`${vocabulary.size} characters. AdamW, ${epochs} epochs; seed ${seed}, ${backend}.\n`);

    manualSeed(seed);
    const model = new NameReader(vocabulary.size, languages.length);
    const lengths = x.map(({ length }) => length);
    const batches = buckets(lengths, { batchSize: data ? 64 : 16, seed });
    const names = loader(sequences(x, y, { multiple: 4 }), { batches });
    const start = performance.now();
    const run = fit(model, {
      loss: crossEntropy,
      optimizer: new AdamW(model.parameters(), { lr: 0.004 }),
      schedule: (optimizer, { steps }) => new PolynomialLR(optimizer, { totalIters: steps }),
      data: names,
      epochs,
      clip: 1,
    });
    await follow(run, terminal);
    terminal.line(`\nTraining took ${((performance.now() - start) / 1000).toFixed(1)} s.`);

    const unseen = sequences(test.map(({ name }) => vocabulary.encode(name)));
    const said = decide((await (await predict(model, unseen)).read()) as Float32Array, test.length);
    const labels = Int32Array.from(test, ({ language }) => language);
    const count = (list: Int32Array, language: number) => list.reduce((n, l) => n + Number(l === language), 0);
    const frequent = languages.reduce((best, _, l) => (count(y, l) > count(y, best) ? l : best), 0);
    const [value, baseline] = [100 * accuracy(said, labels), (100 * count(labels, frequent)) / labels.length];
    terminal.line(`Test: ${value.toFixed(1)} % right; always ${languages[frequent]}: ${baseline.toFixed(1)} %.`);

    // Of the names of each language (row) the share that is taken for each (column).
    const shares = languages.map((_, row) => {
      const own = said.filter((_, i) => labels[i] === row);
      return languages.map((_, column) => (100 * count(own, column)) / Math.max(own.length, 1));
    });
    const file = pictureFile(out, "names.svg");
    heatMap(file, { across: languages, down: languages, values: shares, show: (share) => share.toFixed(0) });
    terminal.line(`What is taken for what, %: ${file}\n`);
    for (const i of [0, 1, 2, 3, 4]) {
      const mark = said[i] === labels[i] ? "✓" : `✗ (${languages[labels[i]]})`;
      terminal.line(`  ${test[i].name} → ${languages[said[i]]} ${mark}`);
    }
    return { metric: "% right", value, baseline, against: `always ${languages[frequent]}` };
  },
};

/** Characters (N, T), read in both directions → logits of the languages (N, languages). */
class NameReader extends Module {
  readonly embedding: Embedding;
  readonly gru = new GRU(32, 128, { batchFirst: true, bidirectional: true });
  readonly dropout = new Dropout(0.3);
  readonly head: Linear;

  constructor(characters: number, languages: number) {
    super();
    this.embedding = new Embedding(characters, 32, { paddingIdx: 0 });
    this.head = new Linear(256, languages);
  }

  override forward({ values, lengths }: Padded): Tensor {
    const { h } = this.gru.forward(this.embedding.forward(values), undefined, { lengths });
    return this.head.forward(this.dropout.forward(cat([h.select(0, 0), h.select(0, 1)], 1)));
  }
}

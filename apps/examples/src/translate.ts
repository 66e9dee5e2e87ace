/** `translate`: German to English, by GRUs that look back at the sentence while they write, or know it as one vector only. */
import { Adam, PolynomialLR } from "@nn/optim";
import { manualSeed } from "@nn/tensor";
import { BLEU, EarlyStopping, fit, loadCheckpoint, loader, saveLast, tokenize, Vocabulary } from "@nn/train";
import { files } from "@nn/train/node";
import { COMMON_HELP, type CommonOptions, parseArguments } from "./arguments.js";
import type { Example } from "./example.js";
import { follow } from "./follow.js";
import { heatMap } from "./heat-map.js";
import { pictureFile } from "./plot.js";
import { drawPhrases, encode, pairs, readMulti30k, SPECIAL, wholeBuckets, wordByWord } from "./translation-data.js";
import {
  inOrder,
  looks,
  ownPerplexity,
  perplexity,
  rehearsal,
  translationLoss,
  translations,
} from "./translation-scores.js";
import { Translator } from "./translator.js";

export interface TranslateOptions extends CommonOptions {
  /** Folder of Multi30k; null: generated phrases. */
  readonly data: string | null;
  readonly attention: "dot" | "none";
  readonly hidden: number;
  readonly epochs: number;
  /** Where the picture goes and the run is kept, to be resumed; null: a temporary folder, and no resuming. */
  readonly out: string | null;
}

export const translate: Example<TranslateOptions> = {
  help: `Trains a translator from German to English, on Multi30k or on generated dates and times.

Usage: npm run example -- translate [options]

  --data DIR         the folder with Multi30k's files, train.de.gz and so on
  --attention KIND   dot, or none: the writer knows the sentence as one vector (dot)
  --hidden N         units of each GRU, and numbers of a word's vector (256; 64 without --data)
  --epochs N         passes over the data (5; 8 without --data)
  --out DIR          for the picture of where the network looks, and for checkpoints,
                     from which the same command goes on (a temporary folder)
${COMMON_HELP}  --help             show this
`,

  parse(args, folder) {
    const own = ["data", "attention", "hidden", "epochs", "out"];
    const given = parseArguments(args, { own, folder, seeHelp: "See npm run example -- translate --help." });
    const data = given.path("data");
    return {
      ...given.common,
      data,
      attention: given.choice("attention", ["dot", "none"]) ?? "dot",
      hidden: given.integer("hidden", 8, 1024) ?? (data ? 256 : 64),
      epochs: given.integer("epochs", 1, 1000) ?? (data ? 5 : 8),
      out: given.path("out"),
    };
  },

  async run({ data, attention, hidden, epochs, out, seed, quick }, terminal, backend) {
    const corpus = data ? await readMulti30k(data) : drawPhrases(seed, quick ? [1000, 100, 100] : [2000, 200, 200]);
    const rare = { minCount: data ? 2 : 1, special: SPECIAL };
    const [de, en] = [Vocabulary.of(corpus.train.de, rare), Vocabulary.of(corpus.train.en, rare)];
    const [train, validation, test] = [corpus.train, corpus.validation, corpus.test].map((s) => encode(de, en, s));
    terminal.line(`${train.source.length} pairs to train on, ${validation.source.length} to choose the epoch by,`);
    terminal.line(`${test.source.length} to test on; ${de.size} German words, ${en.size} English ones.`);
    terminal.line(`GRUs of ${hidden}, attention: ${attention}; Adam, ${epochs} epochs; seed ${seed}, ${backend}.\n`);

    manualSeed(seed);
    const sizes = { source: de.size, target: en.size, hidden };
    const model = new Translator({ ...sizes, attention: attention === "dot", dropout: data ? 0.4 : 0.1 });
    const rehearse = rehearsal(model, 0.5);
    const batches = loader(pairs(train), {
      batches: wholeBuckets(train, { batchSize: data ? 64 : 32, seed }),
      seed,
      map: (batch, place) => (run.history.epochs.length === 0 ? batch : rehearse(batch, place)), // first, learn the words
    });
    const store = out === null ? null : files(out);
    const best = new EarlyStopping({ patience: epochs });
    const start = performance.now();
    const run = fit(model, {
      loss: translationLoss,
      optimizer: new Adam(model.parameters(), { lr: data ? 0.002 : 0.012 }),
      schedule: (optimizer, { steps }) => new PolynomialLR(optimizer, { totalIters: steps }),
      data: batches,
      validation: inOrder(validation),
      epochs,
      clip: 1,
      callbacks: store ? [best, saveLast(store)] : [best],
      resume: store && (await loadCheckpoint(store, "last")),
    });
    await follow(run, terminal);
    const seconds = (performance.now() - start) / 1000;
    const words = train.target.reduce((sum, { length }) => sum + length - 1, 0);
    terminal.line(`\nTraining took ${seconds.toFixed(0)} s, ${Math.round((words * epochs) / seconds)} words a second.`);

    const [told, own] = [await perplexity(model, test), await ownPerplexity(model, test)];
    const said = await translations(model, test, 5);
    const bleu = (texts: readonly string[]): number => {
      const metric = new BLEU();
      for (const [i, text] of texts.entries()) metric.update(text, tokenize(corpus.test.en[i], "word").join(" "));
      return 100 * metric.result();
    };
    const ours = said.map((tokens) => en.decode(tokens));
    const [score, baseline] = [bleu(ours), bleu(corpus.test.de.map(wordByWord(corpus.train)))];
    terminal.heading("Test");
    terminal.table([
      ["", attention === "dot" ? "with attention" : "without", "published", "word by word"],
      ["perplexity, its own words before", own.toFixed(2), data ? (attention === "dot" ? "25.6" : "37.5") : "–", "–"],
      ["perplexity, the right words before", told.toFixed(2), "–", "–"],
      ["BLEU, beam of 5", score.toFixed(1), "–", baseline.toFixed(1)],
    ]);
    for (const i of [0, 1, 2]) terminal.line(`  ${corpus.test.de[i]}\n  → ${ours[i]}\n    (${corpus.test.en[i]})`);
    if (attention === "dot") {
      const file = pictureFile(out, "attention.svg");
      const [across, down] = [de.decode(test.source[0]).split(" "), [...ours[0].split(" "), "<eos>"]];
      heatMap(file, { across, down, values: await looks(model, test.source[0], said[0]) });
      terminal.line(`\nWhere it looked for each word: ${file}`);
    }
    return { metric: "BLEU", value: score, baseline, against: "word by word" };
  },
};

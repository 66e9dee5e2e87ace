/** `summarise`: a line on a record of fields, with names and numbers that were never seen, copied by a pointer. */
import { nllLoss } from "@nn/layers";
import { Adam, PolynomialLR } from "@nn/optim";
import { manualSeed, type Tensor } from "@nn/tensor";
import { fit, loader, Vocabulary } from "@nn/train";
import { COMMON_HELP, type CommonOptions, parseArguments } from "./arguments.js";
import type { Example } from "./example.js";
import { follow } from "./follow.js";
import { heatMap } from "./heat-map.js";
import { pictureFile } from "./plot.js";
import { Summariser, type Task } from "./summariser.js";
import { drawReports, reports, SPECIAL } from "./summary-data.js";
import { compare, type Scores, write } from "./summary-scores.js";

export interface SummariseOptions extends CommonOptions {
  readonly epochs: number;
  /** Where the picture goes; null: a temporary folder. */
  readonly out: string | null;
}

export const summarise: Example<SummariseOptions> = {
  help: `Trains two networks to put records of matches and of the weather into a line: one that can point at words of the record, and one
that can only write words it has learnt. They are tested on records with other names.

Usage: npm run example -- summarise [options]

  --epochs N         passes over the records (10)
  --out DIR          for the picture of where the network points (a temporary folder)
${COMMON_HELP}  --help             show this
`,

  parse(args, folder) {
    const seeHelp = "See npm run example -- summarise --help.";
    const given = parseArguments(args, { own: ["epochs", "out"], folder, seeHelp });
    return { ...given.common, epochs: given.integer("epochs", 1, 1000) ?? 10, out: given.path("out") };
  },

  async run({ epochs, out, seed, quick }, terminal, backend) {
    const { train, test } = drawReports(seed, quick ? 800 : 3000, quick ? 100 : 500);
    const texts = train.flatMap(({ record, summary }) => [record, summary]);
    const frequent = Vocabulary.of(texts, { minCount: train.length / 20, special: SPECIAL });
    const all = Vocabulary.of(texts, { special: SPECIAL });
    terminal.line(`${train.length} records to train on, ${test.length} with other names to test on.`);
    terminal.line(`GRUs with attention; Adam, ${epochs} epochs; seed ${seed}, ${backend}.`);
    const rows = [["", "words", "training", "whole lines right, %", "copied words right, %"]];
    const scores: Scores[] = [];
    for (const [name, vocabulary, pointer] of [
      ["pointer", frequent, true],
      ["no pointer", all, false],
    ] as const) {
      // biome-ignore format: short
      terminal.heading(name);
      manualSeed(seed);
      const model = new Summariser(vocabulary.size, pointer);
      const batches = loader(reports(vocabulary, train), { batchSize: 32, shuffle: true, seed, dropLast: true });
      const start = performance.now();
      const run = fit(model, {
        loss: (logProbs: Tensor, y: Tensor) => nllLoss(logProbs.flatten(0, 1), y.flatten(), { ignoreIndex: 0 }),
        optimizer: new Adam(model.parameters(), { lr: 0.005 }),
        schedule: (optimizer, { steps }) => new PolynomialLR(optimizer, { totalIters: steps }),
        data: batches,
        epochs,
        clip: 1,
      });
      await follow(run, terminal);
      const seconds = (performance.now() - start) / 1000;
      const lines = await write(model, vocabulary, test);
      const score = compare(lines, test, frequent);
      scores.push(score);
      for (const i of [0, 1, 2])
        terminal.line(`  ${test[i].record}\n  → ${lines[i]}${lines[i] === test[i].summary ? "" : " ✗"}`);
      rows.push([
        name,
        `${vocabulary.size}`,
        `${seconds.toFixed(1)} s`,
        score.whole.toFixed(1),
        score.copied.toFixed(1),
      ]);
      if (pointer) {
        const file = pictureFile(out, "summary.svg");
        const [x] = (await reports(vocabulary, test.slice(0, 1)).batch(Uint32Array.of(0))) as unknown as [Task];
        const { weights } = model.write(model.read(x.record), x.before);
        const [across, down] = [test[0].record.split(" "), [...test[0].summary.split(" "), "<eos>"]];
        const looks = (await weights.squeeze(0).toArray()) as number[][];
        const values = looks.slice(0, down.length).map((row) => row.slice(0, across.length));
        heatMap(file, { across, down, values });
        terminal.line(`\nWhere it looks for each word of the first: ${file}`);
      }
    }
    terminal.heading("Test");
    terminal.table(rows);
    return {
      metric: "% of lines right",
      value: scores[0].whole,
      baseline: scores[1].whole,
      against: "without a pointer",
    };
  },
};

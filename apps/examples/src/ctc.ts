/** `ctc`: strings of spoken digits, heard without being told where one ends and the next begins (Graves et al., 2006). */
import { ctcLoss } from "@nn/layers";
import { Adam, OneCycleLR } from "@nn/optim";
import { ctcBeamSearch, ctcGreedySearch } from "@nn/recurrent";
import { compile, manualSeed, type Tensor } from "@nn/tensor";
import { fit, loader, WordErrorRate } from "@nn/train";
import { COMMON_HELP, type CommonOptions, parseArguments } from "./arguments.js";
import type { Example } from "./example.js";
import { follow } from "./follow.js";
import { heatMap } from "./heat-map.js";
import { pictureFile } from "./plot.js";
import { random } from "./random.js";
import { collator, drawTones, hear, joinDigits, type Labels, readRecordings, withLabels } from "./spoken-data.js";
import type { Terminal } from "./terminal.js";
import { type Heard, type Sound, Transcriber } from "./transcriber.js";

export interface CTCOptions extends CommonOptions {
  /** Folder with the folder `recordings`; null: tones in place of digits. */
  readonly data: string | null;
  readonly epochs: number;
  /** Where the picture goes; null: a temporary folder. */
  readonly out: string | null;
}

/** Strings to train on, and if it is to be quick. */
const [MANY, FEW] = [1600, 160];

export const ctc: Example<CTCOptions> = {
  help: `Trains a network to write down strings of 3 to 6 spoken digits, by CTC: recordings of the Free Spoken Digit Dataset, joined
with gaps of all lengths, speakers mixed. It is tested on strings of the official test recordings.

Usage: npm run example -- ctc [options]

  --data DIR         folder of the data set, with its folder recordings (tones in place
                     of digits)
  --epochs N         passes over the strings (15; 4 without --data)
  --out DIR          for the picture of what is heard when (a temporary folder)
${COMMON_HELP}  --help             show this
`,

  parse(args, folder) {
    const seeHelp = "See npm run example -- ctc --help.";
    const given = parseArguments(args, { own: ["data", "epochs", "out"], folder, seeHelp });
    const data = given.path("data");
    const epochs = given.integer("epochs", 1, 1000) ?? (given.common.quick ? 12 : data ? 15 : 4);
    return { ...given.common, data, epochs, out: given.path("out") };
  },

  async run({ data, epochs, out, seed, quick }, terminal, backend) {
    const { training, test, rate, speakers } = data ? readRecordings(data) : drawTones(seed);
    terminal.line(`${speakers.length} speakers: ${speakers.join(", ")}; ${training.length} recordings to train on,`);
    terminal.line(
      `${test.length} others to test on. Two convolutions and a GRU in both directions, a step every 40 ms;`,
    );
    const hearAll = (from: typeof training, count: number, seed: number) =>
      joinDigits(from, count, rate, random(seed)).map(({ digits, samples }) => ({
        digits,
        sound: hear(samples, rate),
      }));
    const strings = hearAll(training, quick ? FEW : MANY, seed + 1);
    const toSounds = collator(
      strings.map(({ sound }) => sound),
      100,
    );
    terminal.line(`Adam, ${epochs} epochs of ${strings.length} strings; seed ${seed}, ${backend}.\n`);

    manualSeed(seed);
    const model = new Transcriber();
    const batches = loader(withLabels(strings, toSounds), { batchSize: 16, shuffle: true, seed, dropLast: true });
    const start = performance.now();
    const run = fit(model, {
      loss: ({ logProbs, lengths }: Heard, y: Labels) => ctcLoss(logProbs, y.values, lengths, y.lengths),
      optimizer: new Adam(model.parameters()),
      schedule: (optimizer, { steps }) =>
        new OneCycleLR(optimizer, { maxLr: data ? 0.005 : 0.01, pctStart: 0.1, totalSteps: steps }),
      data: batches,
      epochs,
      clip: 1,
    });
    await follow(run, terminal);
    terminal.line(`\nTraining took ${((performance.now() - start) / 1000).toFixed(1)} s.`);

    model.eval();
    const listen = compile((x: Sound) => model.forward(x));
    const asked = hearAll(test, quick ? 40 : 200, 0); // the same for all seeds
    const errors = { greedy: new WordErrorRate(), beam: new WordErrorRate(), ones: new WordErrorRate() };
    let wrong = 0;
    for (let i = 0; i < asked.length; i += 20) {
      const part = asked.slice(i, i + 20);
      const { logProbs, lengths } = listen(toSounds(part.map(({ sound }) => sound)));
      const options = { lengths: (await lengths.toArray()) as number[], beamWidth: 20 };
      const [greedy, beams] = [await ctcGreedySearch(logProbs, options), await ctcBeamSearch(logProbs, options)];
      for (const [n, { digits }] of part.entries()) {
        const [said, best] = [greedy[n], beams[n][0]].map(({ labels }) => labels.map((label) => label - 1));
        errors.greedy.update([said], [digits]);
        errors.beam.update([best], [digits]);
        errors.ones.update([digits.map(() => 1)], [digits]);
        wrong += Number(best.join() !== digits.join());
        if (i === 0 && n < 5) terminal.line(`  ${digits.join(" ")} → ${best.join(" ")}`);
      }
      if (i === 0) await draw(pictureFile(out, "ctc.svg"), logProbs.select(1, 0), options.lengths[0], terminal);
    }
    const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
    const [value, baseline] = [100 * errors.beam.result(), 100 * errors.ones.result()];
    terminal.line(`\n${asked.length} test strings: digit error rate ${percent(errors.beam.result())} (greedy search:`);
    terminal.line(`${percent(errors.greedy.result())}; always 1, as often as right: ${baseline.toFixed(1)} %),`);
    terminal.line(`${percent(wrong / asked.length)} of the strings have an error.`);
    return { metric: "% digit errors", value, baseline, against: "always 1", lowerIsBetter: true };
  },
};

/** What is said by when: logProbs (T, 11) as a picture. */
async function draw(file: string, logProbs: Tensor, length: number, terminal: Terminal): Promise<void> {
  const values = (await logProbs
    .exp()
    .slice([[0, length]])
    .transpose()
    .toArray()) as number[][];
  const across = values[0].map((_, t) => (t % 25 === 0 ? `${t / 25} s` : ""));
  heatMap(file, { across, down: ["–", ..."0123456789"], values, column: 8 });
  terminal.line(`What is heard when in the first of them (– is nothing): ${file}`);
}

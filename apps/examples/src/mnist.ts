/** `mnist`: LeNet-5 on all of MNIST, beside the error that was published for it. */
import { lenet5 } from "@nn/models";
import { manualSeed } from "@nn/tensor";
import { COMMON_HELP, type CommonOptions, parseArguments } from "./arguments.js";
import type { Dataset } from "./dataset.js";
import { drawDigits } from "./digits.js";
import type { Example } from "./example.js";
import { readMnist } from "./idx.js";
import { accuracy, countSteps, decide, predict, train } from "./train.js";

export interface MnistOptions extends CommonOptions {
  /** Folder of MNIST's files; null: drawn digits. */
  readonly data: string | null;
  readonly epochs: number;
}

export const mnist: Example<MnistOptions> = {
  help: `Trains LeNet-5 on the 60,000 images of MNIST and tests it on the 10,000 others.

Usage: npm run example -- mnist [options]

  --data DIR         the folder with the four .gz files of MNIST (4000 digits drawn from
                     strokes, and 1000 others)
  --epochs N         passes over the data (12; 4 without --data)
${COMMON_HELP}  --help             show this
`,

  parse(args, folder) {
    const given = parseArguments(args, {
      own: ["data", "epochs"],
      folder,
      seeHelp: "See npm run example -- mnist --help.",
    });
    const [data, { quick }] = [given.path("data"), given.common];
    return {
      ...given.common,
      data,
      epochs: given.integer("epochs", 1, 1000) ?? (quick ? 2 : data ? 12 : 4),
    };
  },

  async run({ data, epochs, seed, quick }, terminal, backend) {
    const { train: training, test } = scaled(data ? readMnist(data) : draw(seed, quick ? 1500 : 4000));
    const settings = { epochs, batchSize: 64, lr: 0.002, seed };
    terminal.line(
      `LeNet-5 with ReLU and max pooling, 61,706 weights, on ${data ? "MNIST as it is: no image is shifted or bent" : "drawn digits"}.`,
    );
    terminal.line(`${training.count} images to train on, ${test.count} others to test on.`);
    terminal.line(`Adam, batches of 64, ${epochs} epochs, learning rate from 0.002 to 0; seed ${seed}, ${backend}.\n`);
    manualSeed(seed);
    const model = lenet5();
    const progress = terminal.progress(countSteps(training, settings));
    const start = performance.now();
    const losses = await train(model, training, settings, (loss) => progress.step(loss));
    const seconds = (performance.now() - start) / 1000;
    terminal.close();
    terminal.chart(losses);

    const right = accuracy(decide(await predict(model, test), test.count), test.labels);
    terminal.line(`\nTraining took ${seconds.toFixed(1)} s, ${(seconds / epochs).toFixed(1)} s an epoch.`);
    const value = 100 * (1 - right);
    const published = data ? "; LeCun et al. (1998) published 0.95 % for LeNet-5" : "";
    terminal.line(`Test error ${value.toFixed(2)} %${published}.`);
    return { metric: "% errors", value, baseline: 90, against: "guessing", lowerIsBetter: true };
  },
};

// ---------------------------------------------------------------------------------------------

interface Halves {
  readonly train: Dataset;
  readonly test: Dataset;
}

/** With the mean 0.1307 of MNIST's training images brought to 0 and their deviation 0.3081 to 1. */
function scaled({ train, test }: Halves): Halves {
  const scale = (set: Dataset): Dataset => ({ ...set, inputs: set.inputs.map((value) => (value - 0.1307) / 0.3081) });
  return { train: scale(train), test: scale(test) };
}

const draw = (seed: number, count: number): Halves => ({
  train: drawDigits(count, 2 * seed),
  test: drawDigits(1000, 2 * seed + 1),
});

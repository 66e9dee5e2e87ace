/** `mnist`: LeNet-5 on all of MNIST, beside the error that was published for it. */
import { lenet5 } from "@nn/models";
import { manualSeed } from "@nn/tensor";
import { COMMON_HELP, type CommonOptions, parseArguments } from "./arguments.js";
import type { Dataset } from "./dataset.js";
import type { Example } from "./example.js";
import { readMnist } from "./idx.js";
import { accuracy, countSteps, decide, predict, train } from "./train.js";

export interface MnistOptions extends CommonOptions {
  /** Folder of MNIST's files. */
  readonly data: string;
  readonly epochs: number;
}

export const mnist: Example<MnistOptions> = {
  help: `Trains LeNet-5 on the 60,000 images of MNIST and tests it on the 10,000 others.

Usage: npm run example -- mnist --data DIR [options]

  --data DIR         the folder with the four .gz files of MNIST
  --epochs N         passes over the data (12)
${COMMON_HELP}  --help             show this
`,

  parse(args, folder) {
    const given = parseArguments(args, {
      own: ["data", "epochs"],
      folder,
      seeHelp: "See npm run example -- mnist --help.",
    });
    const { help } = given.common;
    return {
      ...given.common,
      data: help ? "" : given.require("data", given.path("data")),
      epochs: given.integer("epochs", 1, 1000) ?? 12,
    };
  },

  async run({ data, epochs, seed }, terminal, backend) {
    const { train: training, test } = halves(data);
    const settings = { epochs, batchSize: 64, lr: 0.002, seed };
    terminal.line("LeNet-5 with ReLU and max pooling, 61,706 weights, on MNIST as it is: no image is shifted or bent.");
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
    terminal.line(`Test error ${(100 * (1 - right)).toFixed(2)} %; LeCun et al. (1998) published 0.95 % for LeNet-5.`);
    return 0;
  },
};

// ---------------------------------------------------------------------------------------------

/** MNIST with the training images' mean 0.1307 brought to 0 and their deviation 0.3081 to 1. */
function halves(folder: string): { train: Dataset; test: Dataset } {
  const { train, test } = readMnist(folder);
  const scaled = (set: Dataset): Dataset => ({ ...set, inputs: set.inputs.map((value) => (value - 0.1307) / 0.3081) });
  return { train: scaled(train), test: scaled(test) };
}

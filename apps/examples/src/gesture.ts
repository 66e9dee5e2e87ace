/** `gesture`: what is somebody with a smart watch doing? A GRU decides at every step, so that it also runs live. */
import { crossEntropy, Dropout, Linear } from "@nn/layers";
import { Adam, OneCycleLR } from "@nn/optim";
import { GRU } from "@nn/recurrent";
import { Module, manualSeed, type Tensor } from "@nn/tensor";
import { dataset, fit, loader, predict } from "@nn/train";
import { COMMON_HELP, type CommonOptions, parseArguments } from "./arguments.js";
import type { Example } from "./example.js";
import { watch } from "./gesture-live.js";
import { changing, drawGestures, nearest, scaled } from "./gestures.js";
import { pictureFile } from "./plot.js";
import { random } from "./random.js";
import { readSeriesSet } from "./series.js";
import { spread } from "./timeseries.js";
import { accuracy, decide } from "./train.js";

export interface GestureOptions extends CommonOptions {
  /** Folder with the folder BasicMotions; null: generated gestures. */
  readonly data: string | null;
  readonly epochs: number;
  /** Trainings, with the seeds `seed`, `seed + 1`, … */
  readonly runs: number;
  /** Where the picture goes; null: a temporary folder. */
  readonly out: string | null;
}

export const gesture: Example<GestureOptions> = {
  help: `Trains a GRU to tell what somebody with a smart watch is doing, by its six sensors.

Usage: npm run example -- gesture [options]

  --data DIR         folder of the UEA archive's .ts files, with the folder BasicMotions
                     (generated gestures)
  --runs N           trainings, with seeds one after the other (5; 1 with --quick)
  --epochs N         passes over the data (60)
  --out DIR          for the picture of a live decision (a temporary folder)
${COMMON_HELP}  --help             show this
`,

  parse(args, folder) {
    const seeHelp = "See npm run example -- gesture --help.";
    const given = parseArguments(args, { own: ["data", "runs", "epochs", "out"], folder, seeHelp });
    return {
      ...given.common,
      data: given.path("data"),
      runs: given.integer("runs", 1, 1000) ?? (given.common.quick ? 1 : 5),
      epochs: given.integer("epochs", 1, 100_000) ?? 60,
      out: given.path("out"),
    };
  },

  async run({ data, runs, epochs, out, seed }, terminal, backend) {
    const { train, test, classes } = data ? readSeriesSet(data, "BasicMotions") : drawGestures(seed);
    const [channels, length] = train.shape;
    const [training, unseen] = scaled(train, test);
    terminal.line(
      `${train.count} series to train on, ${test.count} others to test on: ${length} steps of ${channels} sensors;`,
    );
    terminal.line(`${classes.join(", ")}. Adam, ${epochs} epochs; ${backend}.\n`);
    const shares: number[] = [];
    let model = new GestureReader(channels, classes.length);
    for (let i = 0; i < runs; i++) {
      manualSeed(seed + i);
      model = new GestureReader(channels, classes.length);
      const series = changing(training, train.labels, channels, random(seed + i));
      const batches = loader(series, { batchSize: 10, shuffle: true, seed: seed + i });
      const start = performance.now();
      await fit(model, {
        loss: (logits: Tensor, labels: Tensor) => crossEntropy(logits.transpose(1, 2), labels), // at every step
        optimizer: new Adam(model.parameters()),
        schedule: (optimizer, { steps }) => new OneCycleLR(optimizer, { maxLr: 0.01, totalSteps: steps }),
        data: batches,
        epochs,
        clip: 1,
      });
      const seconds = (performance.now() - start) / 1000;
      const logits = (await predict(model, dataset({ data: unseen, shape: [length, channels] }))).mean(1);
      shares.push(accuracy(decide((await logits.read()) as Float32Array, test.count), test.labels));
      terminal.line(`  seed ${seed + i}: ${percent(shares.at(-1)!)} right, ${seconds.toFixed(1)} s`);
    }
    const { mean, deviation } = spread(shares);
    const alike = accuracy(nearest(train, test), test.labels);
    terminal.line(
      `\nTest: ${percent(mean)} right, deviation ${percent(deviation)}; the nearest neighbour: ${percent(alike)}.`,
    );
    if (data) terminal.line("Published: 1-NN with DTW 97.5 %, with DTW of each sensor 100 % (Bagnall et al., 2018).");

    const file = pictureFile(out, "gesture.svg");
    const microseconds = watch(file, model, unseen, test, classes);
    terminal.line(`Live, a step took ${microseconds.toFixed(0)} µs. What it believed as the activity changed: ${file}`);
    return { metric: "% right", value: 100 * mean, baseline: 100 * alike, against: "nearest neighbour" };
  },
};

/** Series (N, T, sensors) → logits at every step (N, T, classes), which know nothing of later steps. */
class GestureReader extends Module {
  readonly gru: GRU;
  readonly dropout = new Dropout(0.3);
  readonly head: Linear;

  constructor(channels: number, classes: number) {
    super();
    this.gru = new GRU(channels, 48, { batchFirst: true });
    this.head = new Linear(48, classes);
  }

  override forward(x: Tensor): Tensor {
    return this.head.forward(this.dropout.forward(this.gru.forward(x).output));
  }
}

// ---------------------------------------------------------------------------------------------

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

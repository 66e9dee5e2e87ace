/** `timeseries`: the FCN of Wang, Yan and Oates (2017) on data sets of the UCR archive, beside what was published. */
import { fcn } from "@nn/models";
import { manualSeed } from "@nn/tensor";
import { COMMON_HELP, type CommonOptions, parseArguments } from "./arguments.js";
import type { Example, Outcome } from "./example.js";
import { drawWaves } from "./generated.js";
import { readSeriesSet, type SeriesSet } from "./series.js";
import { accuracy, decide, predict, train } from "./train.js";

export interface TimeseriesOptions extends CommonOptions {
  /** Folder with a folder for every data set; null: generated waves. */
  readonly data: string | null;
  readonly sets: readonly string[];
  /** Passes over the data; null: each set's own. */
  readonly epochs: number | null;
  /** Trainings of each, with the seeds `seed`, `seed + 1`, … */
  readonly runs: number;
}

/** Accuracy of the FCN over several trainings, %: Ismail Fawaz et al. (2019), "Deep learning for time series classification". */
const PUBLISHED: Readonly<Record<string, { accuracy: string; epochs: number }>> = {
  ItalyPowerDemand: { accuracy: "96.1 ± 0.4", epochs: 200 },
  GunPoint: { accuracy: "100 ± 0", epochs: 500 },
};

const WAVES = "waves";

export const timeseries: Example<TimeseriesOptions> = {
  help: `Trains a fully convolutional network on time series, several times from other weights.

Usage: npm run example -- timeseries [options]

  --data DIR         folder of the UCR/UEA archive's .ts files: DIR/NAME/NAME_TRAIN.ts
                     and _TEST.ts; series of one length, without gaps (slow and
                     fast waves in noise)
  --sets A,B         names of data sets (${Object.keys(PUBLISHED).join(",")})
  --runs N           trainings of each, with seeds one after the other (5)
  --epochs N         passes over the data (200; GunPoint 500; waves 60)
${COMMON_HELP}  --help             show this
`,

  parse(args, folder) {
    const given = parseArguments(args, {
      own: ["data", "sets", "runs", "epochs"],
      folder,
      seeHelp: "See npm run example -- timeseries --help.",
    });
    const [data, { quick }] = [given.path("data"), given.common];
    return {
      ...given.common,
      data,
      sets: given.names("sets") ?? (data ? Object.keys(PUBLISHED) : [WAVES]),
      runs: given.integer("runs", 1, 1000) ?? (quick ? 1 : 5),
      epochs: given.integer("epochs", 1, 100_000),
    };
  },

  async run({ data, sets, epochs, runs, seed }, terminal, backend) {
    const read = sets.map((name) => ({ name, set: data ? readSeriesSet(data, name) : drawWaves(seed) })); // a wrong file ends it here
    terminal.line(`FCN: convolutions of 8, 5 and 3 steps, each with BatchNorm, and the mean over time; ${backend}.`);
    const outcomes: Outcome[] = [];
    const rows = [["data", "epochs", "test accuracy, %", "published, %", "training, each"]];
    for (const { name, set } of read) {
      const count = epochs ?? (data ? (PUBLISHED[name]?.epochs ?? 200) : 60);
      terminal.heading(`${name}: ${set.train.count} series to train on, ${set.test.count} others to test on`);
      const results: Result[] = [];
      for (let i = 0; i < runs; i++) {
        const result = await once(set, count, seed + i);
        results.push(result);
        terminal.line(`  seed ${seed + i}: ${percent(result.accuracy)} % right, ${result.seconds.toFixed(1)} s`);
      }
      const { mean, deviation } = spread(results.map((result) => result.accuracy));
      const seconds = spread(results.map((result) => result.seconds)).mean;
      const baseline = 100 * mostFrequent(set.test.labels);
      outcomes.push({ metric: "% right", value: 100 * mean, baseline, against: "the most frequent class" });
      const own = `${percent(mean)} ± ${percent(deviation)}`;
      rows.push([name, `${count}`, own, PUBLISHED[name]?.accuracy ?? "–", `${seconds.toFixed(1)} s`]);
    }
    terminal.heading("Results");
    terminal.table(rows);
    return outcomes[0];
  },
};

/** Mean and standard deviation (of the sample: n − 1). */
export function spread(values: readonly number[]): { mean: number; deviation: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / Math.max(values.length - 1, 1)) };
}

// ---------------------------------------------------------------------------------------------

interface Result {
  readonly accuracy: number;
  readonly seconds: number;
}

/**
 * One training as in the paper: Adam at 0.001, batches of a tenth of the data and at most 16. Unlike there the learning rate
 * falls in a straight line, which takes fewer epochs than 2,000, and the last weights are tested.
 */
async function once({ train: training, test, classes }: SeriesSet, epochs: number, seed: number): Promise<Result> {
  manualSeed(seed);
  const model = fcn({ numClasses: classes.length, inChannels: training.shape[0] });
  const batchSize = Math.max(1, Math.floor(Math.min(training.count / 10, 16)));
  const start = performance.now();
  await train(model, training, { epochs, batchSize, lr: 0.001, seed });
  const seconds = (performance.now() - start) / 1000;
  return { accuracy: accuracy(decide(await predict(model, test), test.count), test.labels), seconds };
}

/** Its share, 0 to 1. */
function mostFrequent(labels: Int32Array): number {
  const share = (label: number) => labels.filter((other) => other === label).length / labels.length;
  return Math.max(...[...new Set(labels)].map(share));
}

function percent(share: number): string {
  return (100 * share).toFixed(2);
}

/** `forecast`: an LSTM says the next 24 hours of a power transformer (ETTh1), beside what was published and two naive answers. */
import { mse } from "@nn/layers";
import { Adam } from "@nn/optim";
import { type Module, manualSeed, type Tensor } from "@nn/tensor";
import { type Dataset, EarlyStopping, evaluate, type Forecasting, fit, loader, MAE, MSE, predict } from "@nn/train";
import { COMMON_HELP, type CommonOptions, parseArguments } from "./arguments.js";
import { drawCurves } from "./curves.js";
import type { Example } from "./example.js";
import { follow } from "./follow.js";
import { drawSeries, FILE, HORIZON, INPUT, ROWS, readSeries } from "./forecast-data.js";
import { Forecaster, HIDDEN, LastValue, Yesterday } from "./forecaster.js";
import type { Terminal } from "./terminal.js";

export interface ForecastOptions extends CommonOptions {
  /** Folder of the file; null: generated series. */
  readonly data: string | null;
  /** Passes over the data, at most. */
  readonly epochs: number;
}

export const forecast: Example<ForecastOptions> = {
  help: `Trains an LSTM on 20 months of hourly figures, to say the next 24 hours of all seven.

Usage: npm run example -- forecast [options]

  --data DIR         the folder with ${FILE}: its first column is the date; of its
                     rows the first ${ROWS} count, in the shares 12 to 4 to 4 (two
                     generated series)
  --epochs N         passes over the data, at most (8)
${COMMON_HELP}  --help             show this
`,

  parse(args, folder) {
    const seeHelp = "See npm run example -- forecast --help.";
    const given = parseArguments(args, { own: ["data", "epochs"], folder, seeHelp });
    const [data, { quick }] = [given.path("data"), given.common];
    return {
      ...given.common,
      data,
      epochs: given.integer("epochs", 1, 1000) ?? (quick ? 5 : 8),
    };
  },

  async run({ data, epochs, seed, quick }, terminal, backend) {
    const { names, parts } = data ? readSeries(data) : drawSeries(seed, quick ? 1200 : 4000);
    const { train, validation, test } = parts;
    terminal.line(
      `${names.length} series: ${names.join(", ")}. ${INPUT} hours are seen, the next ${HORIZON} are to be said.`,
    );
    terminal.line(
      `${train.length} windows to train on, ${validation.length} to choose the epoch by, ${test.length} to test on.`,
    );
    terminal.line(`An LSTM with ${HIDDEN} units, Adam, batches of 32; seed ${seed}, ${backend}.\n`);

    manualSeed(seed);
    const model = new Forecaster(names.length, HORIZON);
    const best = new EarlyStopping({ patience: 2 });
    const start = performance.now();
    const run = fit(model, {
      loss: mse,
      optimizer: new Adam(model.parameters(), { lr: 0.002 }),
      data: loader(train, { batchSize: 32, shuffle: true, seed }),
      validation: loader(validation, { batchSize: 64 }),
      epochs,
      callbacks: [best],
    });
    await follow(run, terminal);
    const seconds = (performance.now() - start) / 1000;

    const mses: number[] = [];
    const rows = [["forecast", "validation MSE", "test MSE", "test MAE"]];
    const answers = {
      LSTM: model,
      "the last value": new LastValue(HORIZON),
      "the same hour yesterday": new Yesterday(),
    };
    for (const [name, answer] of Object.entries(answers)) {
      const errors = async (part: Dataset) => {
        const metrics = { mse: new MSE(), mae: new MAE() };
        await evaluate(answer, { data: loader(part, { batchSize: 64 }), metrics });
        return [metrics.mse.result().toFixed(3), metrics.mae.result().toFixed(3)];
      };
      rows.push([name, (await errors(validation))[0], ...(await errors(test))]);
      mses.push(Number(rows.at(-1)![2]));
    }
    if (data) rows.splice(2, 0, ["LSTMa, published", "–", "0.650", "0.624"]);
    terminal.line(
      `\nTraining took ${seconds.toFixed(1)} s, ${run.history.epochs.length} epochs; the weights are those of epoch ${best.best!.epoch}.`,
    );
    terminal.heading("Errors on the test windows, of series scaled by the training part");
    terminal.table(rows);
    await show(model, parts, names, terminal);
    const [value, ...naive] = mses;
    const against = "the better of two naive forecasts";
    return { metric: "mean squared error", value, baseline: Math.min(...naive), against, lowerIsBetter: true };
  },
};

// ---------------------------------------------------------------------------------------------

/** One test window of the last series: what was seen, what came, and what the model says. */
async function show(model: Module, { test, scaler }: Forecasting, names: readonly string[], terminal: Terminal) {
  const F = names.length;
  const [x, y] = (await test.batch(Uint32Array.of(test.length >> 1))) as [Tensor, Tensor];
  const said = await predict(model, x);
  const column = async (t: Tensor) => {
    const values = scaler!.inverse((await t.read()) as Float32Array);
    return Array.from(values.filter((_, i) => i % F === F - 1));
  };
  const seen = (await column(x)).slice(-48);
  const gap = Array<number>(seen.length).fill(Number.NaN);
  terminal.heading(`${names[F - 1]} in the middle of the test part: · seen, o came, x said`);
  terminal.line(drawCurves({ "·": seen, o: [...gap, ...(await column(y))], x: [...gap, ...(await column(said))] }));
}

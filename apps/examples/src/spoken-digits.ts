/** `spoken-digits`: a GRU that hears which digit was said, on log-mel features of the Free Spoken Digit Dataset. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { crossEntropy, Linear } from "@nn/layers";
import { Adam, clipGradNorm } from "@nn/optim";
import { GRU } from "@nn/recurrent";
import { compile, Module, manualSeed, type Tensor, tensor } from "@nn/tensor";
import { type Frames, logMel, readWav } from "@nn/train";
import { COMMON_HELP, type CommonOptions, parseArguments } from "./arguments.js";
import type { Example } from "./example.js";
import { readBytes, requireFolder, wrong } from "./files.js";
import { random } from "./random.js";
import { accuracy, decide } from "./train.js";

export interface SpokenDigitsOptions extends CommonOptions {
  /** Folder with the folder `recordings`. */
  readonly data: string;
  readonly epochs: number;
}

const [HIDDEN, BANDS, BATCH, LR] = [96, 40, 32, 0.003];

export const spokenDigits: Example<SpokenDigitsOptions> = {
  help: `Trains a GRU to hear which digit was said, on the Free Spoken Digit Dataset: recordings 5 to
49 of each digit and speaker to train on, 0 to 4, the official test set, to test on.

Usage: npm run example -- spoken-digits --data DIR [options]

  --data DIR         folder of the data set, with its folder recordings
  --epochs N         passes over the data (20)
${COMMON_HELP}  --help             show this
`,

  parse(args, folder) {
    const given = parseArguments(args, {
      own: ["data", "epochs"],
      folder,
      seeHelp: "See npm run example -- spoken-digits --help.",
    });
    const { help } = given.common;
    return {
      ...given.common,
      data: help ? "" : given.require("data", given.path("data")),
      epochs: given.integer("epochs", 1, 1000) ?? 20,
    };
  },

  async run({ data, epochs, seed }, terminal, backend) {
    let start = performance.now();
    const { training, test, speakers, rate } = readRecordings(data);
    const lap = () => {
      const seconds = (performance.now() - start) / 1000;
      start = performance.now();
      return `${seconds.toFixed(1)} s`;
    };
    terminal.line(`${speakers.length} speakers: ${speakers.join(", ")}; ${rate} Hz.`);
    terminal.line(
      `${training.length} recordings to train on, ${test.length} others to test on; features took ${lap()}.`,
    );
    terminal.line(
      `GRU of ${HIDDEN} on ${BANDS} bands, a step every 10 ms; Adam, batches of ${BATCH}, learning rate from ${LR} to 0;`,
    );
    terminal.line(`seed ${seed}, ${backend}.\n`);

    manualSeed(seed);
    const model = new Listener();
    const collate = collator(training);
    const optimizer = new Adam(model.parameters(), { lr: LR });
    const step = compile((x: Tensor, lengths: Tensor, y: Tensor) =>
      optimizer.minimize(() => crossEntropy(model.forward(x, lengths), y), {
        transform: (gradients) => clipGradNorm(gradients, 1).gradients,
      }),
    );
    const batches = Math.floor(training.length / BATCH); // what is left over comes in other epochs
    const progress = terminal.progress(epochs * batches);
    const losses: number[] = [];
    const source = random(seed);
    for (let epoch = 0; epoch < epochs; epoch++) {
      const order = source.shuffle([...training]);
      for (let i = 0; i < batches; i++) {
        const batch = collate(order.slice(i * BATCH, (i + 1) * BATCH));
        optimizer.lr = LR * (1 - losses.length / (epochs * batches));
        using loss = step(batch.x, batch.lengths, batch.y);
        losses.push(await loss.item());
        for (const t of Object.values(batch)) t.dispose();
        progress.step(losses.at(-1)!);
        await setImmediate(); // lets Ctrl-C and the progress bar have their turn
      }
    }
    terminal.close();
    terminal.chart(losses);
    terminal.line(`\nTraining took ${lap()}.`);

    const { x, lengths, y } = collate(test);
    using logits = model.forward(x, lengths);
    const decisions = decide((await logits.read()) as Float32Array, test.length);
    for (const t of [x, lengths, y]) t.dispose();
    const labels = Int32Array.from(test, ({ digit }) => digit);
    terminal.line(`Test: ${(100 * accuracy(decisions, labels)).toFixed(1)} % right. Said (down), heard (across):`);
    terminal.table(confusion(labels, decisions));
    return 0;
  },
};

/** Sound x (N, T, bands) and its lengths (N) → logits of the digits (N, 10). */
class Listener extends Module {
  readonly gru = new GRU(BANDS, HIDDEN, { batchFirst: true });
  readonly head = new Linear(HIDDEN, 10);

  override forward(x: Tensor, lengths: Tensor): Tensor {
    const { h } = this.gru.forward(x, undefined, { lengths }); // (1, N, hidden): after each row's own last step
    return this.head.forward(h.squeeze(0));
  }
}

// ---------------------------------------------------------------------------------------------

interface Recording {
  readonly digit: number;
  readonly sound: Frames;
}

function readRecordings(folder: string) {
  const rest = {
    expected: "the Free Spoken Digit Dataset",
    hint: "Give its folder, with recordings in it, after --data",
  };
  const recordings = join(folder, "recordings");
  requireFolder(recordings, rest);
  const [training, test]: Recording[][] = [[], []];
  const speakers = new Set<string>();
  let rate = 0;
  for (const name of readdirSync(recordings).sort()) {
    const [, digit, speaker, take] = /^(\d)_(\w+)_(\d+)\.wav$/.exec(name) ?? [];
    if (take === undefined) continue;
    const file = join(recordings, name);
    const { sampleRate, channels } = readWav(readBytes(file, rest));
    if (rate !== 0 && sampleRate !== rate)
      wrong(file, { got: `it has ${sampleRate} Hz`, ...rest, expected: `${rate}` });
    rate = sampleRate;
    speakers.add(speaker);
    const sound = logMel(channels[0], { sampleRate, nFft: 256, winLength: 200, hopLength: 80, nMels: BANDS });
    (Number(take) < 5 ? test : training).push({ digit: Number(digit), sound });
  }
  if (training.length < BATCH || test.length === 0) {
    wrong(recordings, { got: `there are ${training.length + test.length} recordings in it`, ...rest });
  }
  return { training, test, speakers: [...speakers], rate };
}

/**
 * From recordings to a batch, padded to a multiple of 50 steps, so that a compiled step is traced a few times and not for
 * every length. Each band has a mean of 0 and a deviation of 1 over the training set.
 */
function collator(training: readonly Recording[]) {
  const [mean, scale] = [new Float64Array(BANDS), new Float64Array(BANDS)];
  let frames = 0;
  for (const { sound } of training) {
    frames += sound.shape[0];
    sound.data.forEach((value, i) => {
      mean[i % BANDS] += value;
      scale[i % BANDS] += value * value;
    });
  }
  for (let k = 0; k < BANDS; k++) {
    mean[k] /= frames;
    scale[k] = 1 / Math.sqrt(scale[k] / frames - mean[k] ** 2 + 1e-9);
  }
  return (batch: readonly Recording[]): { x: Tensor; lengths: Tensor; y: Tensor } => {
    const steps = 50 * Math.ceil(Math.max(...batch.map(({ sound }) => sound.shape[0])) / 50);
    const x = new Float32Array(batch.length * steps * BANDS);
    batch.forEach(({ sound }, row) => {
      sound.data.forEach((value, i) => {
        x[row * steps * BANDS + i] = (value - mean[i % BANDS]) * scale[i % BANDS];
      });
    });
    return {
      x: tensor(x, { shape: [batch.length, steps, BANDS] }),
      lengths: tensor(Int32Array.from(batch, ({ sound }) => sound.shape[0])),
      y: tensor(Int32Array.from(batch, ({ digit }) => digit)),
    };
  };
}

/** How often each digit was taken for each, as a table with head. */
function confusion(labels: Int32Array, decisions: Int32Array): string[][] {
  const digits = Array.from({ length: 10 }, (_, digit) => digit);
  const count = (said: number, heard: number): number =>
    labels.reduce((sum, label, i) => sum + Number(label === said && decisions[i] === heard), 0);
  return [
    ["", ...digits.map(String)],
    ...digits.map((said) => [`${said}`, ...digits.map((heard) => `${count(said, heard) || "·"}`)]),
  ];
}

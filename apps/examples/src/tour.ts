/** The tour itself: four networks are built, trained, tested, saved, and loaded back. */
import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GRU, LSTM, RNN } from "@nn/recurrent";
import { manualSeed } from "@nn/tensor";
import { type Dataset, PIXELS } from "./dataset.js";
import { drawDigits } from "./digits.js";
import type { Example } from "./example.js";
import { readMnist } from "./idx.js";
import { DigitCNN, SequenceClassifier } from "./models.js";
import { HELP, type Options, parseOptions } from "./options.js";
import { gallery } from "./picture.js";
import { drawSequences, FEATURES, SYMBOLS, spell } from "./recall.js";
import { loadModel, sameBits, saveModel } from "./save.js";
import type { Terminal } from "./terminal.js";
import { accuracy, type Classifier, countSteps, decide, predict, train } from "./train.js";
import { reason, UserError } from "./user-error.js";

/** What one network reached. */
export interface Result {
  readonly name: string;
  readonly task: string;
  readonly parameters: number;
  readonly seconds: number;
  readonly losses: readonly number[];
  /** Share of right answers on the test samples, 0 to 1. */
  readonly accuracy: number;
  /** What guessing reaches. */
  readonly chance: number;
  readonly file: string;
  readonly bytes: number;
  /** Whether the network that was loaded back gives the same logits to the last bit. */
  readonly identical: boolean;
}

export const tour: Example<Options> = {
  help: HELP,
  parse: parseOptions,
  run: async (options, terminal, backend) => {
    const results = await runAll(options, terminal, backend);
    return results.every(({ identical }) => identical) ? 0 : 1;
  },
};

// ---------------------------------------------------------------------------------------------

async function runAll(options: Options, terminal: Terminal, backend: string): Promise<Result[]> {
  const parts = [digitPart(options), ...recallParts(options)]; // with their data: a wrong file ends it here
  const folder = prepareFolder(options.out);
  terminal.line(`Four networks learn from nothing, by ${backend} (seed ${options.seed}).`);
  const results: Result[] = [];
  for (const [i, part] of parts.entries()) {
    terminal.heading(`${i + 1}/${parts.length}  ${part.name}: ${part.title}`);
    results.push(await run(part, folder, options, terminal));
  }
  summarise(results, folder, terminal);
  return results;
}

/** One network of the tour, and what it learns. */
interface Part {
  readonly name: string;
  readonly task: string;
  readonly title: string;
  readonly about: string;
  readonly build: () => Classifier;
  readonly data: { readonly train: Dataset; readonly test: Dataset };
  readonly classes: number;
  readonly epochs: number;
  readonly batchSize: number;
  readonly lr: number;
  /** Some test samples with the network's answers. */
  readonly show: (test: Dataset, decisions: Int32Array) => string;
}

function digitPart({ data, seed, trainImages, quick }: Options): Part {
  const common = { name: "CNN", build: () => new DigitCNN(), classes: 10, batchSize: 16, lr: 0.005, show: showDigits };
  if (data !== null) {
    return {
      ...common,
      task: "MNIST digits",
      title: "reading handwritten digits",
      about: `MNIST, from ${data}`,
      data: readMnist(data, { trainCount: trainImages ?? (quick ? 1000 : 8000), testCount: 1000 }),
      epochs: 2,
    };
  }
  return {
    ...common,
    task: "drawn digits",
    title: "reading digits",
    about: "28×28 digits drawn from strokes just now, each bent and slanted in its own way.",
    data: { train: drawDigits(trainImages ?? (quick ? 600 : 2000), 2 * seed), test: drawDigits(500, 2 * seed + 1) },
    epochs: 2,
  };
}

function recallParts({ seed, quick }: Options): Part[] {
  const data = { train: drawSequences(quick ? 3200 : 9600, 2 * seed), test: drawSequences(1000, 2 * seed + 1) };
  const hidden = 32;
  const layers = [
    // At the others' learning rate the RNN learns less still.
    { name: "RNN", lr: 0.005, build: () => new RNN(FEATURES, hidden, { batchFirst: true }) },
    { name: "GRU", lr: 0.01, build: () => new GRU(FEATURES, hidden, { batchFirst: true }) },
    { name: "LSTM", lr: 0.01, build: () => new LSTM(FEATURES, hidden, { batchFirst: true }) },
  ];
  return layers.map(({ name, lr, build }) => ({
    name,
    task: "recall",
    title: "remembering",
    about: "One of 8 symbols among distractors; up to 19 steps later, a ? asks for it.",
    build: () => new SequenceClassifier(build(), SYMBOLS.length),
    data,
    classes: SYMBOLS.length,
    epochs: 1,
    batchSize: 32,
    lr,
    show: showSequences,
  }));
}

async function run(part: Part, folder: string, options: Options, terminal: Terminal): Promise<Result> {
  terminal.line(`  ${part.about}`);
  const { train: training, test } = part.data;
  const settings = {
    epochs: options.epochs ?? part.epochs,
    batchSize: part.batchSize,
    lr: part.lr,
    seed: options.seed,
    clipNorm: 1,
  };
  manualSeed(options.seed);
  const model = part.build();
  const parameters = model.parameters().reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  terminal.line(`  ${training.count} samples to train on, ${test.count} others to test on; ${parameters} weights.\n`);

  const progress = terminal.progress(countSteps(training, settings));
  const start = performance.now();
  const losses = await train(model, training, settings, (loss) => progress.step(loss));
  const seconds = (performance.now() - start) / 1000;
  terminal.close();
  terminal.line(`  Loss over ${losses.length} steps, ${seconds.toFixed(1)} s:`);
  terminal.chart(losses);

  const logits = await predict(model, test);
  const decisions = decide(logits, test.count);
  const right = accuracy(decisions, test.labels);
  terminal.line(`\n${part.show(test, decisions)}\n`);
  terminal.line(`  Right on ${percent(right)} of the test samples; guessing would be on ${percent(1 / part.classes)}.`);

  const file = join(folder, `${part.name.toLowerCase()}.safetensors`);
  const bytes = await saveModel(model, file);
  const loaded = part.build(); // with other random weights
  await loadModel(loaded, file);
  const identical = sameBits(logits, await predict(loaded, test));
  terminal.line(
    `  Saved ${(bytes / 1024).toFixed(1)} KiB, loaded into a new network: its ${logits.length} outputs on the test samples are`,
  );
  terminal.line(`  ${identical ? "the same to the last bit" : "NOT the same, which is a bug"}.`);
  const { name, task } = part;
  return { name, task, parameters, seconds, losses, accuracy: right, chance: 1 / part.classes, file, bytes, identical };
}

function summarise(results: readonly Result[], folder: string, terminal: Terminal): void {
  terminal.heading("Results");
  terminal.table([
    ["network", "task", "weights", "training", "test", "guessing", "reloaded"],
    ...results.map((r) => [
      r.name,
      r.task,
      `${r.parameters}`,
      `${r.seconds.toFixed(1)} s`,
      percent(r.accuracy),
      percent(r.chance),
      r.identical ? "identical" : "DIFFERENT",
    ]),
  ]);
  const [, rnn, ...gated] = results;
  if (gated.every(({ accuracy }) => accuracy > rnn.accuracy + 0.1)) {
    terminal.line("  The plain RNN saw the same sequences as often. It overwrites its memory at every step;");
    terminal.line("  GRU and LSTM have gates that can leave it alone, and that is what this task needs.\n");
  }
  terminal.line(`  The networks are in ${folder}`);
}

/** The first five digits, and what the network takes them for. */
function showDigits(test: Dataset, decisions: Int32Array): string {
  return gallery(
    Array.from({ length: 5 }, (_, i) => ({
      pixels: test.inputs.subarray(i * PIXELS, (i + 1) * PIXELS),
      caption: `${decisions[i]} ${decisions[i] === test.labels[i] ? "✓" : "✗"}`,
    })),
  );
}

/** The first three sequences, and what the network says at the cue. */
function showSequences(test: Dataset, decisions: Int32Array): string {
  return Array.from({ length: 3 }, (_, i) => {
    const [said, asked] = [SYMBOLS[decisions[i]], SYMBOLS[test.labels[i]]];
    return `  ${spell(test, i)} → ${said} ${said === asked ? "✓" : `✗ (${asked})`}`;
  }).join("\n");
}

function prepareFolder(out: string | null): string {
  try {
    if (out === null) return mkdtempSync(join(tmpdir(), "nn-tour-"));
    mkdirSync(out, { recursive: true });
    return out;
  } catch (error) {
    throw new UserError(
      `${out ?? tmpdir()}: no folder for the models can be made there (${reason(error)}). Choose another with --out.`,
    );
  }
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** The tour itself: four networks are built, trained, tested, saved, and loaded back. */
import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { countParameters, manualSeed } from "@nn/tensor";
import type { Example } from "./example.js";
import { HELP, type Options, parseOptions } from "./options.js";
import { loadModel, sameBits, saveModel } from "./save.js";
import type { Terminal } from "./terminal.js";
import { digitPart, type Part, recallParts } from "./tour-parts.js";
import { accuracy, countSteps, decide, predict, train } from "./train.js";
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
  const parameters = countParameters(model);
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

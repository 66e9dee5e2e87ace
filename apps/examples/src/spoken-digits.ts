/** `spoken-digits`: a GRU that hears which digit was said, on log-mel features of the Free Spoken Digit Dataset. */
import { setImmediate } from "node:timers/promises";
import { crossEntropy, Linear } from "@nn/layers";
import { Adam, clipGradNorm } from "@nn/optim";
import { GRU } from "@nn/recurrent";
import { compile, Module, manualSeed, type Tensor, tensor } from "@nn/tensor";
import { COMMON_HELP, type CommonOptions, parseArguments } from "./arguments.js";
import { confusion } from "./confusion.js";
import type { Example } from "./example.js";
import { random } from "./random.js";
import { BANDS, collator, drawTones, hear, type Recording, readRecordings } from "./spoken-data.js";
import { accuracy, decide } from "./train.js";

export interface SpokenDigitsOptions extends CommonOptions {
  /** Folder with the folder `recordings`; null: tones in place of digits. */
  readonly data: string | null;
  readonly epochs: number;
}

const [HIDDEN, BATCH, LR] = [96, 32, 0.003];

export const spokenDigits: Example<SpokenDigitsOptions> = {
  help: `Trains a GRU to hear which digit was said, on the Free Spoken Digit Dataset: recordings 5 to
49 of each digit and speaker to train on, 0 to 4, the official test set, to test on.

Usage: npm run example -- spoken-digits [options]

  --data DIR         folder of the data set, with its folder recordings (tones in place
                     of digits)
  --epochs N         passes over the data (20)
${COMMON_HELP}  --help             show this
`,

  parse(args, folder) {
    const given = parseArguments(args, {
      own: ["data", "epochs"],
      folder,
      seeHelp: "See npm run example -- spoken-digits --help.",
    });
    return {
      ...given.common,
      data: given.path("data"),
      epochs: given.integer("epochs", 1, 1000) ?? 20,
    };
  },

  async run({ data, epochs, seed }, terminal, backend) {
    let start = performance.now();
    const { speakers, rate, ...parts } = data ? readRecordings(data) : drawTones(seed);
    const heard = (list: readonly Recording[]) =>
      list.map(({ digit, samples }) => ({ digit, sound: hear(samples, rate) }));
    const [training, test] = [heard(parts.training), heard(parts.test)];
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
    const sounds = collator(
      training.map(({ sound }) => sound),
      50,
    );
    const collate = (list: typeof training) => ({
      ...sounds(list.map(({ sound }) => sound)),
      y: tensor(Int32Array.from(list, ({ digit }) => digit)),
    });
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
    const value = 100 * accuracy(decisions, labels);
    terminal.line(`Test: ${value.toFixed(1)} % right. Said (down), heard (across):`);
    terminal.table(confusion(labels, decisions));
    return { metric: "% right", value, baseline: 10, against: "guessing" };
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

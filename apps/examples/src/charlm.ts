/** `charlm`: an LSTM that writes like Shakespeare, character by character; and the file from which PyTorch trains the same. */
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { Adam, clipGradNorm } from "@nn/optim";
import { compile, manualSeed, type Tensor } from "@nn/tensor";
import { COMMON_HELP, type CommonOptions, parseArguments } from "./arguments.js";
import { exportAll } from "./character-export.js";
import { CharacterLM, evaluate, HIDDEN, loadModel, saveModel, write } from "./character-lm.js";
import { drawPlaces, frequencyLoss, numbered, ROWS, readText, rowsAt, STEPS } from "./character-text.js";
import type { Example } from "./example.js";
import { SONNETS } from "./generated.js";
import { random } from "./random.js";
import type { Terminal } from "./terminal.js";

export interface CharlmOptions extends CommonOptions {
  /** Folder of input.txt; null: three sonnets. */
  readonly data: string | null;
  readonly steps: number;
  /** Where to write weights, text and order for PyTorch; null: nowhere. */
  readonly export: string | null;
  /** Where to save the trained network; null: nowhere. */
  readonly save: string | null;
  /** A saved network that writes, and none is trained; null: train one. */
  readonly load: string | null;
}

const [LR, CLIP] = [0.003, 1];

export const charlm: Example<CharlmOptions> = {
  help: `Trains a character LSTM (one layer of ${HIDDEN}) on tinyshakespeare, gives the loss on the last
tenth of the text, and lets it write.

Usage: npm run example -- charlm [options]

  --data DIR         folder of input.txt (three sonnets)
  --steps N          training steps of ${ROWS} times ${STEPS} characters (1000; 200 without --data)
  --save FILE        also save the network as safetensors
  --load FILE        do not train: let a network write that --save has saved
  --export FILE      also write weights, text and order as npz before training:
                     python3 apps/examples/scripts/charlm_torch.py FILE trains the same
                     net in PyTorch
${COMMON_HELP}  --help             show this
`,

  parse(args, folder) {
    const given = parseArguments(args, {
      own: ["data", "steps", "export", "save", "load"],
      folder,
      seeHelp: "See npm run example -- charlm --help.",
    });
    const [data, { quick }] = [given.path("data"), given.common];
    return {
      ...given.common,
      data,
      steps: given.integer("steps", 1, 1_000_000) ?? (quick ? 40 : data ? 1000 : 200),
      export: given.path("export"),
      save: given.path("save"),
      load: given.path("load"),
    };
  },

  async run({ data, steps, seed, export: file, save, load }, terminal, backend) {
    if (load) {
      manualSeed(seed);
      await writeAll(...loadModel(load), terminal);
      return 0;
    }
    const text = data ? readText(join(data, "input.txt")) : numbered(SONNETS);
    const { characters } = text;
    const places = drawPlaces(text.training.length, steps, random(seed));
    manualSeed(seed);
    const model = new CharacterLM(characters.length);
    terminal.line(
      `${text.training.length} characters to train on, ${text.test.length} to test on, ${characters.length} kinds.`,
    );
    terminal.line(`LSTM of ${HIDDEN}, Adam at ${LR}, ${ROWS} rows of ${STEPS} characters; seed ${seed}, ${backend}.\n`);
    if (file) await exportAll(file, model, text, places);

    const optimizer = new Adam(model.parameters(), { lr: LR });
    const step = compile((x: Tensor, y: Tensor) =>
      optimizer.minimize(() => model.loss(x, y), {
        transform: (gradients) => clipGradNorm(gradients, CLIP).gradients,
      }),
    );
    const progress = terminal.progress(steps);
    const losses: number[] = [];
    const start = performance.now();
    for (let i = 0; i < steps; i++) {
      const { x, y } = rowsAt(text.training, places.subarray(i * ROWS, (i + 1) * ROWS));
      using loss = step(x, y);
      losses.push(await loss.item());
      x.dispose();
      y.dispose();
      progress.step(losses[i]);
      await setImmediate(); // lets Ctrl-C and the progress bar have their turn
    }
    const seconds = (performance.now() - start) / 1000;
    terminal.close();
    terminal.chart(losses);
    const speed = Math.round((steps * ROWS * STEPS) / seconds);
    terminal.line(`\nTraining took ${seconds.toFixed(1)} s, ${speed} characters a second.`);
    const [value, baseline] = [await evaluate(model, text.test), frequencyLoss(text)];
    terminal.line(`Validation loss ${value.toFixed(4)} nats a character; by frequency alone ${baseline.toFixed(4)}.`);
    await writeAll(model, characters, terminal);
    if (save) await saveModel(save, model, characters);
    return { metric: "nats a character", value, baseline, against: "by frequency", lowerIsBetter: true };
  },
};

// ---------------------------------------------------------------------------------------------

/** Samples: cautious, then bolder. */
async function writeAll(model: CharacterLM, characters: string, terminal: Terminal): Promise<void> {
  model.eval();
  for (const temperature of [0.5, 0.8, 1.1]) {
    terminal.heading(`At temperature ${temperature}`);
    terminal.line((await write(model, characters, temperature, 300)).trim());
  }
}

/** `charlm`: an LSTM that writes like Shakespeare, character by character; and the file from which PyTorch trains the same. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { saveNpz } from "@nn/io";
import { crossEntropy, Embedding, Linear } from "@nn/layers";
import { Adam, clipGradNorm } from "@nn/optim";
import { LSTM, type LSTMState, sample } from "@nn/recurrent";
import { compile, Module, manualSeed, type Tensor, tensor, zeros } from "@nn/tensor";
import { COMMON_HELP, type CommonOptions, parseArguments } from "./arguments.js";
import type { Example } from "./example.js";
import { readBytes, wrong } from "./files.js";
import { type Random, random } from "./random.js";
import { reason, UserError } from "./user-error.js";

export interface CharlmOptions extends CommonOptions {
  /** Folder of input.txt. */
  readonly data: string;
  readonly steps: number;
  /** Where to write weights, text and order for PyTorch; null: nowhere. */
  readonly export: string | null;
}

const [HIDDEN, EMBEDDING, STEPS, ROWS, LR, CLIP] = [256, 64, 64, 32, 0.003, 1];

export const charlm: Example<CharlmOptions> = {
  help: `Trains a character LSTM (one layer of ${HIDDEN}) on tinyshakespeare, gives the loss on the last
tenth of the text, and lets it write.

Usage: npm run example -- charlm --data DIR [options]

  --data DIR         folder of input.txt
  --steps N          training steps of ${ROWS} times ${STEPS} characters (1000)
  --export FILE      also write weights, text and order as npz before training:
                     python3 apps/examples/scripts/charlm_torch.py FILE trains the same
                     net in PyTorch
${COMMON_HELP}  --help             show this
`,

  parse(args, folder) {
    const given = parseArguments(args, {
      own: ["data", "steps", "export"],
      folder,
      seeHelp: "See npm run example -- charlm --help.",
    });
    const { help } = given.common;
    return {
      ...given.common,
      data: help ? "" : given.require("data", given.path("data")),
      steps: given.integer("steps", 1, 1_000_000) ?? 1000,
      export: given.path("export"),
    };
  },

  async run({ data, steps, seed, export: file }, terminal, backend) {
    const text = readText(join(data, "input.txt"));
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
    terminal.line(`Validation loss ${(await evaluate(model, text.test)).toFixed(4)} nats a character.\n`);
    terminal.line(await write(model, text, "\n", 400));
    return 0;
  },
};

/** Characters (N, T) i32 → logits of the next ones (N, T, characters). */
class CharacterLM extends Module {
  readonly embedding: Embedding;
  readonly lstm = new LSTM(EMBEDDING, HIDDEN, { batchFirst: true });
  readonly head: Linear;

  constructor(characters: number) {
    super();
    this.embedding = new Embedding(characters, EMBEDDING);
    this.head = new Linear(HIDDEN, characters);
  }

  override forward(x: Tensor, state?: LSTMState): { logits: Tensor } & LSTMState {
    const { output, h, c } = this.lstm.forward(this.embedding.forward(x), state);
    return { logits: this.head.forward(output), h, c };
  }

  /** Mean over all characters of y (N, T). */
  loss(x: Tensor, y: Tensor): Tensor {
    return crossEntropy(this.forward(x).logits.flatten(0, 1), y.flatten());
  }
}

// ---------------------------------------------------------------------------------------------

interface Text {
  /** All that occur, in order; numbers stand for them. */
  readonly characters: string;
  readonly training: Int32Array;
  /** The last tenth. */
  readonly test: Int32Array;
}

function readText(file: string): Text {
  const hint = "Give the folder of tinyshakespeare's input.txt after --data";
  const text = new TextDecoder().decode(readBytes(file, { expected: "text", hint }));
  const characters = [...new Set(text)].sort().join("");
  const all = Int32Array.from(text, (c) => characters.indexOf(c));
  const cut = Math.floor(0.9 * all.length);
  if (all.length - cut <= STEPS) {
    wrong(file, { got: `it has ${all.length} characters`, expected: `more than ${10 * (STEPS + 1)}`, hint });
  }
  return { characters, training: all.subarray(0, cut), test: all.subarray(cut) };
}

/** Where each row of each step begins. */
function drawPlaces(length: number, steps: number, source: Random): Int32Array {
  return Int32Array.from({ length: steps * ROWS }, () => source.below(length - STEPS));
}

/** Rows of characters, and the same a character later. */
function rowsAt(text: Int32Array, places: Int32Array): { x: Tensor; y: Tensor } {
  const cut = (shift: number): Tensor => {
    const values = new Int32Array(places.length * STEPS);
    places.forEach((from, i) => {
      values.set(text.subarray(from + shift, from + shift + STEPS), i * STEPS);
    });
    return tensor(values, { shape: [places.length, STEPS] });
  };
  return { x: cut(0), y: cut(1) };
}

/** The mean loss over the text in rows of STEPS, each from an empty memory. */
async function evaluate(model: CharacterLM, text: Int32Array): Promise<number> {
  model.eval();
  const loss = compile((x: Tensor, y: Tensor) => model.loss(x, y));
  const places = Int32Array.from({ length: Math.floor((text.length - 1) / STEPS) }, (_, i) => i * STEPS);
  let sum = 0;
  for (let i = 0; i < places.length; i += 100) {
    const part = places.subarray(i, i + 100);
    const { x, y } = rowsAt(text, part);
    using mean = loss(x, y);
    sum += part.length * (await mean.item());
    x.dispose();
    y.dispose();
  }
  return sum / places.length;
}

/** What the network writes after some text. */
async function write(model: CharacterLM, { characters }: Text, first: string, count: number): Promise<string> {
  const next = compile((x: Tensor, h: Tensor, c: Tensor) => {
    const { logits, ...state } = model.forward(x, { h, c });
    return { x: sample(logits.select(1, -1), { temperature: 0.8 }).unsqueeze(1), ...state };
  });
  let state = {
    x: tensor(Int32Array.of(characters.indexOf(first)), { shape: [1, 1] }),
    h: zeros([1, 1, HIDDEN]),
    c: zeros([1, 1, HIDDEN]),
  };
  let written = "";
  for (let i = 0; i < count; i++) {
    const before = state;
    state = next(before.x, before.h, before.c);
    written += characters[await state.x.item()];
    for (const t of Object.values(before)) t.dispose();
  }
  return written;
}

/** All that PyTorch needs to train the same: the parameters by their names, `text`, `places` (steps, rows). */
async function exportAll(file: string, model: CharacterLM, text: Text, places: Int32Array): Promise<void> {
  const whole = new Int32Array(text.training.length + text.test.length);
  whole.set(text.training);
  whole.set(text.test, text.training.length);
  const bytes = await saveNpz({
    ...model.stateDict(),
    text: tensor(whole),
    places: tensor(places, { shape: [places.length / ROWS, ROWS] }),
  });
  try {
    writeFileSync(file, bytes);
  } catch (error) {
    throw new UserError(`${file}: it could not be written (${reason(error)}). Choose another file with --export.`);
  }
}

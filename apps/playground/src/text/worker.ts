// The worker of the page "Text": a recurrent network learns which character comes next, and writes.

import { random } from "@nn/examples/random";
import { crossEntropy, Embedding, Linear } from "@nn/layers";
import { Adam } from "@nn/optim";
import { GRU, LSTM, RNN, sample } from "@nn/recurrent";
import { compile, Module, type Tensor, tensor, zeros } from "@nn/tensor";
import type { Loader, Store } from "@nn/train";
import { recurrences } from "../worker/recurrences.js";
import { serveLane } from "../worker/serve.js";

export interface TextSettings {
  readonly text: string;
  readonly hidden: number;
  readonly length: number;
  readonly lr: number;
}

const [EMBEDDING, ROWS, EPOCH] = [32, 24, 20];
const LAYERS = { RNN, GRU, LSTM };
export type CellName = keyof typeof LAYERS;

type State = Record<string, Tensor>;

/** Characters x (N, T) i32 → logits of the next ones (N, T, characters). */
class CharacterModel extends Module {
  readonly embedding: Embedding;
  readonly layer: RNN | GRU | LSTM;
  readonly head: Linear;

  constructor(cell: CellName, characters: number, hidden: number) {
    super();
    this.embedding = new Embedding(characters, EMBEDDING);
    this.layer = new LAYERS[cell](EMBEDDING, hidden, { batchFirst: true });
    this.head = new Linear(hidden, characters);
  }

  override forward(x: Tensor): Tensor {
    return this.head.forward(this.layer.forward(this.embedding.forward(x)).output);
  }

  /** The same from a state and with the next one: { h }, or { h, c }. */
  go(x: Tensor, state: State): { logits: Tensor; state: State } {
    const { layer } = this;
    const input = this.embedding.forward(x);
    const { output, ...next } =
      layer instanceof LSTM
        ? layer.forward(input, state as { h: Tensor; c: Tensor })
        : layer.forward(input, state["h"]);
    return { logits: this.head.forward(output.select(1, -1)), state: next };
  }

  start(): State {
    const { hiddenSize } = this.layer;
    const zero = () => zeros([1, 1, hiddenSize]);
    return this.layer instanceof LSTM ? { h: zero(), c: zero() } : { h: zero() };
  }
}

serveLane<TextSettings>(recurrences, async ({ text: name, hidden, length, lr }, files, lane) => {
  const text = await readText(name, files);
  const characters = [...new Set(text)].sort().join("");
  const all = Int32Array.from(text, (c) => characters.indexOf(c));
  const cut = Math.floor(0.9 * all.length);
  const [training, test] = [all.subarray(0, cut), all.subarray(cut)];
  if (test.length <= length)
    throw new Error(`The text is too short: at least ${10 * (length + 2)} characters are wanted.`);
  const model = new CharacterModel(lane as CellName, characters.length, hidden);

  /** Rows of characters, and the same a character later. */
  const rowsAt = (of: Int32Array, places: readonly number[]): [Tensor, Tensor] => {
    const rows = (shift: number) => {
      const values = new Int32Array(places.length * length);
      for (const [i, from] of places.entries())
        values.set(of.subarray(from + shift, from + shift + length), i * length);
      return tensor(values, { shape: [places.length, length] });
    };
    return [rows(0), rows(1)];
  };
  const data: Loader = {
    length: EPOCH,
    signature: JSON.stringify({ text: text.length, characters, length }),
    async *epoch(epoch, from = 0) {
      for (let i = from; i < EPOCH; i++) {
        const source = random(1 + epoch * EPOCH + i);
        yield rowsAt(
          training,
          Array.from({ length: ROWS }, () => source.below(training.length - length)),
        );
      }
    },
  };
  const rows = Math.min(100, Math.floor((test.length - 1) / length));
  const validation = [
    rowsAt(
      test,
      Array.from({ length: rows }, (_, i) => i * length),
    ),
  ];

  // Writing: one character after the other, each the input of the next. The memory goes on from call to call.
  const next = compile((x: Tensor, state: State, temperature: Tensor) => {
    const { logits, state: after } = model.go(x, state);
    return { x: sample(logits.div(temperature)).unsqueeze(1), state: after };
  });
  const one = (character: string) =>
    tensor(Int32Array.of(Math.max(0, characters.indexOf(character))), { shape: [1, 1] });
  let at: { x: Tensor; state: State } | null = null;
  const free = (what: { x: Tensor; state: State }) => {
    for (const t of [what.x, ...Object.values(what.state)]) t.dispose();
  };
  const write = async ({ count, temperature, after }: { count: number; temperature: number; after?: string }) => {
    using heat = tensor(temperature);
    const step = () => {
      const before = at!;
      at = next(before.x, before.state, heat);
      free(before);
    };
    if (after !== undefined || !at) {
      if (at) free(at);
      const given = [...(after || "\n")];
      at = { x: one(given[0]), state: model.start() };
      for (const character of given.slice(1)) {
        step();
        at.x.dispose();
        at = { ...at, x: one(character) };
      }
    }
    let written = "";
    for (let i = 0; i < count; i++) {
      step();
      written += characters[await at.x.item()];
    }
    return written;
  };

  return {
    model,
    loss: (logits: Tensor, y: Tensor) => crossEntropy(logits.flatten(0, 1), y.flatten()),
    optimizer: new Adam(model.parameters(), { lr }),
    clip: 1,
    data,
    validation,
    answers: { write, about: () => ({ size: text.length, kinds: characters.length }) },
  };
});

async function readText(name: string, files: Store): Promise<string> {
  const bytes = name === "own" ? await files.read("text") : null;
  if (bytes) return new TextDecoder().decode(bytes);
  if (name === "own") throw new Error("Your text is not in this browser: paste it again, or choose Shakespeare.");
  const response = await fetch(new URL("./shakespeare.txt", import.meta.url));
  if (!response.ok) throw new Error(`The text could not be loaded (${response.status}).`);
  return response.text();
}

/** The network of `charlm`: it says which character comes next, and so it can write. It is saved with its characters. */
import { writeFileSync } from "node:fs";
import { loadSafetensors, parseSafetensors, saveSafetensors } from "@nn/io";
import { crossEntropy, Embedding, Linear } from "@nn/layers";
import { LSTM, type LSTMState, sample } from "@nn/recurrent";
import { compile, Module, type Tensor, tensor, zeros } from "@nn/tensor";
import { rowsAt, STEPS } from "./character-text.js";
import { readBytes, wrong } from "./files.js";
import { reason, UserError } from "./user-error.js";

export const [HIDDEN, EMBEDDING] = [256, 64];

/** Characters (N, T) i32 → logits of the next ones (N, T, characters). */
export class CharacterLM extends Module {
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

/** The mean loss over the text in rows of STEPS, each from an empty memory. */
export async function evaluate(model: CharacterLM, text: Int32Array): Promise<number> {
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

/** What the network writes after the end of a line. */
export async function write(
  model: CharacterLM,
  characters: string,
  temperature: number,
  count: number,
): Promise<string> {
  const next = compile((x: Tensor, h: Tensor, c: Tensor) => {
    const { logits, ...state } = model.forward(x, { h, c });
    return { x: sample(logits.select(1, -1), { temperature }).unsqueeze(1), ...state };
  });
  let state = {
    x: tensor(Int32Array.of(characters.indexOf("\n")), { shape: [1, 1] }),
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

/** Weights, and the characters among the metadata. */
export async function saveModel(file: string, model: CharacterLM, characters: string): Promise<void> {
  try {
    writeFileSync(file, await saveSafetensors(model.stateDict(), { metadata: { characters } }));
  } catch (error) {
    throw new UserError(`${file}: it could not be written (${reason(error)}). Choose another file with --save.`);
  }
}

/** @returns the network and its characters @throws UserError */
export function loadModel(file: string): [CharacterLM, string] {
  const rest = { expected: "a network that charlm has saved", hint: "Make one with --save" };
  const bytes = readBytes(file, rest);
  try {
    const { characters } = parseSafetensors(bytes).metadata;
    if (!characters) return wrong(file, { got: "it names no characters", ...rest });
    const model = new CharacterLM(characters.length);
    model.loadStateDict(loadSafetensors(bytes));
    return [model, characters];
  } catch (error) {
    return wrong(file, { got: reason(error), ...rest });
  }
}

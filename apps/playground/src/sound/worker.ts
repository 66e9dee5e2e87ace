// The worker of the page "Sound": trains the listener, and shows how it hears an example.

import { crossEntropy } from "@nn/layers";
import { Adam } from "@nn/optim";
import { type Tensor, tensor } from "@nn/tensor";
import { Accuracy, dataset, loader, type Store, type Values } from "@nn/train";
import { probabilities, take } from "../worker/read.js";
import { recurrences } from "../worker/recurrences.js";
import { serveLane } from "../worker/serve.js";
import { decide } from "./decide.js";
import { type Examples, madeExamples, recordedExamples } from "./examples.js";
import { BANDS, FRAMES } from "./features.js";
import { Listener, type Trained } from "./net.js";
import { readRecordings } from "./recordings.js";
import { MADE } from "./words.js";

export interface SoundSettings {
  readonly data: string;
  readonly hidden: number;
  readonly noise: number;
  readonly lr: number;
}

/** How it hears an example of the test. */
export interface Heard {
  readonly word: string;
  readonly sound: Float32Array;
  /** (FRAMES, BANDS) */
  readonly frames: Float32Array;
  /** (FRAMES, 1 + words) */
  readonly probabilities: Float32Array;
}

/** Of frames: x (N, T, C) and y (N, T), each frame for itself. */
class FrameAccuracy extends Accuracy {
  protected override add(output: Values, target: Values): void {
    const [classes] = output.shape.slice(-1);
    const frames = target.data.length;
    super.add({ ...output, shape: [frames, classes] }, { ...target, shape: [frames] });
  }
}

serveLane<SoundSettings>(recurrences, async ({ data, hidden, noise, lr }, files) => {
  const { words, train, test } = await examples(data, noise, files);
  const model = new Listener(hidden, words.length);
  const classes = 1 + words.length;
  const set = ({ x, y }: Examples) => dataset({ data: x, shape: [FRAMES, BANDS] }, { data: y, shape: [FRAMES] });

  const hear = (from: number, count: number): Promise<Float32Array> => {
    const frames = test.x.slice(from * FRAMES * BANDS, (from + count) * FRAMES * BANDS);
    return probabilities(model, tensor(frames, { shape: [count, FRAMES, BANDS] }));
  };

  return {
    model,
    loss: (logits: Tensor, y: Tensor) => crossEntropy(logits.flatten(0, 1), y.flatten()),
    optimizer: new Adam(model.parameters(), { lr }),
    clip: 1,
    data: loader(set(train), { batchSize: 16, shuffle: true, seed: 1 }),
    validation: loader(set(test), { batchSize: 60 }),
    metrics: { accuracy: new FrameAccuracy() },
    answers: {
      words: () => words,
      async score() {
        const all = await hear(0, test.count);
        const size = FRAMES * classes;
        const own = (i: number) => all.subarray(i * size, (i + 1) * size);
        const right = test.words.filter((word, i) => word === decide(own(i), words.length));
        return right.length / test.count;
      },
      async example(i: number): Promise<Heard> {
        const n = i % test.count;
        const frames = test.x.slice(n * FRAMES * BANDS, (n + 1) * FRAMES * BANDS);
        return { word: words[test.words[n]], sound: test.sounds[n], frames, probabilities: await hear(n, 1) };
      },
      async trained(): Promise<Trained> {
        const state: Record<string, { shape: readonly number[]; data: Float32Array }> = {};
        for (const [name, t] of Object.entries(model.stateDict())) {
          state[name] = { shape: t.shape, data: await take(t) };
        }
        return { hidden, words, state };
      },
    },
  };
});

async function examples(data: string, noise: number, files: Store) {
  if (data !== "own") return { words: MADE, train: madeExamples(300, 1, noise), test: madeExamples(60, 2, noise) };
  const all = await readRecordings(files);
  const words = [...new Set(all.map(({ word }) => word))].sort();
  if (words.length < 2)
    throw new Error("At least two words are wanted: record or drop some, or choose the sounds of this page.");
  // Every fifth recording of a word is for the test; of words with fewer than five, the same in other noise.
  const nth = new Map<string, number>();
  const held = all.map(({ word }) => {
    const n = (nth.get(word) ?? 0) + 1;
    nth.set(word, n);
    return n % 5 === 0;
  });
  const few = (word: string) => nth.get(word)! < 5;
  const [train, test] = [all.filter((_, i) => !held[i]), all.filter(({ word }, i) => held[i] || few(word))];
  const count = Math.min(800, Math.max(60 * words.length, train.length));
  return {
    words,
    train: recordedExamples(train, count, words, 1, noise),
    test: recordedExamples(test, Math.max(60, Math.min(200, test.length)), words, 2, noise),
  };
}

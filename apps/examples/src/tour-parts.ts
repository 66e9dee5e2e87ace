/** The networks of the tour, their data, and how their answers are shown. */
import { GRU, LSTM, RNN } from "@nn/recurrent";
import { type Dataset, PIXELS } from "./dataset.js";
import { drawDigits } from "./digits.js";
import { readMnist } from "./idx.js";
import { DigitCNN, SequenceClassifier } from "./models.js";
import type { Options } from "./options.js";
import { gallery } from "./picture.js";
import { drawSequences, FEATURES, SYMBOLS, spell } from "./recall.js";
import type { Classifier } from "./train.js";

/** One network of the tour, and what it learns. */
export interface Part {
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

export function digitPart({ data, seed, trainImages, quick }: Options): Part {
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

export function recallParts({ seed, quick }: Options): Part[] {
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

// ---------------------------------------------------------------------------------------------

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

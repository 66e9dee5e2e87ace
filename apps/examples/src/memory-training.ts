/** How `memory` trains a network: the same sequences for all, Adam, gradients clipped to a norm of 1. */
import { setImmediate } from "node:timers/promises";
import { Adam, clipGradNorm } from "@nn/optim";
import { compile, countParameters, manualSeed, type Tensor, tensor } from "@nn/tensor";
import type { Kind } from "./memory-cells.js";
import type { Sequences, Task } from "./memory-tasks.js";
import { SequenceClassifier } from "./models.js";
import { random } from "./random.js";

export const [EPOCH, BATCH, TEST] = [3200, 32, 1000];

export interface Setup {
  readonly kind: Kind;
  readonly task: Task;
  readonly length: number;
  readonly hidden: number;
  readonly epochs: number;
  readonly seed: number;
}

export interface Trained {
  readonly kind: Kind;
  /** As it was before training, and after. */
  readonly before: SequenceClassifier;
  readonly after: SequenceClassifier;
  readonly weights: number;
  readonly score: number;
  readonly seconds: number;
}

/** Trains one network on sequences that are all new, and tests it on others. */
export async function learn(setup: Setup): Promise<Trained> {
  const { kind, task, length, epochs, seed } = setup;
  const [before, model] = [build(setup), build(setup)];
  const optimizer = new Adam(model.parameters(), { lr: kind.lr });
  const step = compile((x: Tensor, y: Tensor) =>
    optimizer.minimize(() => task.loss(model.forward(x), y), {
      transform: (gradients) => clipGradNorm(gradients, 1).gradients,
    }),
  );
  const source = random(seed + 1);
  const start = performance.now();
  for (let i = 0; i < (epochs * EPOCH) / BATCH; i++) {
    const { x, y } = toTensors(task, task.draw(BATCH, length, source), length);
    using loss = step(x, y);
    await loss.item();
    x.dispose();
    y.dispose();
    await setImmediate(); // lets Ctrl-C have its turn
  }
  const seconds = (performance.now() - start) / 1000;
  const weights = countParameters(model.rnn);

  const test = task.draw(TEST, length, random(seed + 2));
  const { x, y } = toTensors(task, test, length);
  using outputs = model.forward(x);
  const score = task.score((await outputs.read()) as Float32Array, test.y);
  x.dispose();
  y.dispose();
  return { kind, before, after: model, weights, score, seconds };
}

function build({ kind, task, length, hidden, seed }: Setup): SequenceClassifier {
  manualSeed(seed);
  return new SequenceClassifier(kind.make(task.features, hidden, length, random(seed)), task.outputs);
}

export function toTensors({ features }: Task, { x, y }: Sequences, length: number): { x: Tensor; y: Tensor } {
  return { x: tensor(x, { shape: [y.length, length, features] }), y: tensor(y) };
}

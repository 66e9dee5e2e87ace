/** The training loop, and what a trained network says about data it has not seen. */
import { setImmediate } from "node:timers/promises";
import { crossEntropy } from "@nn/layers";
import { Adam, clipGradNorm } from "@nn/optim";
import { compile, type Module, type Tensor, tensor } from "@nn/tensor";
import type { Dataset } from "./dataset.js";
import { random } from "./random.js";

/** A network that takes a batch of samples and gives logits (N, classes). */
export interface Classifier extends Module {
  forward(x: Tensor): Tensor;
}

export interface Training {
  /** Passes over the data, each in an order of its own. */
  readonly epochs: number;
  readonly batchSize: number;
  /** Learning rate of the first step; it falls in a straight line, to 0 after the last. */
  readonly lr: number;
  /** For the order of the samples. */
  readonly seed: number;
  /** Bounds the norm of all gradients together; without it they are taken as they are. */
  readonly clipNorm?: number;
}

/** How many steps {@link train} takes. A last batch that is not full is left out: its samples come in other epochs. */
export function countSteps(data: Dataset, { epochs, batchSize }: Pick<Training, "epochs" | "batchSize">): number {
  return epochs * Math.floor(data.count / batchSize);
}

/** Trains in place, tells `onStep` the loss of every step, and returns all of them. */
export async function train(
  model: Classifier,
  data: Dataset,
  { epochs, batchSize, lr, seed, clipNorm }: Training,
  onStep: (loss: number) => void = () => {},
): Promise<number[]> {
  model.train();
  const optimizer = new Adam(model.parameters(), { lr });
  const clipped = (gradients: readonly Tensor[]) =>
    clipNorm === undefined ? gradients : clipGradNorm(gradients, clipNorm).gradients;
  const step = compile((x: Tensor, y: Tensor) =>
    optimizer.minimize(() => crossEntropy(model.forward(x), y), { transform: clipped }),
  );
  const losses: number[] = [];
  const steps = countSteps(data, { epochs, batchSize });
  const order = Uint32Array.from({ length: data.count }, (_, i) => i);
  const source = random(seed);
  for (let epoch = 0; epoch < epochs; epoch++) {
    source.shuffle(order);
    for (let start = 0; start + batchSize <= data.count; start += batchSize) {
      const indices = order.subarray(start, start + batchSize);
      using x = inputsOf(data, indices);
      using y = labelsOf(data, indices);
      optimizer.lr = lr * (1 - losses.length / steps);
      using result = step(x, y);
      const loss = await result.item();
      losses.push(loss);
      onStep(loss);
      await setImmediate(); // lets Ctrl-C and the progress bar have their turn
    }
  }
  return losses;
}

/** The logits of all samples, (count, classes) in one array. */
export async function predict(model: Classifier, data: Dataset, batchSize = 100): Promise<Float32Array> {
  model.eval();
  const forward = compile((x: Tensor) => model.forward(x));
  const parts: Float32Array[] = [];
  for (let start = 0; start < data.count; start += batchSize) {
    const length = Math.min(batchSize, data.count - start);
    using x = inputsOf(
      data,
      Uint32Array.from({ length }, (_, i) => start + i),
    );
    using logits = forward(x);
    parts.push((await logits.read()) as Float32Array);
    await setImmediate();
  }
  return Float32Array.from(parts.flatMap((part) => [...part]));
}

/** The class with the greatest logit, for each sample. */
export function decide(logits: Float32Array, count: number): Int32Array {
  const classes = logits.length / count;
  return Int32Array.from({ length: count }, (_, i) => {
    const own = logits.subarray(i * classes, (i + 1) * classes);
    return own.indexOf(Math.max(...own));
  });
}

/** The share of samples that are decided right, 0 to 1. */
export function accuracy(decisions: Int32Array, labels: Int32Array): number {
  return decisions.reduce((right, decision, i) => right + Number(decision === labels[i]), 0) / labels.length;
}

// ---------------------------------------------------------------------------------------------

/** These samples as a tensor x (N, …shape). */
function inputsOf({ shape, inputs }: Dataset, indices: Uint32Array): Tensor {
  const size = shape.reduce((product, length) => product * length, 1);
  const values = new Float32Array(indices.length * size);
  indices.forEach((from, to) => {
    values.set(inputs.subarray(from * size, (from + 1) * size), to * size);
  });
  return tensor(values, { shape: [indices.length, ...shape] });
}

/** Their labels, y (N). */
function labelsOf({ labels }: Dataset, indices: Uint32Array): Tensor {
  return tensor(Int32Array.from(indices, (i) => labels[i]));
}
